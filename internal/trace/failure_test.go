package trace

import (
	"errors"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// A failure is a call that fails, and what is to be said of it.
type failure struct {
	name  string
	who   string // root, user, or "" for both; of root: v2, hybrid, any v2
	ns    uintptr
	do    func(dir string) // in a directory of its own
	call  string
	errno string
	want  string // a part of the meaning, as a regular expression
}

const inUser = unix.CLONE_NEWUSER | unix.CLONE_NEWNS

func touch(path string, mode uint32) {
	_ = os.WriteFile(path, []byte("#"), 0o600)
	_ = os.Chmod(path, os.FileMode(mode))
}

func write(path, text string) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, _ = unix.Write(fd, []byte(text))
	}
}

// script writes a program and executes it.
func script(path, text string, mode uint32) {
	_ = os.WriteFile(path, []byte(text), 0o600)
	_ = os.Chmod(path, os.FileMode(mode))
	_ = unix.Exec(path, []string{path}, nil)
}

func tmpfs(dir string, flags uintptr) {
	_ = unix.Mount("none", dir, "tmpfs", flags, "")
}

func mkdirs(dir string, names ...string) {
	for _, n := range names {
		_ = os.MkdirAll(dir+"/"+n, 0o755)
	}
}

var mountFailures = []failure{
	{
		"no capability", "user", 0, func(d string) { tmpfs(d, 0) }, "mount", "EPERM",
		`it needs CAP_SYS_ADMIN in user:\[\d+\], the owner of the mnt namespace`,
	},
	{
		"no such type", "", inUser, func(d string) { _ = unix.Mount("none", d, "nofs", 0, "") },
		"mount", "ENODEV", "nofs is not in /proc/filesystems",
	},
	{
		"no target", "", inUser, func(d string) { tmpfs(d+"/a/b", 0) }, "mount", "ENOENT",
		`there is no \S+/a, on the way to \S+/a/b$`,
	},
	{"bind on a file", "", inUser, func(d string) {
		touch(d+"/file", 0o600)
		mkdirs(d, "a")
		_ = unix.Mount(d+"/a", d+"/file", "", unix.MS_BIND, "")
	}, "mount", "ENOTDIR", `/a is a directory, but \S+/file is a file`},
	{"not a mount", "", inUser, func(d string) {
		_ = unix.Mount("", d, "", unix.MS_PRIVATE, "")
	}, "mount", "EINVAL", `\S+ is not a mount point`},
	{"two propagations", "", inUser, func(string) {
		_ = unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_SHARED, "")
	}, "mount", "EINVAL", "more than one of MS_SHARED"},
	{"move of a directory", "", inUser, func(d string) {
		mkdirs(d, "a", "b")
		_ = unix.Mount(d+"/a", d+"/b", "", unix.MS_MOVE, "")
	}, "mount", "EINVAL", `/a is not a mount point, and so cannot be moved`},
	{
		"locked", "root", unix.CLONE_NEWNS, func(d string) {
			_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
			tmpfs(d, unix.MS_NOSUID|unix.MS_NODEV)
			failInside(failure{name: "locked inside", ns: inUser}, d)
		}, "mount", "EPERM", "came with nosuid, nodev, which are locked",
	},
	{
		"locked inside", "nobody", inUser, func(d string) {
			_ = unix.Mount("", d, "", unix.MS_REMOUNT|unix.MS_BIND, "")
		}, "", "", "",
	},
	{"ext4 in a user namespace", "", inUser, func(d string) {
		_ = unix.Mount("/dev/null", d, "ext4", 0, "")
	}, "mount", "EPERM|ENOTBLK", "ext4 may only be mounted in the initial user namespace|no block"},
	{
		"proc of others", "", inUser, func(d string) { _ = unix.Mount("proc", d, "proc", 0, "") },
		"mount", "EPERM", `proc shows the pid namespace, pid:\[\d+\], which belongs to user:\[\d+\]`,
	},
	{
		"masked proc", "root", unix.CLONE_NEWNS, func(d string) {
			_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
			tmpfs("/proc/fs", 0)
			failInside(failure{name: "masked inside", ns: inUser | unix.CLONE_NEWPID}, d)
		}, "mount", "EPERM", "can be seen as a whole: the one at /proc is covered at /proc/fs",
	},
	{
		"masked inside", "nobody", inUser, func(d string) {
			_ = unix.Mount("proc", d, "proc", 0, "")
		}, "", "", "",
	},
	{"no block device", "root", unix.CLONE_NEWNS, func(d string) {
		_ = unix.Mount("/dev/null", d, "ext4", 0, "")
	}, "mount", "ENOTBLK", "/dev/null is a device, and ext4 wants a block device"},
	{"overlay without work", "root", unix.CLONE_NEWNS, func(d string) {
		mkdirs(d, "l", "u")
		_ = unix.Mount("o", d, "overlay", 0, "lowerdir="+d+"/l,upperdir="+d+"/u")
	}, "mount", "EINVAL", "upperdir wants a workdir"},
	{"overlay work below upper", "root", unix.CLONE_NEWNS, func(d string) {
		mkdirs(d, "l", "u/w")
		tmpfs(d+"/u", 0)
		mkdirs(d, "u/w")
		_ = unix.Mount("o", d, "overlay", 0, "lowerdir="+d+"/l,upperdir="+d+"/u,workdir="+d+"/u/w")
	}, "mount", "EINVAL", "none below the other"},
	{"overlay of two mounts", "root", unix.CLONE_NEWNS, func(d string) {
		mkdirs(d, "l", "u", "w")
		tmpfs(d+"/u", 0)
		tmpfs(d+"/w", 0)
		_ = unix.Mount("o", d, "overlay", 0, "lowerdir="+d+"/l,upperdir="+d+"/u,workdir="+d+"/w")
	}, "mount", "EINVAL", "must be in one mount: they are in those at "},
	{"overlay without a layer", "root", unix.CLONE_NEWNS, func(d string) {
		_ = unix.Mount("o", d, "overlay", 0, "lowerdir="+d+"/l:"+d)
	}, "mount", "ENOENT", `lowerdir: there is no \S+/l$`},
	{"busy", "", inUser, func(d string) {
		tmpfs(d, 0)
		_ = os.Chdir(d)
		_ = unix.Unmount(d, 0)
	}, "umount2", "EBUSY", `it is in use by process \d+ \(.*, its cwd\)`},
	{"mount on it", "", inUser, func(d string) {
		tmpfs(d, 0)
		mkdirs(d, "a")
		tmpfs(d+"/a", 0)
		_ = unix.Unmount(d, 0)
	}, "umount2", "EBUSY", `other mounts are on it: \S+/a`},
	{
		"unmount a directory", "", inUser, func(d string) { _ = unix.Unmount(d, 0) },
		"umount2", "EINVAL", `is not a mount point`,
	},
	{
		"unmount what is locked", "", inUser, func(string) { _ = unix.Unmount("/proc", 0) },
		"umount2", "EINVAL|EBUSY", `locked|in use|other mounts`,
	},
	{"pivot to a directory", "", inUser, func(d string) {
		_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		_ = unix.PivotRoot(d, d)
	}, "pivot_root", "EBUSY|EINVAL", `is not a mount point`},
	{"pivot to elsewhere", "", inUser, func(d string) {
		_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		mkdirs(d, "a", "b")
		tmpfs(d+"/a", 0)
		tmpfs(d+"/b", 0)
		_ = unix.PivotRoot(d+"/a", d+"/b")
	}, "pivot_root", "EINVAL", `/b \(put_old\) is not at or underneath \S+/a`},
	{"pivot to what is shared", "", inUser, func(d string) {
		_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		tmpfs(d, 0)
		_ = unix.Mount("", d, "", unix.MS_SHARED, "")
		_ = unix.PivotRoot(d, d)
	}, "pivot_root", "EINVAL", `the mount at \S+ is shared`},
	{"pivot in a chroot", "", inUser, func(d string) {
		_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		mkdirs(d, "r/a")
		tmpfs(d+"/r/a", 0)
		_ = unix.Chroot(d + "/r")
		_ = unix.Chdir("/")
		_ = unix.PivotRoot("/a", "/a")
	}, "pivot_root", "EINVAL", "the current root directory is not a mount point"},
}

