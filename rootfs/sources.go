package rootfs

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A stamp tells a file from its later self without reading it. The zero stamp
// is that of a file that is not there.
type stamp struct {
	size  int64
	mtime int64 // nanoseconds since the epoch
	inode uint64
}

// stampOf does not follow a symbolic link. dir is an open directory or
// unix.AT_FDCWD.
func stampOf(dir int, name string) stamp {
	var st unix.Stat_t
	if unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return stamp{}
	}
	return newStamp(&st)
}

// kitStamp is that of the running program.
func kitStamp() stamp {
	var st unix.Stat_t
	if unix.Stat("/proc/self/exe", &st) != nil {
		return stamp{}
	}
	return newStamp(&st)
}

func newStamp(st *unix.Stat_t) stamp {
	return stamp{size: st.Size, mtime: st.Mtim.Nano(), inode: st.Ino}
}

func (s stamp) String() string { return fmt.Sprintf("%d %d %d", s.size, s.mtime, s.inode) }

// cutStamp reads what String wrote, and gives the rest of the line.
func cutStamp(line string) (s stamp, rest string, ok bool) {
	var fields [3]string
	rest = line
	for i := range fields {
		fields[i], rest, _ = strings.Cut(rest, " ")
	}
	var errs [3]error
	s.size, errs[0] = strconv.ParseInt(fields[0], 10, 64)
	s.mtime, errs[1] = strconv.ParseInt(fields[1], 10, 64)
	s.inode, errs[2] = strconv.ParseUint(fields[2], 10, 64)
	return s, rest, errs == [3]error{}
}

// sourcesText lists the stamps of paths by directory, after the directory's
// own. Those that are not there are included: once one is, the root file system
// is to be made anew.
//
//	/usr/bin
//	24576 1763843000000000000 5021
//	151344 1663759800000000000 5188 cat
func sourcesText(paths []string) []byte {
	var b bytes.Buffer
	last := ""
	for _, p := range slices.SortedFunc(slices.Values(paths), byDirectory) {
		if dir := path.Dir(p); dir != last {
			fmt.Fprintf(&b, "%s\n%v\n", dir, stampOf(unix.AT_FDCWD, dir))
			last = dir
		}
		fmt.Fprintf(&b, "%v %s\n", stampOf(unix.AT_FDCWD, p), path.Base(p))
	}
	return b.Bytes()
}

func byDirectory(a, b string) int {
	return cmp.Or(strings.Compare(path.Dir(a), path.Dir(b)), strings.Compare(a, b))
}

// sameDirs tells that no directory of a list has changed, which is when files
// are added to it, removed or replaced, as package managers do. A file that is
// written to in place shows only by unchanged.
func sameDirs(text string) bool {
	for next, rest := "", text; rest != ""; {
		next, rest, _ = strings.Cut(rest, "\n")
		if !strings.HasPrefix(next, "/") {
			continue
		}
		line, _, _ := strings.Cut(rest, "\n")
		was, _, ok := cutStamp(line)
		if !ok || stampOf(unix.AT_FDCWD, next) != was {
			return false
		}
	}
	return text != ""
}

// unchanged tells that all files of a list still are what they were. It costs
// one fstatat(2) for each.
func unchanged(text string) bool {
	dir := -1
	defer func() { unix.Close(dir) }()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "/") {
			unix.Close(dir)
			// A directory that is gone has none of its files.
			dir, _ = unix.Open(line, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			continue
		}
		was, name, ok := cutStamp(line)
		if name != "" && (!ok || stampOf(dir, name) != was) {
			return false
		}
	}
	return text != ""
}

// restamp brings the directories' stamps up to date, now that all files in them
// have turned out to be the same.
func (c cache) restamp(name string) error {
	old, err := os.ReadFile(c.file(name, "sources"))
	if err != nil {
		return err
	}
	var b strings.Builder
	dir := ""
	for line := range strings.Lines(string(old)) {
		if dir != "" {
			line = fmt.Sprintln(stampOf(unix.AT_FDCWD, dir))
		}
		b.WriteString(line)
		dir = ""
		if strings.HasPrefix(line, "/") {
			dir = strings.TrimSuffix(line, "\n")
		}
	}
	// Only now: a file that has changed meanwhile must not be missed.
	if !unchanged(string(old)) {
		return nil
	}
	return replaceFile(c.file(name, "sources"), []byte(b.String()))
}

// A state is how a root file system stands to what it was made from.
type state int

const (
	absent    state = iota
	stale           // the machine's tools have changed
	otherKit        // only kit has
	disturbed       // only the directories it came from have
	current
)

// state looks at a root file system that was made from this machine's files.
func (c cache) state(name string) state {
	text, err := os.ReadFile(c.file(name, "sources"))
	if err != nil {
		return absent
	}
	same := sameDirs(string(text))
	switch {
	case !same && !unchanged(string(text)):
		return stale
	case c.madeBy(name) != kitStamp().String():
		return otherKit
	case !same:
		return disturbed
	}
	return current
}

// madeBy is the stamp of the kit inside, "" for none.
func (c cache) madeBy(name string) string {
	text, err := os.ReadFile(c.file(name, "kit"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// writeSources records in dir what its root was made from.
func writeSources(dir string, paths []string) error {
	return replaceFile(filepath.Join(dir, "sources"), sourcesText(paths))
}

// replaceFile lets readers see the old text or the new, never a part.
func replaceFile(p string, text []byte) error {
	if err := os.WriteFile(p+".tmp", text, 0o644); err != nil {
		return err
	}
	return os.Rename(p+".tmp", p)
}
