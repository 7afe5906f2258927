package hint

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/probe"
)

// primitiveRules are for what only kit doctor asks for by itself. They come last: of a
// step's errors the rules above know more.
func primitiveRules() []rule {
	return []rule{
		{"trial:", unix.ETIMEDOUT, busy},
		{"seccomp filter:", unix.EPERM, outerFilter},
		{"keyctl", unix.EPERM, outerFilter},
		{"keyctl", unix.ENOSYS, noKeys},
		{"statfs /proc", 0, noProc},
		{"bounding set:", unix.EPERM, outerCapabilities},
		{"kernel:", unix.ENOSYS, firstWSL},
		{"architecture", unix.ENOSYS, otherArch},
		{"ptrace", unix.EPERM, noTracing},
		{"pidfd_", unix.ENOSYS, oldKernel("pidfd", "5.3")},
		{"clone3 CLONE_INTO_CGROUP", unix.EINVAL, oldKernel("CLONE_INTO_CGROUP", "5.7")},
		{"clone3", unix.ENOSYS, oldKernel("clone3", "5.3")},
		{"cgroup.kill", unix.ENOENT, oldKernel("cgroup.kill", "5.14")},
		{"cgroup.freeze", unix.ENOENT, oldKernel("cgroup.freeze", "5.2")},
		{"cgroups: none", unix.ENOENT, mountCgroups},
		{"cgroup ", unix.EROFS, cgroupsReadOnly},
		{"session bus", 0, noSession},
		{"newuidmap: not installed", unix.ENOENT, install("uidmap", "shadow-utils")},
		{"newgidmap: not installed", unix.ENOENT, install("uidmap", "shadow-utils")},
		{"/etc/sub", unix.ENOENT, giveIDs},
		{"uid_map", unix.EPERM, unmapped},
		{"way out", unix.ENOENT, install("passt", "passt")},
		{"way out", unix.EACCES, openTun},
		{"resolv.conf", unix.EHOSTUNREACH, nameServers},
		{"resolv.conf", unix.ENOENT, nameServers},
		{"route to", unix.ENETUNREACH, noRoute},
		{"firewall", unix.EPERM, acceptBridge},
		{"open /proc/sys/net", unix.EROFS, sysReadOnly},
		{"open /proc/sys/net", unix.EACCES, sysReadOnly},
		{"rootfs", unix.ENOENT, otherRoot},
		{"cache", 0, otherCache},
		{"rmdir in an overlay", unix.EIO, oldKernel("an overlay of a user's own in memory", "6.6")},
		{"mount sysfs", unix.EPERM, maskedSys},
		{"mount ", unix.EPERM, mountForbidden},
		{"mount ", unix.EACCES, mountForbidden},
	}
}

func busy() []string {
	return []string{
		"the machine is too busy to tell (uptime shows its load), or the call never returns",
		"try again: kit doctor",
	}
}

func outerFilter() []string {
	return []string{
		"whoever started this shell, as docker does, filters its system calls (Seccomp: 2 in " +
			"/proc/self/status)",
		"start the outer container with --security-opt seccomp=unconfined; in a dev container that " +
			`is "securityOpt" in devcontainer.json`,
	}
}

func noKeys() []string {
	if len(probe.Filtered("keyctl")) > 0 {
		return outerFilter()
	}
	return []string{"this kernel was built without keys (CONFIG_KEYS)"}
}

func noProc() []string {
	return []string{
		"the maps of a user namespace are written through /proc, and kit starts itself through it",
		"as root: mount -t proc proc /proc",
	}
}

func outerCapabilities() []string {
	return []string{
		"root of an outer container cannot have what is not in its bounding set (CapBnd in " +
			"/proc/self/status); a user namespace of one's own has all of them again",
		"start the outer container with --privileged, or with --cap-add for each of them",
	}
}

func firstWSL() []string {
	return []string{
		"the first WSL translates system calls, and knows neither namespaces nor cgroups",
		"in Windows: wsl --set-version " + distribution() + " 2",
	}
}

func distribution() string {
	if name := os.Getenv("WSL_DISTRO_NAME"); name != "" {
		return name
	}
	return "DISTRIBUTION"
}

// secondWSL tells that the kernel is that of WSL 2.
func secondWSL() bool {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && (strings.Contains(string(text), "microsoft-standard") ||
		strings.Contains(string(text), "WSL2"))
}

func otherArch() []string {
	return []string{"kit knows the system calls of amd64 and arm64: take a machine of one of them"}
}

// noTracing says who keeps processes from tracing their children.
func noTracing() []string {
	scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err == nil && strings.TrimSpace(string(scope)) == "3" {
		return []string{
			"kernel.yama.ptrace_scope is 3: nobody may trace anything until the next boot",
			"take the setting out of /etc/sysctl.d, and boot",
		}
	}
	if len(probe.Filtered("ptrace")) > 0 {
		return []string{
			"a seccomp filter denies ptrace, as docker's did before Linux 4.8",
			"start the outer container with --cap-add SYS_PTRACE, or --security-opt seccomp=unconfined",
		}
	}
	return []string{
		"a security module (AppArmor, SELinux, Yama) denies it: see the kernel log (dmesg)",
		"start the outer container, if there is one, with --cap-add SYS_PTRACE",
	}
}