var namespaceFailures = []failure{
	{
		"threads", "", 0, func(string) { _ = unix.Unshare(unix.CLONE_NEWUSER) },
		"unshare", "EINVAL", `the process has \d+ threads, and may have one only`,
	},
	{
		"unshare as a user", "user", 0, func(string) { _ = unix.Unshare(unix.CLONE_NEWUTS) },
		"unshare", "EPERM", `it needs CAP_SYS_ADMIN in user:\[\d+\]$`,
	},
	{"setns to a file", "", 0, func(string) {
		fd, _ := unix.Open("/dev/null", unix.O_RDONLY, 0)
		_ = unix.Setns(fd, 0)
	}, "setns", "EINVAL", `descriptor \d+ is no namespace, but /dev/null`},
	{"setns to another kind", "", 0, func(string) {
		fd, _ := unix.Open("/proc/self/ns/uts", unix.O_RDONLY, 0)
		_ = unix.Setns(fd, unix.CLONE_NEWNET)
	}, "setns", "EINVAL", `is uts:\[\d+\], not the kind that nstype says`},
	{"setns as a user", "user", 0, func(string) {
		fd, _ := unix.Open("/proc/self/ns/uts", unix.O_RDONLY, 0)
		_ = unix.Setns(fd, 0)
	}, "setns", "EPERM", "it needs CAP_SYS_ADMIN in its own user namespace"},
	{"setns upwards", "", inUser, func(string) {
		fd, _ := unix.Open("/proc/self/ns/net", unix.O_RDONLY, 0)
		_ = unix.Setns(fd, 0)
	}, "setns", "EPERM", `it needs CAP_SYS_ADMIN in user:\[\d+\], and is in user:\[\d+\]`},
	{
		"chroot as a user", "user", 0, func(d string) { _ = unix.Chroot(d) },
		"chroot", "EPERM", "it needs CAP_SYS_CHROOT",
	},
	{"no more namespaces", "", inUser, func(string) {
		write("/proc/sys/user/max_uts_namespaces", "0")
		_ = unix.Unshare(unix.CLONE_NEWUTS)
	}, "unshare", "ENOSPC", "user.max_uts_namespaces"},
	{"long name", "", inUser | unix.CLONE_NEWUTS, func(string) {
		_ = unix.Sethostname([]byte(strings.Repeat("x", 65)))
	}, "sethostname", "EINVAL", "the name has 65 bytes, and may have 64"},
	{
		"host's name", "", inUser, func(string) { _ = unix.Sethostname([]byte("x")) },
		"sethostname", "EPERM", `it needs CAP_SYS_ADMIN in user:\[\d+\], the owner of the uts namespace`,
	},
	{
		"map twice", "", inUser, func(string) { write("/proc/self/uid_map", "0 0 1") },
		"write", "EPERM", "has been written already, which can be done once: 0 ",
	},
	{
		"setgroups back", "user", inUser, func(string) { write("/proc/self/setgroups", "allow") },
		"write", "EPERM", "it is deny already",
	},
	{
		"setgroups nonsense", "", inUser, func(string) { write("/proc/self/setgroups", "maybe") },
		"write", "EINVAL", `neither allow nor deny: "maybe"`,
	},
	{
		"unmapped uid", "", inUser, func(string) { _ = unix.Setresuid(77777, -1, -1) },
		"setresuid", "EINVAL", `uid 77777 has no meaning in user:\[\d+\]: its uid_map is 0 \d+ 1`,
	},
	{
		"groups denied", "user", inUser, func(string) { _ = unix.Setgroups([]int{0}) },
		"setgroups", "EPERM", "setgroups is denied in user:",
	},
	{
		"other uid", "user", 0, func(string) { _ = unix.Setresuid(0, 0, 0) },
		"setresuid", "EPERM", "it needs CAP_SETUID in user:",
	},
	{
		"unmapped owner", "", inUser, func(d string) { _ = unix.Lchown(d, 77777, -1) },
		"lchown|fchownat", "EINVAL", "uid 77777 has no meaning",
	},
}

