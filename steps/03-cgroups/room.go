package cgroups

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hostCgroup is the name of the cgroup for the processes that makeRoom moves.
const hostCgroup = "kit-host"

// makeRoom enables a controller where there are processes: only a root may have
// both (cgroups(7), "no internal processes"). A cgroup that was given to us, to a
// container for example, is no root, and has its shell in it and ourselves. All
// of them move one level down, beside the container's cgroup.
func makeRoom(dir, name string) error {
	leaf := dir + "/" + hostCgroup
	// The next kit finds it, and itself in it.
	if err := unix.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	for range 10 { // processes may fork meanwhile
		if err := moveAll(dir, leaf); err != nil {
			return err
		}
		if err := enableIn(dir, name); !errors.Is(err, unix.EBUSY) {
			return err
		}
	}
	return unix.EBUSY
}

// moveAll moves the processes of one cgroup into another.
func moveAll(from, to string) error {
	for _, pid := range pids(from) {
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
	names := children(dir)
	if !slices.Equal(names, []string{hostCgroup}) {
		return
	}
	for _, name := range words(dir + "/cgroup.subtree_control") {
		if write(dir+"/cgroup.subtree_control", "-"+name) != nil {
			return
		}
	}
	_ = moveAll(leaf, dir)
	_ = removeCgroup(leaf)
}

// pids are the processes in a cgroup, by the numbers that they have for us.
func pids(dir string) (list []int) {
	for _, word := range words(dir + "/cgroup.procs") {
		// One that our PID namespace does not know has the number 0.
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			list = append(list, pid)
		}
	}
	return list
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
