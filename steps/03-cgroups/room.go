package cgroups

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hostCgroup is the name of the cgroup for the processes that makeRoom moves. No
// container can have it.
const hostCgroup = "kit-_host"

// makeRoom moves the processes of a cgroup one level down, beside the
// container's. A cgroup that was given to us, as to a container, has our shell in
// it and ourselves; but only the root may have both processes and controllers for
// those below it (cgroups(7), "no internal processes").
func makeRoom(dir string) error {
	leaf := dir + "/" + hostCgroup
	// The next kit finds it, and itself in it.
	if err := unix.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir %s: %w", leaf, err)
	}
	for range 10 { // processes may fork meanwhile
		if err := moveAll(dir, leaf); err != nil {
			return err
		}
		left, err := pids(dir)
		if len(left) == 0 {
			return err
		}
	}
	return fmt.Errorf("processes of %s: %w", dir, unix.EBUSY)
}

// moveAll moves the processes of one cgroup into another.
func moveAll(from, to string) error {
	list, err := pids(from)
	if err != nil {
		return err
	}
	for _, pid := range list {
		err := write(to+"/cgroup.procs", strconv.Itoa(pid))
		if err != nil && !errors.Is(err, unix.ESRCH) { // that one has just ended
			return err
		}
	}
	return nil
}

// giveRoomBack undoes makeRoom when the last of our containers there has gone.
func giveRoomBack(dir string) {
	leaf := dir + "/" + hostCgroup
	// Mostly there is none.
	if unix.Access(leaf, unix.F_OK) != nil || slices.ContainsFunc(children(dir), isOther) {
		return
	}
	enabled, err := words(dir + "/cgroup.subtree_control")
	if err != nil {
		return
	}
	for _, name := range enabled {
		if write(dir+"/cgroup.subtree_control", "-"+name) != nil {
			return
		}
	}
	_ = moveAll(leaf, dir)
	_ = removeCgroup(leaf)
}

func isOther(name string) bool { return strings.HasPrefix(name, "kit-") && name != hostCgroup }

// crowded tells that processes of a cgroup are in the way of controllers for those
// below it. They are not in the root, which has no file for what kind of cgroup it is.
func crowded(dir string) (bool, error) {
	// The one in a container looks like a root, and is none.
	err := unix.Access(dir+"/cgroup.type", unix.F_OK)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("access %s/cgroup.type: %w", dir, err)
	}
	list, err := pids(dir)
	return len(list) > 0, err
}

// pids are the processes in a cgroup, by the numbers that they have for us.
func pids(dir string) (list []int, err error) {
	all, err := words(dir + "/cgroup.procs")
	for _, word := range all {
		// One that our PID namespace does not know has the number 0.
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			list = append(list, pid)
		}
	}
	return list, err
}

// children are the names of the cgroups in a cgroup.
func children(dir string) (names []string) {
	var found unix.Stat_t
	// A directory has two links, and one more for each directory in it.
	if unix.Stat(dir, &found) != nil || found.Nlink <= 2 {
		return nil
	}
	// To list it.
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	// The names stay.
	defer unix.Close(fd)
	buf := make([]byte, 16<<10)
	for {
		// Files and directories, a buffer full at a time.
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n == 0 {
			return slices.DeleteFunc(names, func(name string) bool {
				// Is it a cgroup, or one of the files?
				return strings.Contains(name, "cgroup.") ||
					unix.Stat(path.Join(dir, name), &found) != nil || found.Mode&unix.S_IFMT != unix.S_IFDIR
			})
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}