var fileFailures = []failure{
	{
		"no directory", "", 0, func(d string) { _ = unix.Mkdir(d+"/a/b", 0o700) },
		"mkdirat", "ENOENT", `there is no \S+/a, on the way to \S+/a/b$`,
	},
	{"dangling link", "", 0, func(d string) {
		_ = os.Symlink("nowhere", d+"/l")
		_, _ = unix.Open(d+"/l", unix.O_RDONLY, 0)
	}, "openat", "ENOENT", `there is no \S+/nowhere, to which the symbolic link \S+/l leads`},
	{"file as directory", "", 0, func(d string) {
		touch(d+"/f", 0o600)
		_, _ = unix.Open(d+"/f/x", unix.O_RDONLY, 0)
	}, "openat", "ENOTDIR", `\S+/f is not a directory, on the way to`},
	{"loop", "", 0, func(d string) {
		_ = os.Symlink(d+"/l", d+"/l")
		_, _ = unix.Open(d+"/l", unix.O_RDONLY, 0)
	}, "openat", "ELOOP", "more than 40 symbolic links"},
	{"no follow", "", 0, func(d string) {
		_ = os.Symlink(d, d+"/l")
		_, _ = unix.Open(d+"/l", unix.O_RDONLY|unix.O_NOFOLLOW, 0)
	}, "openat", "ELOOP", "O_NOFOLLOW"},
	{
		"there", "", 0, func(d string) { _ = unix.Mkdir(d, 0o700) },
		"mkdirat", "EEXIST", `is there already: a directory`,
	},
	{"not empty", "", 0, func(d string) {
		touch(d+"/f", 0o600)
		_ = unix.Rmdir(d)
	}, "unlinkat", "ENOTEMPTY", `has 1 file: f`},
	{"no access", "user", 0, func(d string) {
		touch(d+"/f", 0o200)
		_, _ = unix.Open(d+"/f", unix.O_RDONLY, 0)
	}, "openat", "EACCES", `/f may not be read: mode 0200, owner \d+:\d+; the caller is \d+:\d+`},
	{
		"access", "user", 0, func(string) { _ = unix.Access("/etc/passwd", unix.R_OK|unix.W_OK) },
		"faccessat", "EACCES", `/etc/passwd may not be read and written to: mode 0644, owner 0:0`,
	},
	{
		"unlink a directory", "", 0, func(d string) { _ = unix.Unlink(d) },
		"unlinkat", "EISDIR", `is a directory: \S+ is a directory$`,
	},
	{
		"no search", "user", 0, func(d string) {
			mkdirs(d, "a/b")
			_ = os.Chmod(d+"/a", 0o600)
			_ = unix.Mkdir(d+"/a/b/c", 0o700)
			_ = os.Chmod(d+"/a", 0o700)
		}, "mkdirat", "EACCES", `/a may not be searched, on the way to \S+: mode 0600`,
	},
	{"root's file in a user namespace", "user", inUser, func(string) {
		_, _ = unix.Open("/etc/passwd", unix.O_WRONLY, 0)
	}, "openat", "EACCES", `/etc/passwd may not be written to: .*, root of user:.*no meaning`},
	{"read-only", "", inUser, func(d string) {
		tmpfs(d, unix.MS_RDONLY)
		_ = unix.Mkdir(d+"/x", 0o700)
	}, "mkdirat", "EROFS", `(mount|file system) at \S+ .*is read-only`},
	{"full", "", inUser, func(d string) {
		_ = unix.Mount("none", d, "tmpfs", 0, "nr_inodes=2")
		_ = unix.Mkdir(d+"/x", 0o700)
		_ = unix.Mkdir(d+"/y", 0o700)
	}, "mkdirat", "ENOSPC", `has no inode left, of 2`},
	{
		"closed", "", 0, func(string) { _ = unix.Fchdir(77) },
		"fchdir", "EBADF", "descriptor 77 is not open",
	},
	{"too many open", "", 0, func(string) {
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 3})
		_, _ = unix.Open("/", unix.O_RDONLY, 0)
	}, "openat", "EMFILE", `its limit is 3 \(RLIMIT_NOFILE\)`},
	{
		"long part", "", 0, func(d string) { _ = unix.Mkdir(d+"/"+strings.Repeat("x", 256), 0o700) },
		"mkdirat", "ENAMETOOLONG", "a part of the path has 256 bytes, and may have 255",
	},
	{
		"program not there", "", 0, func(d string) { _ = unix.Exec(d+"/x", nil, nil) },
		"execve", "ENOENT", `there is no \S+/x`,
	},
	{
		"interpreter not there", "", 0, func(d string) { script(d+"/x", "#!/no/sh\n", 0o700) },
		"execve", "ENOENT", `/x is there, but not the interpreter that its #! line names: .*no /no`,
	},
	{
		"not executable", "", 0, func(d string) { script(d+"/x", "#!/bin/sh\n", 0o600) },
		"execve", "EACCES", `/x may not be executed: mode 0600`,
	},
	{
		"directory", "", 0, func(d string) { _ = unix.Exec(d, nil, nil) },
		"execve", "EACCES", `is a directory, and only a file can be executed`,
	},
	{"noexec", "", inUser, func(d string) {
		tmpfs(d, unix.MS_NOEXEC)
		script(d+"/x", "#!/bin/sh\n", 0o700)
	}, "execve", "EACCES", `the mount at \S+ is noexec`},
	{
		"no format", "", 0, func(d string) { script(d+"/x", "text\n", 0o700) },
		"execve", "ENOEXEC", `neither an ELF program nor begins with #!`,
	},
	{"other machine", "", 0, func(d string) {
		self, _ := os.ReadFile("/bin/true")
		self[18], self[19] = 22, 0 // EM_S390
		script(d+"/x", string(self), 0o700)
	}, "execve", "ENOEXEC", `is for another machine: EM_S390`},
	{"open for writing", "", 0, func(d string) {
		_ = os.WriteFile(d+"/x", []byte("#!/bin/sh\n"), 0o700)
		_, _ = unix.Open(d+"/x", unix.O_WRONLY, 0)
		_ = unix.Exec(d+"/x", []string{"x"}, nil)
	}, "execve", "ETXTBSY", `/x is open for writing in process \d+`},
	{"long argument", "", 0, func(string) {
		_ = unix.Exec("/bin/true", []string{"x", strings.Repeat("x", 1<<17)}, nil)
	}, "execve", "E2BIG", `argv\[1\] has more than 131071 bytes`},
}

