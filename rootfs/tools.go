package rootfs

import "strings"

// A toolSet is what one package of Debian brings.
type toolSet struct {
	pkg   string
	names string // separated by blanks
	miss  string // those whose lack is told; with a|b either will do
}

// toolSets are the programs of the default root file system, as far as the
// machine has them. They are small, run without set-up, and show a container
// from inside. Nothing that asks for a password is among them.
//
//nolint:gochecknoglobals // A table of constants: no code runs for it at start.
var toolSets = [...]toolSet{
	{"dash", "sh dash", "sh"},
	{"bash", "bash rbash", "bash"},
	{
		"coreutils", "arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown chroot " +
			"cksum comm cp csplit cut date dd df dir dircolors dirname du echo env expand expr factor " +
			"false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo " +
			"mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx " +
			"pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum sha384sum sha512sum " +
			"shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr " +
			"true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes [", "ls",
	},
	{"grep", "grep egrep fgrep", "grep"},
	{"sed", "sed", "sed"},
	{"mawk", "awk mawk gawk", "awk"},
	{"findutils", "find xargs", "find"},
	{"diffutils", "cmp diff", ""},
	{"tar", "tar", "tar"},
	{"gzip", "gzip gunzip zcat", "gzip"},
	{"xz-utils", "xz unxz", ""},
	{"zstd", "zstd unzstd", ""},
	{"debianutils", "which", ""},
	{"libc-bin", "getent ldd", ""},
	{
		"procps", "ps top free pgrep pkill pidwait pmap pwdx uptime sysctl vmstat watch kill w slabtop",
		"ps top free",
	},
	{"psmisc", "pstree killall fuser", ""},
	{
		"util-linux", "mount umount unshare nsenter lsns findmnt hexdump setpriv setsid flock lsblk " +
			"lscpu lsmem lsipc ipcs ipcmk ipcrm prlimit taskset chrt ionice dmesg more script rev column " +
			"mountpoint pivot_root switch_root choom getopt losetup blkid fallocate renice logger " +
			"namei swapon utmpdump uuidgen whereis cal col mcookie", "mount unshare lsns findmnt setpriv",
	},
	{"hostname", "hostname domainname dnsdomainname", "hostname"},
	{"iproute2", "ip ss tc bridge nstat", "ip ss"},
	{"iputils-ping", "ping ping4 ping6", "ping"},
	{"nftables", "nft", ""},
	{"iptables", "iptables iptables-save ip6tables", ""},
	{"tcpdump", "tcpdump", ""},
	{"netcat-openbsd", "nc", "nc"},
	{"curl", "curl", "curl"},
	{"strace", "strace", "strace"},
	{"libcap2-bin", "capsh getcap setcap getpcaps", "capsh"},
	{"attr", "getfattr setfattr", ""},
	{"acl", "getfacl setfacl", ""},
	{"nano", "nano", "vi|nano"},
	{"vim-tiny", "vi", ""},
	{"less", "less", "less"},
	{"lsof", "lsof", ""},
	{"ncurses-bin", "clear tput reset tset infocmp", ""},
	{"tree", "tree", ""},
	{"kmod", "lsmod", ""},
}

// toolNames are the names of the table, in its order.
func toolNames() (names []string) {
	for _, set := range toolSets {
		names = append(names, strings.Fields(set.names)...)
	}
	return names
}

// lacking gives the useful tools that have does not tell of, and the packages
// that bring them.
func lacking(have func(name string) bool) (names, packages []string) {
	for _, set := range toolSets {
		before := len(names)
		for _, choice := range strings.Fields(set.miss) {
			if !haveAny(have, strings.Split(choice, "|")) {
				names = append(names, strings.ReplaceAll(choice, "|", " or "))
			}
		}
		if len(names) > before {
			packages = append(packages, set.pkg)
		}
	}
	return names, packages
}

func haveAny(have func(string) bool, names []string) bool {
	for _, name := range names {
		if have(name) {
			return true
		}
	}
	return false
}
