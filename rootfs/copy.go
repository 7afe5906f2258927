package rootfs

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// skeleton holds the files of /etc and /root that kit brings along.
//
//go:embed all:skeleton
var skeleton embed.FS

// directories are those of a root file system, with their modes; /dev stays
// empty, for a step fills it.
const directories = "bin=755 boot=755 dev=755 etc=755 home=755 home/guest=755 media=755 mnt=755 " +
	"opt=755 proc=755 root=700 run=755 sbin=755 srv=755 sys=755 tmp=1777 usr=755 usr/local=755 " +
	"usr/local/bin=755 var=755 var/cache=755 var/lib=755 var/log=755 var/tmp=1777"

// copyFile copies the file or symbolic link at the host's p to the same path
// below root and gives its size. Set-user-ID bits and file capabilities stay
// behind. The tree below root is new, and nobody else writes to it.
func copyFile(root, p string) (int64, error) {
	dst := filepath.Join(root, p)
	if err := os.MkdirAll(path.Dir(dst), 0o755); err != nil {
		return 0, err
	}
	info, err := os.Lstat(p)
	if err != nil {
		return 0, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(p)
		if err != nil {
			return 0, err
		}
		return 0, os.Symlink(target, dst)
	case info.IsDir():
		return 0, os.MkdirAll(dst, 0o755)
	case info.Mode().IsRegular():
		return copyRegular(dst, p)
	}
	return 0, fmt.Errorf("copy %s: not a regular file", p)
}

// copyRegular lets the kernel copy, or share the blocks where the file system
// can (copy_file_range(2)).
func copyRegular(dst, src string) (int64, error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return 0, err
	}
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	err = cmp.Or(err, out.Chmod(info.Mode().Perm()), out.Close())
	if err != nil {
		return 0, err
	}
	return n, os.Chtimes(dst, time.Time{}, info.ModTime())
}

// sizeOf sums up the regular files.
func sizeOf(files []string) (sum int64) {
	for _, p := range files {
		if info, err := os.Lstat(p); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
	}
	return sum
}

// finish adds to dir's root what all made root file systems have: the
// directories, the skeleton and kit.
func finish(dir string) error {
	root := filepath.Join(dir, "root")
	if err := makeDirectories(root); err != nil {
		return err
	}
	if err := writeSkeleton(root); err != nil {
		return err
	}
	for link, target := range map[string]string{
		"var/run": "/run", "etc/mtab": "/proc/self/mounts",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			return err
		}
	}
	if os.Geteuid() == 0 {
		// The user that --user guest runs the command as.
		err := os.Chown(filepath.Join(root, "home/guest"), 1000, 1000)
		if err != nil && !errors.Is(err, syscall.EINVAL) { // a user namespace without that id
			return err
		}
	}
	return writeKit(dir)
}

func makeDirectories(root string) error {
	for field := range strings.FieldsSeq(directories) {
		name, octal, _ := strings.Cut(field, "=")
		dir := filepath.Join(root, name)
		if exists(dir) && !isDir(dir) {
			continue // The machine's /bin is a link.
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(dir, fileMode(octal)); err != nil {
			return err
		}
	}
	return nil
}

// fileMode reads 755 or, for a directory like /tmp, 1777.
func fileMode(octal string) fs.FileMode {
	bits, _ := strconv.ParseUint(octal, 8, 32)
	mode := fs.FileMode(bits)
	if mode&0o1000 != 0 {
		return mode.Perm() | fs.ModeSticky
	}
	return mode.Perm()
}

func isDir(p string) bool {
	info, err := os.Lstat(p)
	return err == nil && info.IsDir()
}

func writeSkeleton(root string) error {
	return fs.WalkDir(skeleton, "skeleton", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := skeleton.ReadFile(p)
		if err != nil {
			return err
		}
		dst := filepath.Join(root, strings.TrimPrefix(p, "skeleton"))
		if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(dst, text, 0o644); err != nil {
			return err
		}
		return os.Chmod(dst, 0o644)
	})
}