var securityFailures = []failure{
	{
		"no_new_privs", "user", 0, func(string) { _ = loadFilter(0) },
		"seccomp", "EACCES", "wants no_new_privs",
	},
	{"capability that is none", "", inUser, func(string) {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, 63, 0, 0, 0)
	}, "prctl", "EINVAL", `there is no capability 63: the last is \d+`},
	{"bounding set", "user", 0, func(string) {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_CHOWN, 0, 0, 0)
	}, "prctl", "EPERM", "it needs CAP_SETPCAP"},
	{"ambient", "user", 0, func(string) {
		_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_CHOWN, 0, 0)
	}, "prctl", "EPERM", "CHOWN is not in the permitted set"},
	{"permitted", "user", 0, func(string) {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		_ = unix.Capset(&header, &[]unix.CapUserData{{Permitted: 1}, {}}[0])
	}, "capset", "EPERM", "the new permitted set has what the old one has not: CAP_CHOWN"},
	{"filtered", "root", 0, func(d string) {
		_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		_ = loadFilter(unix.SYS_CHROOT)
		_ = unix.Chroot(d)
	}, "chroot", "EPERM", "seccomp filter answers every chroot so"},
	{"may be filtered", "user", 0, func(d string) {
		_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		_ = loadFilter(unix.SYS_SYMLINKAT)
		_ = unix.Symlinkat("a", unix.AT_FDCWD, d+"/l")
	}, "symlinkat", "EPERM", "the thread has a seccomp filter, which may"},
	{"bpf", "user", 0, func(string) {
		var attr [128]byte
		attr[0], attr[4], attr[8], attr[12] = 1, 4, 4, 1
		_, _, _ = unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), 128)
	}, "bpf", "EPERM", `it needs CAP_BPF in the initial .*\(kernel.unprivileged_bpf_disabled is \d`},
	{
		"device", "", inUser, func(d string) { _ = unix.Mknod(d+"/x", unix.S_IFCHR|0o600, 0x101) },
		"mknodat", "EPERM", "it needs CAP_MKNOD in the initial user namespace",
	},
	{"low port", "", inUser, func(string) {
		fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		_ = unix.Bind(fd, &unix.SockaddrInet4{Port: 80})
	}, "bind", "EACCES", `port 80 is below \d+ .*it needs CAP_NET_BIND_SERVICE`},
	{"no such address", "", 0, func(string) {
		fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		_ = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{203, 0, 113, 1}})
	}, "bind", "EADDRNOTAVAIL", `203.0.113.1 is no address of a link in net:`},
	{"nobody listens", "", 0, func(string) {
		fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		_ = unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 1})
	}, "connect", "ECONNREFUSED", `nobody listens at 127.0.0.1:1`},
	{"port taken", "", 0, func(string) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return
		}
		fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		_ = unix.Bind(fd, &unix.SockaddrInet4{Port: l.Addr().(*net.TCPAddr).Port})
	}, "bind", "EADDRINUSE", `tcp 127.0.0.1:\d+ is taken by process \d+ \(`},
	{"raw socket", "user", 0, func(string) {
		_, _ = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	}, "socket", "EPERM", "it needs CAP_NET_RAW"},
}

