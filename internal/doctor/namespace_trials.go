package doctor

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// namespaceTrials are those of step 2 that make namespaces.
func namespaceTrials() []trial {
	return []trial{
		{
			id: "userns", name: "user namespace with maps", step: 2, who: userRoot, deed: isRoot,
			vital: true, loses: "everything without root",
		},
		{
			id: "mnt", name: "mount namespace", step: 2, ns: unix.CLONE_NEWNS,
			vital: true, loses: "steps 2 to 6",
		},
		{
			id: "pid", name: "PID namespace", step: 2, ns: unix.CLONE_NEWPID, deed: isFirst,
			vital: true, loses: "steps 2 to 6; --pid host goes without",
		},
		{
			id: "uts", name: "UTS namespace", step: 2, ns: unix.CLONE_NEWUTS, deed: setName,
			vital: true, loses: "steps 2 to 6",
		},
		{
			id: "ipc", name: "IPC namespace", step: 2, ns: unix.CLONE_NEWIPC,
			vital: true, loses: "steps 2 to 6; --ipc host goes without",
		},
		{
			id: "time", name: "time namespace", step: 2, deed: shiftClocks, loses: "--time-offset",
			ns: unix.CLONE_NEWNS,
		},
	}
}

// mountTrials are those of step 2 that make the container's own tree of files.
func mountTrials() []trial {
	const own = unix.CLONE_NEWNS | unix.CLONE_NEWPID
	return []trial{
		{
			id: "private", name: "mounts made private", step: 2, ns: mounts, deed: detach,
			vital: true, loses: "steps 2 to 6: the host would see the container's mounts",
		},
		{
			id: "tmpfs", name: "tmpfs", step: 2, ns: mounts, deed: mountTmpfs,
			vital: true, loses: "steps 2 to 6",
		},
		{
			id: "bind", name: "bind mount", step: 2, ns: mounts, deed: bindMount,
			vital: true, loses: "steps 2 to 6, --volume",
		},
		{
			id: "proc", name: "new /proc", step: 2, ns: own, deed: mountProc,
			vital: true, loses: "steps 2 to 6",
		},
		{
			id: "sysfs", name: "new /sys", step: 2, ns: own | unix.CLONE_NEWNET, deed: mountSysfs,
			loses: "the container's own interfaces in /sys; the host's are shown in place of it",
		},
		{
			id: "devpts", name: "terminals (devpts)", step: 2, ns: mounts, deed: mountDevpts,
			vital: true, loses: "steps 2 to 6, -t",
		},
		{
			id: "mqueue", name: "message queues (mqueue)", step: 2, deed: mountMqueue,
			ns: mounts | unix.CLONE_NEWIPC, loses: "/dev/mqueue",
		},
		{
			id: "mknod", name: "device nodes", step: 2, who: hostRoot, ns: mounts, deed: makeNode,
			vital: true, loses: "steps 2 to 6 as root",
		},
		{
			id: "pivot", name: "pivot_root", step: 2, ns: mounts, deed: pivot,
			vital: true, loses: "steps 2 to 6",
		},
		{
			id: "subid", name: "subordinate ids", step: 2, who: oneself, deed: subordinate,
			loses: "users other than root inside",
		},
		{
			id: "idmap", name: "mounts with mapped ids", step: 2, who: hostRoot, ns: mounts,
			deed: mapMount, loses: "--userns remap",
		},
	}
}

func isRoot(*place) (string, error) {
	if uid := os.Getuid(); uid != 0 {
		return "", fmt.Errorf("getuid: %d is not 0: %w", uid, unix.EPERM)
	}
	return "", nil
}

func isFirst(*place) (string, error) {
	if pid := os.Getpid(); pid != 1 {
		return "", fmt.Errorf("getpid: %d is not 1: %w", pid, unix.EPERM)
	}
	return "", nil
}

func setName(*place) (string, error) {
	if err := unix.Sethostname([]byte("doctor")); err != nil {
		return "", fmt.Errorf("sethostname: %w", err)
	}
	return "", nil
}

// shiftClocks makes a time namespace for children, and sets its clocks. That is allowed
// as long as nobody is in it: the runtime must start no thread in between, and so does
// not hear of these calls.
func shiftClocks(*place) (string, error) {
	file := fmt.Sprintf("/proc/%d/timens_offsets", unix.Gettid())
	fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", file, err)
	}
	defer unix.Close(fd)
	offsets := []byte("boottime 1 0\n")
	_, _, errno := unix.RawSyscall(unix.SYS_UNSHARE, unix.CLONE_NEWTIME, 0, 0)
	if errno != 0 {
		return "", fmt.Errorf("unshare CLONE_NEWTIME: %w", errno)
	}
	_, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd),
		uintptr(unsafe.Pointer(&offsets[0])), uintptr(len(offsets)))
	if errno != 0 {
		return "", fmt.Errorf("write %s: %w", file, errno)
	}
	return "", nil
}

func detach(*place) (string, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("mount / private: %w", err)
	}
	return "", nil
}

// mountOn mounts a new file system on a directory of the place.
func mountOn(p *place, fs string, flags uintptr, options string) (string, error) {
	if _, err := detach(p); err != nil {
		return "", err
	}
	if err := unix.Mount(fs, p.path("merged"), fs, flags, options); err != nil {
		return "", fmt.Errorf("mount %s on %s: %w", fs, p.path("merged"), err)
	}
	return "", nil
}

func mountTmpfs(p *place) (string, error) {
	return mountOn(p, "tmpfs", unix.MS_NOSUID, "mode=755,size=64k")
}

func mountProc(p *place) (string, error) {
	return mountOn(p, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

func mountSysfs(p *place) (string, error) {
	return mountOn(p, "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "")
}

func mountMqueue(p *place) (string, error) {
	return mountOn(p, "mqueue", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

func mountDevpts(p *place) (string, error) {
	if _, err := mountOn(p, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=620"); err != nil {
		return "", err
	}
	fd, err := unix.Open(p.path("merged/ptmx"), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", p.path("merged/ptmx"), err)
	}
	unix.Close(fd)
	return "", nil
}

func bindMount(p *place) (string, error) {
	if _, err := detach(p); err != nil {
		return "", err
	}
	if err := unix.Mount("/dev", p.path("merged"), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", fmt.Errorf("mount /dev on %s: %w", p.path("merged"), err)
	}
	return "", nil
}

// makeNode makes /dev/null once more.
func makeNode(p *place) (string, error) {
	if inUserNamespace() {
		return "root of a user namespace shows the host's", errUntried
	}
	if _, err := mountOn(p, "tmpfs", unix.MS_NOSUID, "mode=755,size=64k"); err != nil {
		return "", err
	}
	null := p.path("merged/null")
	if err := unix.Mknod(null, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return "", fmt.Errorf("mknod %s: %w", null, err)
	}
	fd, err := unix.Open(null, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", null, err)
	}
	unix.Close(fd)
	return "", nil
}

func pivot(p *place) (string, error) {
	if _, err := detach(p); err != nil {
		return "", err
	}
	root, err := p.newRoot()
	if err != nil {
		return "", err
	}
	if err := unix.Mount(root, root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", fmt.Errorf("mount %s on itself: %w", root, err)
	}
	if err := unix.Chdir(root); err != nil {
		return "", fmt.Errorf("chdir %s: %w", root, err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return "", fmt.Errorf("pivot_root %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return "", fmt.Errorf("umount the old root: %w", err)
	}
	return "", nil
}
