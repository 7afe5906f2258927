package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// waiting is the trial of a process that does nothing until its input ends.
const waiting = "waiting"

// inner starts a process in a user namespace, and others (CLONE_NEW*), that waits.
func inner(maps []syscall.SysProcIDMap, flags uintptr) (pid int, end func(), err error) {
	cmd := again(waiting)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | flags, Pdeathsig: unix.SIGKILL,
		UidMappings: maps, GidMappings: maps, GidMappingsEnableSetgroups: os.Geteuid() == 0,
	}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, &container.CloneError{Flags: cmd.SysProcAttr.Cloneflags, Err: errno(err)}
	}
	return cmd.Process.Pid, func() { hold.Close(); _ = cmd.Wait() }, nil
}

// mapMount makes a mount of the place's directory with the ids of a user namespace.
func mapMount(p *place) (string, error) {
	const first, size = 100000, 1 << 16
	ids, err := procfs.IDMap(0, "uid_map")
	if err != nil {
		return "", err
	}
	if _, ok := ids.Outside(first + size - 1); !ok {
		return "", fmt.Errorf("uid_map: no ids up to %d here: %w", first+size-1, unix.EPERM)
	}
	pid, end, err := inner([]syscall.SysProcIDMap{{HostID: first, Size: size}}, 0)
	if err != nil {
		return "", err
	}
	defer end()
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/user", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open /proc/%d/ns/user: %w", pid, err)
	}
	defer unix.Close(ns)
	root, err := p.newRoot()
	if err != nil {
		return "", err
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, root, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("open_tree %s: %w", root, err)
	}
	defer unix.Close(fd)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns)}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return "", fmt.Errorf("mount_setattr %s MOUNT_ATTR_IDMAP: %w", root, err)
	}
	return fileSystem(p.dir), nil
}

// subordinate maps a range of ids that /etc/subuid gives to us, with the helpers, which
// alone may do that.
func subordinate(*place) (string, error) {
	if os.Geteuid() == 0 {
		return "root maps any ids itself", errUntried
	}
	for _, helper := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(helper); err != nil {
			return "", fmt.Errorf("%s: not installed: %w", helper, unix.ENOENT)
		}
	}
	pid, end, err := inner(nil, 0)
	if err != nil {
		return "", err
	}
	defer end()
	found := ""
	for _, h := range []struct {
		helper, file string
		own          int
	}{{"newuidmap", "/etc/subuid", os.Getuid()}, {"newgidmap", "/etc/subgid", os.Getgid()}} {
		sub, err := ownRange(h.file)
		if err != nil {
			return "", err
		}
		out, err := exec.Command(h.helper, strconv.Itoa(pid), "0", strconv.Itoa(h.own), "1",
			"1", strconv.FormatInt(sub.SubID, 10), strconv.FormatInt(sub.Count, 10)).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s: %w: %s: %w", h.helper, err, out, unix.EPERM)
		}
		found = fmt.Sprintf("%d from %d on", sub.Count, sub.SubID)
	}
	return found, nil
}

// ownRange is the first range of ids that the file gives to us, by name or uid.
func ownRange(file string) (r user.SubID, err error) {
	uid := strconv.Itoa(os.Getuid())
	name := uid
	if u, err := user.CurrentUser(); err == nil {
		name = u.Name
	}
	// A user may have a range by name or by uid.
	list, err := user.ParseSubIDFileFilter(file, func(s user.SubID) bool {
		return (s.Name == name || s.Name == uid) && s.Count > 0
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("%s: %w", file, err)
	}
	if len(list) == 0 {
		return r, fmt.Errorf("%s: no ids for %s: %w", file, name, unix.ENOENT)
	}
	return list[0], nil
}