// loadFilter loads a filter that answers a system call with EPERM.
func loadFilter(number uint32) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

func failures() []failure {
	var list []failure
	for _, l := range [][]failure{
		mountFailures, namespaceFailures, fileFailures, securityFailures, cgroupFailures,
	} {
		list = append(list, l...)
	}
	return list
}

// fails makes the call that fails, in new namespaces where it needs them.
func fails(arg string) int {
	runtime.LockOSThread() // filters and capabilities are a thread's
	name, dir, _ := strings.Cut(arg, ",")
	inside := strings.HasPrefix(name, "inside ")
	for _, f := range failures() {
		if f.name != strings.TrimPrefix(name, "inside ") {
			continue
		}
		if f.ns == 0 || inside {
			if !inside {
				mark()
			} else if f.ns&unix.CLONE_NEWNS != 0 {
				_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
			}
			f.do(dir)
			return 0
		}
		mark()
		return failInside(f, dir)
	}
	return 92
}

func failInside(f failure, dir string) int {
	attr := &syscall.SysProcAttr{Cloneflags: f.ns}
	if f.ns&unix.CLONE_NEWUSER != 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env:   []string{roleEnv + "=fails=inside " + f.name + "," + dir},
		Files: []uintptr{0, 1, 2}, Sys: attr,
	})
	if err != nil {
		return 91
	}
	var status unix.WaitStatus
	for errors.Is(wait(pid, &status), unix.EINTR) {
	}
	return status.ExitStatus()
}

