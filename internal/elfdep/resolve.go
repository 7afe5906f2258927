package elfdep

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links the kernel follows in one path
// (path_resolution(7)).
const maxLinks = 40

// Resolve gives the path below root, free of symbolic links, of the file that
// a process sees at p whose root is root.
func Resolve(root, p string) (string, error) {
	_, file, err := resolve(root, p)
	return file, err
}

// resolve also gives the symbolic links it followed, each by a path that is
// itself free of links.
func resolve(root, p string) (links []string, file string, err error) {
	cur, rest := "/", strings.Split(p, "/")
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			cur = path.Dir(cur)
			continue
		}
		next := path.Join(cur, name)
		target, err := readLink(root + next)
		if err != nil {
			return nil, "", &fs.PathError{Op: "lstat", Path: next, Err: err}
		}
		if target == "" {
			cur = next
			continue
		}
		links = append(links, next)
		if len(links) > maxLinks {
			return nil, "", &fs.PathError{Op: "lstat", Path: p, Err: syscall.ELOOP}
		}
		if path.IsAbs(target) {
			cur = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return links, cur, nil
}

// readLink gives "" for a file that is no symbolic link.
func readLink(p string) (string, error) {
	info, err := os.Lstat(p)
	if err != nil {
		return "", unwrapPath(err)
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return "", nil
	}
	return os.Readlink(p)
}
