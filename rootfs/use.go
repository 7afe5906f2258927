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

// A user is a process that has a root file system for its "/" or mounted.
type user struct {
	pid     int
	command string
}

func (u *user) String() string { return fmt.Sprintf("process %d (%s)", u.pid, u.command) }

// usedBy gives a process whose "/" is the named root file system, or that sees
// a mount of it, as an overlay's layer. It looks only at processes that the
// user may look at, and gives nil when there is none.
func (c cache) usedBy(name string) *user {
	dir := c.root(name).Dir
	var want unix.Stat_t
	if unix.Stat(dir, &want) != nil {
		return nil
	}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		if !hasRoot(proc, &want) && !mounts(proc, dir) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(proc))
		comm, _ := os.ReadFile(proc + "/comm")
		return &user{pid: pid, command: strings.TrimSpace(string(comm))}
	}
	return nil
}

// hasRoot compares by inode: a bind mount has that of what it shows.
func hasRoot(proc string, want *unix.Stat_t) bool {
	var got unix.Stat_t
	return unix.Stat(proc+"/root/.", &got) == nil && got.Dev == want.Dev && got.Ino == want.Ino
}

func mounts(proc, dir string) bool {
	text, err := os.ReadFile(proc + "/mountinfo")
	return err == nil && bytes.Contains(text, []byte(dir))
}
