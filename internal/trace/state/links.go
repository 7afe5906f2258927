package state

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Links are where a process stands: its root and its working directory.
type Links struct{ root, cwd link }

type link struct {
	path string
	dev  uint64
	ino  uint64
}

// ReadLinks reads those of the thread tid.
func ReadLinks(tid int) Links {
	return Links{readLink(Proc(tid, "root")), readLink(Proc(tid, "cwd"))}
}

func readLink(path string) link {
	target, err := os.Readlink(path)
	if err != nil {
		return link{}
	}
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return link{path: target}
	}
	return link{target, st.Dev, st.Ino}
}

// Diff tells which of the two leads elsewhere now.
func (l *Links) Diff(after *Links, tid int) []Change {
	var changes []Change
	for _, d := range []struct {
		name       string
		was, would link
	}{{"root", l.root, after.root}, {"cwd", l.cwd, after.cwd}} {
		if d.was == d.would || d.was.path == "" || d.would.path == "" {
			continue
		}
		before, now := d.was.path, d.would.path
		if before == now {
			before, now = d.was.String(), d.would.String()
		}
		changes = append(changes, Change{Proc(tid, d.name), before, now, ""})
	}
	return changes
}

// String tells two directories of the same name apart.
func (l link) String() string {
	return fmt.Sprintf("%s (device %d:%d inode %d)",
		l.path, unix.Major(l.dev), unix.Minor(l.dev), l.ino)
}