func mountCgroups() []string {
	if secondWSL() {
		return wslCgroups()
	}
	return []string{
		"no hierarchy of cgroups is mounted where it could be seen",
		"as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup",
	}
}

// wslCgroups says how WSL 2 gets cgroup v2 and a systemd that hands it out.
func wslCgroups() []string {
	return []string{
		"in /etc/wsl.conf: [boot] systemd=true; in Windows, in %UserProfile%\\.wslconfig: [wsl2] " +
			"kernelCommandLine = cgroup_no_v1=all; then in Windows: wsl --shutdown",
	}
}

// noSession says how a user gets a systemd of their own.
func noSession() []string {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		if secondWSL() {
			return wslCgroups()
		}
		return []string{ownCgroup()}
	}
	return []string{
		"there is one for who has logged in on a terminal or by ssh; su and sudo open none",
		fmt.Sprintf("as root: loginctl enable-linger %s; then: export XDG_RUNTIME_DIR=/run/user/%d",
			userName(), os.Getuid()),
	}
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Getuid())
}

func install(debian, fedora string) func() []string {
	return func() []string {
		return []string{fmt.Sprintf("as root: apt install %s (Fedora: dnf install %s)", debian, fedora)}
	}
}

func giveIDs() []string {
	const ids = "100000-165535"
	return []string{
		"without a range of ids of their own, users have one id in a user namespace: root",
		fmt.Sprintf("as root: usermod --add-subuids %s --add-subgids %[1]s %s", ids, userName()),
	}
}

// openTun says how a user may make a tap device.
func openTun() []string {
	return []string{
		"the program that leads out needs a tap device",
		"as root: modprobe tun; chmod 0666 /dev/net/tun, which is its usual mode; inside docker: " +
			"start the outer container with --device /dev/net/tun",
	}
}

func nameServers() []string {
	return []string{
		"containers are told those servers of /etc/resolv.conf, or of systemd-resolved's " +
			"/run/systemd/resolve/resolv.conf, that are not on this machine's own lo",
		"name one: kit step 5 --dns 9.9.9.9 ...",
	}
}

func noRoute() []string {
	return []string{"this machine has no default route (ip route), and so containers have none either"}
}

// acceptBridge says how the host's firewall lets the bridge through.
func acceptBridge() []string {
	if _, err := os.Stat("/usr/sbin/ufw"); err == nil {
		return []string{"as root: ufw route allow in on kit0; ufw route allow out on kit0"}
	}
	return []string{
		"what one table drops no other can save, and kit changes none but its own",
		"as root, beside docker: iptables -I DOCKER-USER -i kit0 -j ACCEPT; " +
			"iptables -I DOCKER-USER -o kit0 -j ACCEPT",
		"as root, else: nft insert rule ip filter FORWARD iifname kit0 accept; " +
			"nft insert rule ip filter FORWARD oifname kit0 accept (the table and chain named above)",
	}
}

func sysReadOnly() []string {
	return []string{
		"/proc/sys is mounted read-only here, as in a container",
		"start the outer container with --privileged, or with --sysctl net.ipv4.ip_forward=1",
	}
}

func otherRoot() []string {
	return []string{"kit rootfs import FILE.tar, or --rootfs DIR, takes one from elsewhere"}
}

func otherCache() []string {
	return []string{"KIT_CACHE=DIR puts it elsewhere: export KIT_CACHE=/var/tmp/kit-cache"}
}

// maskedSys explains why a user namespace gets no /sys of its own.
func maskedSys() []string {
	return append(covered("/sys"),
		"inside docker: start the outer container with --security-opt systempaths=unconfined")
}

// covered says what hides a part of the outer file system.
func covered(dir string) []string {
	list, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(m.Mountpoint, dir+"/") || madeForMounts(m.Mountpoint), false
	})
	if err != nil || len(list) == 0 {
		return []string{"in a user namespace, a new " + dir + " is allowed only while another one can " +
			"be seen as a whole, and as writable as the new one"}
	}
	return []string{fmt.Sprintf("parts of the outer %s are covered (%s and %d more), so a user "+
		"namespace may not mount its own", dir, list[0].Mountpoint, len(list)-1)}
}

// madeForMounts tells that the kernel keeps a directory empty for something to be mounted
// there: that hides nothing, and so does not count.
func madeForMounts(dir string) bool {
	switch dir {
	case "/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/sys/firmware/efi/efivars":
		return true
	}
	return strings.HasPrefix(dir, "/sys/fs/") || strings.HasPrefix(dir, "/sys/kernel/")
}
