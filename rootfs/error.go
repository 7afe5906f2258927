package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Error is what Open and the commands could not do. It reads
// "rootfs PATH: cause".
type Error struct {
	Path  string // as the user gave it, or the name
	Err   error
	Hints []string // what may help, one sentence each
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("rootfs %s: %v", e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

const (
	hintKinds = "--rootfs takes a directory, a tar archive (plain, gzip, zstd, xz), " +
		"or a name that `kit rootfs ls` shows"
	hintCache = "KIT_CACHE names another directory for kit's root file systems, " +
		"as in: KIT_CACHE=/tmp/kit-cache kit ..."
	hintImage = "a container's file system comes from: " +
		"docker create --name c IMAGE && docker export c > root.tar"
)

// hinted gives an error a hint.
func hinted(err error, hints ...string) error {
	return &Error{Err: err, Hints: hints}
}

// wrap gives an error the path it is about, once, and the hints that hold for
// the cause.
func wrap(path string, err error) error {
	if err == nil {
		return nil
	}
	if path == "" {
		path = DefaultName
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Err: err, Hints: causeHints(err)}
	}
	if e.Path == "" {
		e.Path = path
	}
	return e
}

func causeHints(err error) []string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return []string{"the disk is full; nothing was left on it", hintCache}
	case errors.Is(err, syscall.EROFS):
		return []string{hintCache}
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return []string{fmt.Sprintf("you are user %d", os.Geteuid()), hintCache}
	case errors.Is(err, fs.ErrPermission):
		return []string{hintCache}
	}
	return nil
}

// pathCause takes the path off an error that will be told with one.
func pathCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
