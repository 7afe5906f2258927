package vm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A MissingError is something that a machine needs and that is not here.
type MissingError struct {
	What string // a program, or "kernel"
	Err  error
}

func (e *MissingError) Error() string { return fmt.Sprintf("%s: %v", e.What, e.Err) }

func (e *MissingError) Unwrap() error { return e.Err }

// Tools looks for the programs that a machine of that architecture needs.
func Tools(arch string) error {
	for _, name := range []string{qemu(arch), "mke2fs"} {
		if _, err := exec.LookPath(name); err != nil {
			return &MissingError{name, errors.New("not installed")}
		}
	}
	return nil
}

// FindKernel finds a kernel and its modules: below top, which is "/" or the
// directory that a kernel's package was unpacked to. It prefers the one that runs.
func FindKernel(top string) (kernel, modules string, err error) {
	files, err := filepath.Glob(filepath.Join(top, "boot/vmlinuz-*"))
	if err != nil {
		return "", "", err
	}
	slices.Sort(files)
	slices.Reverse(files) // the newest, more or less
	if top == "/" {
		files = append([]string{"/boot/vmlinuz-" + release()}, files...)
	}
	err = fmt.Errorf("%s/boot has none: %w", strings.TrimSuffix(top, "/"), fs.ErrNotExist)
	for _, file := range files {
		version := strings.TrimPrefix(filepath.Base(file), "vmlinuz-")
		f, openErr := os.Open(file)
		if openErr != nil {
			if !errors.Is(openErr, fs.ErrNotExist) {
				err = openErr
			}
			continue
		}
		f.Close()
		for _, dir := range []string{"lib/modules", "usr/lib/modules"} {
			modules := filepath.Join(top, dir, version)
			if _, err := os.Stat(modules); err == nil {
				return file, modules, nil
			}
		}
		err = fmt.Errorf("%s: no modules in lib/modules/%s", file, version)
	}
	return "", "", &MissingError{"kernel", err}
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
