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
		{
			1, "root", "a root directory of its own", 4, (*process).checkRoot,
			"Where do paths that begin with / start for this process? " +
				"Compare ls -di / with ls -di /proc/{pid}/root/.",
			"Every process has a root directory, which children inherit: chroot(2) changes it, and " +
				"pivot_root(2) the mount that it is on. What another process changed for itself " +
				"does not count.",
		},
		{
			1, "cwd", "a working directory inside of it", 2, (*process).checkCwd,
			"Where does a path start that does not begin with /? readlink /proc/{pid}/cwd",
			"The kernel stops .. at the root directory only when it comes by there. chroot(2) does " +
				"not change the working directory: one that is outside leads out.",
		},
		{
			1, "program", "a program that comes from it", 2, (*process).checkProgram,
			"Which file does this process run? readlink /proc/{pid}/exe",
			"chroot(2) changes where paths lead from now on. The program that already runs is the " +
				"old one until execve(2) looks one up below the new root, where it needs its ELF " +
				"interpreter and libraries, too (ld.so(8)).",
		},
		{
			1, "descriptors", "no open directory outside of it", 2, (*process).checkDescriptors,
			"What was open when the root changed? ls -l /proc/{pid}/fd",
			"An open directory is a way to all above it: openat(2) and fchdir(2) start there, and no " +
				"root directory is on the way. Descriptors survive fork and, without FD_CLOEXEC, " +
				"execve (CVE-2024-21626 of runc was one).",
		},
	}
}

// inRoot is the verdict v, or that there is no root of its own to look into.
func (p *process) inRoot(v func() verdict, call string) verdict {
	if p.rootErr != nil {
		return unknown(p.rootErr)
	}
	if !p.ownRoot() {
		return no("all of the host is inside of its root", call).unless("a root directory of its own")
	}
	return v()
}

func (p *process) checkRoot() verdict {
	if p.rootErr != nil {
		return unknown(p.rootErr)
	}
	if p.ownRoot() {
		return yes("%s, which is not yours (%s)", p.rootID, p.myRoot)
	}
	return no(fmt.Sprintf("it is yours: %s", p.rootID),
		fmt.Sprintf(`Its root is the host's (%s): chroot("/path/of/your/root") and chdir("/") `+
			"in the process itself, right before its execve.", p.rootID))
}

func (p *process) checkCwd() verdict {
	call := fmt.Sprintf(`Its working directory is %s: chdir("/") right after chroot or pivot_root.`,
		p.them.Cwd)
	return p.inRoot(func() verdict {
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
		return no(fmt.Sprintf("from %s the way up leads past its root", p.them.Cwd), call)
	}, call)
}

// checkProgram looks whether the file that runs is the one of that name below its root. An
// init that came from outside does where its child is such a one.
func (p *process) checkProgram() verdict {
	call := fmt.Sprintf(`It runs %s: execve("/bin/sh", ...) behind the change of root, with a path `+
		"of the new root.", p.them.Exe)
	return p.inRoot(func() verdict {
		name, ok, err := p.program(p.pid)
		if err != nil {
			return unknown(err)
		}
		if ok {
			return yes("%s of its own root", name)
		}
		for _, child := range children(p.pid) {
			root, err := placeAt(procfs.Path(child, "root/."))
			if err != nil || !root.sameFile(p.rootID) {
				continue
			}
			if name, ok, _ := p.program(child); ok {
				return yes("%s of its own root, in its child %d", name, child)
			}
		}
		return no(fmt.Sprintf("%s is not a file of its root", p.them.Exe), call)
	}, call)
}

// program tells which file of the root a process runs, if it is one.
func (p *process) program(pid int) (name string, ok bool, err error) {
	exe := procfs.Path(pid, "exe")
	running, err := placeAt(exe)
	if err != nil {
		return "", false, err
	}
	link, err := os.Readlink(exe)
	if err != nil {
		return "", false, err
	}
	name, ok = p.within(link)
	return name, ok && p.holds(name, running), nil
}

// within is a path below the process's root. The kernel tells the links of a process as the
// reader would walk there, or from the top of the mount namespace that they are in.
func (p *process) within(path string) (string, bool) {
	root := strings.TrimSuffix(p.them.Root, "/")
	name, ok := strings.CutPrefix(path, root+"/")
	return "/" + name, ok
}

// holds tells that a name leads to a file inside.
func (p *process) holds(name string, file place) bool {
	fd, err := p.beneath(name)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	found, err := placeOf(fd)
	return err == nil && found.sameFile(file)
}

func (p *process) checkDescriptors() verdict {
	const call = "Open with O_CLOEXEC, and close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) before execve."
	return p.inRoot(func() verdict {
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
			if target, _ := os.Readlink(path); outside {
				return no(fmt.Sprintf("descriptor %s is the directory %s outside", e.Name(), target),
					fmt.Sprintf("Descriptor %s leads to %s. %s", e.Name(), target, call))
			}
		}
		return yes("%s open, none of them a directory outside", count(len(entries), "descriptor"))
	}, call)
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
