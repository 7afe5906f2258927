package container

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// sealedSelf opens this program's file so that it can be executed but not
// written to. What runs from it is safe against a container that opens
// /proc/PID/exe for writing, and so replaces the program on the host
// (CVE-2019-5736).
func sealedSelf() (*os.File, error) {
	fd, err := readOnlySelf()
	if err != nil {
		fd, err = memorySelf()
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "kit"), nil
}

// readOnlySelf is a read-only mount of the program's file that is attached
// nowhere, so nobody can remount it. It needs Linux 5.12 (mount_setattr(2)).
func readOnlySelf() (int, error) {
	// Where does our program's file lie?
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return -1, err
	}
	// A mount of our own program's file, attached nowhere.
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open_tree %s: %w", path, err)
	}
	if err := sameAsSelf(fd); err != nil {
		// Not ours: let go of it.
		unix.Close(fd)
		return -1, err
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	// Make it read-only: what runs from it cannot be overwritten from inside.
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &readOnly); err != nil {
		// Not read-only: not safe to run from.
		unix.Close(fd)
		return -1, fmt.Errorf("mount_setattr %s: %w", path, err)
	}
	return fd, nil
}

// sameAsSelf refuses a file that has taken our program's place on the disk.
func sameAsSelf(fd int) error {
	var got, want unix.Stat_t
	// Is it really the file we run from?
	if err := unix.Fstat(fd, &got); err != nil {
		return fmt.Errorf("fstat: %w", err)
	}
	// The kernel's own link knows.
	if err := unix.Stat("/proc/self/exe", &want); err != nil {
		return fmt.Errorf("stat /proc/self/exe: %w", err)
	}
	if got.Dev != want.Dev || got.Ino != want.Ino {
		return fmt.Errorf("the program has been replaced since it was started")
	}
	return nil
}

// memorySelf is a copy of the program in memory that can no longer be changed
// (memfd_create(2), F_SEAL_WRITE in fcntl(2)), for kernels without
// mount_setattr.
func memorySelf() (int, error) {
	// The program, to be read from beginning to end.
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return -1, err
	}
	defer exe.Close()
	info, err := exe.Stat()
	if err != nil {
		return -1, err
	}
	// A file that exists only in memory takes a copy of the program.
	fd, err := unix.MemfdCreate("kit", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	for left := info.Size(); left > 0; {
		// Copy within the kernel.
		n, err := unix.Sendfile(fd, int(exe.Fd()), nil, int(left))
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			// Half a program is no program.
			unix.Close(fd)
			return -1, fmt.Errorf("sendfile /proc/self/exe: %w", err)
		}
		left -= int64(n)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	// Seal it: from now on nobody can write to the copy, whoever opens it.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		// Without the seals it could be overwritten from inside.
		unix.Close(fd)
		return -1, fmt.Errorf("fcntl F_ADD_SEALS: %w", err)
	}
	return fd, nil
}
