package oracle

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A place is where a path leads, as the thread that has failed sees it: from its root,
// its working directory or an open one (path_resolution(7)).
type place struct {
	name string // as the call has it
	path string // as far as it has been followed
	link string // the last symbolic link on the way
	root string // the thread's root directory: a path in our /proc, as are at and dir
	at   string // what is there, where the way has ended
	dir  string // the directory in which that is
	err  unix.Errno
	stat unix.Stat_t // of at
	more bool        // that was not the last part of the path
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// emptyPaths are the flags with which move_mount(2) takes the place of a descriptor.
const emptyPaths = unix.MOVE_MOUNT_F_EMPTY_PATH | unix.MOVE_MOUNT_T_EMPTY_PATH

// look follows a path from a directory. With follow, also the link that it may end in.
func (c *Call) look(base int, name string, follow bool) *place {
	p := &place{name: name, root: c.proc("root"), path: "/"}
	p.at = p.root
	switch {
	case strings.HasPrefix(name, "/"):
	case base == unix.AT_FDCWD:
		p.at, p.path = c.proc("cwd"), ""
	default:
		p.at = c.proc("fd/" + strconv.Itoa(base))
		p.path = c.Frame.Memory.Path(base)
	}
	p.dir = p.at
	p.set(unix.Stat(p.at, &p.stat))
	switch {
	case name != "":
		c.follow(p, strings.Split(name, "/"), follow)
	case c.index("flags") < 0 || c.arg("flags")&(unix.AT_EMPTY_PATH|emptyPaths) == 0:
		p.err = unix.ENOENT
	}
	return p
}

// follow goes the parts of a path, one by one.
func (c *Call) follow(p *place, parts []string, last bool) {
	links := 0
	for len(parts) > 0 && p.err == 0 {
		part := parts[0]
		parts = parts[1:]
		p.more = strings.Trim(strings.Join(parts, ""), ".") != ""
		switch {
		case part == "" || part == ".":
			continue
		case p.stat.Mode&unix.S_IFMT != unix.S_IFDIR:
			p.err, p.more = unix.ENOTDIR, true
			return
		case !c.may(&p.stat, unix.X_OK):
			p.err, p.more = unix.EACCES, true
			return
		case part == "..":
			p.up()
			continue
		}
		p.dir = p.at
		p.at, p.path = p.at+"/"+part, path.Join(p.path, part)
		p.set(unix.Lstat(p.at, &p.stat))
		if p.err != 0 || p.stat.Mode&unix.S_IFMT != unix.S_IFLNK || !last && len(parts) == 0 {
			continue
		}
		if links++; links > maxLinks {
			p.err = unix.ELOOP
			return
		}
		parts = append(c.readlink(p, part), parts...)
	}
}

// readlink returns the parts to which a symbolic link leads.
func (c *Call) readlink(p *place, part string) []string {
	p.link = p.path
	target, err := os.Readlink(p.at)
	var fs unix.Statfs_t
	if unix.Statfs(p.dir, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC {
		if part != "self" && part != "thread-self" {
			p.set(unix.Stat(p.at, &p.stat)) // only the kernel can follow it
			return nil
		}
		ids := strings.Fields(c.line("NStgid"))
		target, err = ids[len(ids)-1], nil
	}
	p.set(err)
	p.at, p.path = p.dir, path.Dir(p.path)
	if strings.HasPrefix(target, "/") {
		p.at, p.path = p.root, "/"
	}
	p.set(unix.Stat(p.at, &p.stat))
	return strings.Split(target, "/")
}

// up is "..", which at the root directory leads nowhere.
func (p *place) up() {
	var root unix.Stat_t
	if unix.Stat(p.root, &root) == nil && root.Dev == p.stat.Dev && root.Ino == p.stat.Ino {
		return
	}
	p.at, p.path = p.at+"/..", path.Dir(p.path)
	p.dir = p.at
	p.set(unix.Stat(p.at, &p.stat))
}

func (p *place) set(err error) {
	p.err = 0
	if err != nil && !errors.As(err, &p.err) {
		p.err = unix.EIO
	}
}

// is tells a type of file: S_IFDIR and others.
func (p *place) is(kind uint32) bool { return p.err == 0 && p.stat.Mode&unix.S_IFMT == kind }

// way says on the way to what something has been found.
func (p *place) way() string {
	switch {
	case p.link != "":
		return ", to which the symbolic link " + p.link + " leads"
	case p.more && p.path != path.Clean(p.name):
		return ", on the way to " + p.name
	}
	return ""
}

// kind is what is there, in words.
func (p *place) kind() string {
	switch p.stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device"
	case unix.S_IFIFO:
		return "a pipe"
	case unix.S_IFSOCK:
		return "a socket"
	}
	return "a file"
}

// same tells whether two places are one.
func same(a, b *unix.Stat_t) bool { return a.Dev == b.Dev && a.Ino == b.Ino }

// noFollow are the calls that do not follow a symbolic link at the end of a path.
const noFollow = " lstat unlink unlinkat rmdir mkdir mkdirat mknod mknodat symlink symlinkat " +
	"readlink readlinkat lchown rename renameat renameat2 link linkat "

// places are where the paths of the call lead.
func (c *Call) places() []*place {
	var list []*place
	base := unix.AT_FDCWD
	follow := !strings.Contains(noFollow, " "+c.Name+" ")
	if i := c.index("flags"); i >= 0 {
		switch c.params[i].Kind {
		case "at", "ataccess", "opentree":
			follow = follow && c.Frame.Args[i]&unix.AT_SYMLINK_NOFOLLOW == 0
		case "open":
			follow = follow && c.Frame.Args[i]&unix.O_NOFOLLOW == 0 &&
				c.Frame.Args[i]&(unix.O_CREAT|unix.O_EXCL) != unix.O_CREAT|unix.O_EXCL
		}
	}
	for i, p := range c.params {
		switch p.Kind {
		case "dirfd":
			base = int(int32(c.Frame.Args[i]))
		case "path":
			if name, ok := c.Frame.Memory.String(c.Frame.Args[i]); ok {
				list = append(list, c.look(base, name, follow))
			}
			base = unix.AT_FDCWD
		}
	}
	if c.Name == "mount" && c.arg("mountflags")&(unix.MS_BIND|unix.MS_MOVE) != 0 &&
		c.arg("mountflags")&unix.MS_REMOUNT == 0 {
		list = append(list, c.look(unix.AT_FDCWD, c.text("source"), true))
	}
	return list
}
