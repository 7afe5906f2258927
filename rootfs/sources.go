package rootfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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

// stampOf does not follow a symbolic link.
func stampOf(p string) stamp {
	var st unix.Stat_t
	if unix.Lstat(p, &st) != nil {
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

// sourcesText lists the stamps of paths, those that are not there included:
// once one is, the root file system is to be made anew.
func sourcesText(paths []string) []byte {
	var b bytes.Buffer
	for _, p := range paths {
		fmt.Fprintf(&b, "%v %s\n", stampOf(p), p)
	}
	return b.Bytes()
}

// unchanged tells that all files of a list still are what they were. It costs
// one lstat(2) for each.
func unchanged(text string) bool {
	for line := range strings.Lines(text) {
		was, p, ok := cutStamp(strings.TrimSuffix(line, "\n"))
		if !ok || stampOf(p) != was {
			return false
		}
	}
	return text != ""
}

// State is how a root file system stands to what it was made from.
type state int

const (
	absent   state = iota
	stale          // the machine's tools have changed
	otherKit       // only kit has
	current
)

// state looks at a root file system that was made from this machine's files.
func (c cache) state(name string) state {
	text, err := os.ReadFile(c.file(name, "sources"))
	if err != nil {
		return absent
	}
	if !unchanged(string(text)) {
		return stale
	}
	if c.madeBy(name) != kitStamp().String() {
		return otherKit
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
	return os.WriteFile(filepath.Join(dir, "sources"), sourcesText(paths), 0o644)
}
