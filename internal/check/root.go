package check

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// rootExercises are those of step 1: "/".
func rootExercises() []exercise {
	return []exercise{
		{1, "root", "a root directory of its own", 4, (*process).checkRoot},
		{1, "cwd", "a working directory inside of it", 2, (*process).checkCwd},
		{1, "program", "a program that comes from it", 2, (*process).checkProgram},
		{1, "descriptors", "no open directory outside of it", 2, (*process).checkDescriptors},
	}
}

// noRoot is the verdict on what is inside of a root directory where there is no own one.
func (p *process) noRoot() (v verdict, missing bool) {
	if p.rootErr != nil {
		return unknown(p.rootErr), true
	}
	if !p.ownRoot() {
		return after("all of the host is inside of its root", "a root directory of its own"), true
	}
	return verdict{}, false
}

func (p *process) checkRoot() verdict {
	if p.rootErr != nil {
		return unknown(p.rootErr)
	}
	if p.ownRoot() {
		return yes("%s, which is not yours (%s)", p.rootID, p.myRoot)
	}
	return no(fmt.Sprintf("it is yours: %s", p.rootID),
		fmt.Sprintf("Where do paths that begin with / start for this process? "+
			"Compare ls -di / with ls -di /proc/%d/root/.", p.pid),
		"Every process has a root directory, which children inherit: chroot(2) changes it, and "+
			"pivot_root(2) changes the mount that it is on. What changed in another process "+
			"does not count.",
		fmt.Sprintf(`Its root is the host's (%s): chroot("/path/of/your/root") and chdir("/") `+
			"in the process itself, right before its execve.", p.rootID))
}

func (p *process) checkCwd() verdict {
	if v, missing := p.noRoot(); missing {
		return v
	}
	fd, err := unix.Open(procfs.Path(p.pid, "cwd"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return unknown(err)
	}
	defer unix.Close(fd)
	ok, err := inside(fd, p.rootID)
	if err != nil {
		return unknown(err)
	}
	if ok {
		return yes("from %s the way up ends at its root", p.them.Cwd)
	}
	return no(fmt.Sprintf("from %s the way up leads past its root to the host's", p.them.Cwd),
		fmt.Sprintf("Where does a path that does not begin with / start? readlink /proc/%d/cwd",
			p.pid),
		"The kernel stops .. at the root directory only when it comes by it. chroot(2) does not "+
			"change the working directory: one that is outside leads out.",
		fmt.Sprintf(`Its working directory is still %s: chdir("/") right after chroot or `+
			"pivot_root.", p.them.Cwd))
}

// checkProgram looks whether the file that runs is the one of that name below its root.
func (p *process) checkProgram() verdict {
	if v, missing := p.noRoot(); missing {
		return v
	}
	running, err := placeAt(procfs.Path(p.pid, "exe"))
	if err != nil {
		return unknown(err)
	}
	name, ok := p.within(p.them.Exe)
	if ok {
		if fd, err := p.beneath(name); err == nil {
			defer unix.Close(fd)
			if found, err := placeOf(fd); err == nil && found.sameFile(running) {
				return yes("%s of its own root", name)
			}
		}
	}
	return no(fmt.Sprintf("%s is not a file of its root", p.them.Exe),
		fmt.Sprintf("Which file does this process run? readlink /proc/%d/exe", p.pid),
		"chroot(2) changes where paths lead from now on. The program that already runs is the "+
			"old one until execve(2) looks one up below the new root; it needs its ELF "+
			"interpreter and libraries there (ld.so(8)).",
		fmt.Sprintf(`It still runs %s: execve("/bin/sh", ...) behind the change of root, with a `+
			"path of the new root.", p.them.Exe))
}

// within is a path below the process's root: the link of a program is told as the reader
// would have to walk to it, or from the top of the mount namespace it is in.
func (p *process) within(path string) (string, bool) {
	root := strings.TrimSuffix(p.them.Root, "/")
	name, ok := strings.CutPrefix(path, root+"/")
	return "/" + name, ok
}

func (p *process) checkDescriptors() verdict {
	if v, missing := p.noRoot(); missing {
		return v
	}
	entries, err := os.ReadDir(procfs.Path(p.pid, "fd"))
	if err != nil {
		return unknown(err)
	}
	for _, e := range entries {
		path := procfs.Path(p.pid, "fd/"+e.Name())
		outside, err := p.leadsOut(path)
		if err != nil {
			return unknown(err)
		}
		if !outside {
			continue
		}
		target, _ := os.Readlink(path)
		return no(fmt.Sprintf("descriptor %s is the directory %s outside", e.Name(), target),
			fmt.Sprintf("What was open when the root changed? ls -l /proc/%d/fd", p.pid),
			"An open directory is a way to all above it: openat(2) and fchdir(2) start there, and "+
				"no root directory is on the way. Descriptors survive fork and, without "+
				"FD_CLOEXEC, execve (CVE-2024-21626 of runc was one).",
			fmt.Sprintf("Descriptor %s leads to %s: open with O_CLOEXEC, or close_range(3, ~0U, "+
				"CLOSE_RANGE_CLOEXEC) before execve.", e.Name(), target))
	}
	return yes("%s open, none of them a directory outside", count(len(entries), "descriptor"))
}

// leadsOut tells that an open file is a directory outside of the root.
func (p *process) leadsOut(path string) (bool, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENOENT) {
		return false, nil // no directory, or closed meanwhile
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	ok, err := inside(fd, p.rootID)
	return !ok, err
}

// count is like "1 link" and "3 links".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