// TestFailures lets calls fail, and finds the cause told.
func TestFailures(t *testing.T) {
	for _, f := range failures() {
		t.Run(strings.ReplaceAll(f.name, " ", "-"), func(t *testing.T) {
			if f.who == "root" && os.Geteuid() != 0 || f.who == "user" && os.Geteuid() == 0 ||
				!slices.Contains([]string{"", "root", "user"}, f.who) && !f.cgroups() {
				return // the other one's
			}
			dir := t.TempDir()
			s, exit := observe(t, "fails="+f.name+","+dir)
			require.Zero(t, exit)
			var last *Event
			for _, e := range s {
				if slices.Contains(strings.Split(f.call, "|"), e.Call) && e.Errno != "" && e.Class == Lesson {
					last = e
				}
			}
			require.NotNil(t, last, "no %s that fails", f.call)
			require.Regexp(t, "^("+f.errno+")$", last.Errno, last.Meaning)
			require.Regexp(t, f.want, last.Meaning)
		})
	}
}

// TestKernelLog: what the kernel writes into its log about a call is quoted.
func TestKernelLog(t *testing.T) {
	ktest.Root(t)
	s, _ := observe(t, "fails=overlay without work,"+t.TempDir())
	for _, e := range s {
		if e.Call == "mount" && e.Errno != "" {
			require.NotEmpty(t, e.Log)
			require.Contains(t, strings.Join(e.Log, "\n"), "overlay")
			return
		}
	}
	require.Fail(t, "no mount that fails")
}
