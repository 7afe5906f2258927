package procfs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Cgroup is one line of /proc/TID/cgroup (cgroups(7)): where a thread is in
// one hierarchy.
type Cgroup struct {
	Hierarchy   int      // 0 for v2
	Controllers []string // empty for v2; "name=systemd" for a v1 hierarchy without controllers
	Path        string   // from the root of the reader's cgroup namespace
}

// V2 tells that the hierarchy is the one of cgroup v2.
func (c Cgroup) V2() bool { return c.Hierarchy == 0 }

// String is the line itself: "0::/user.slice".
func (c Cgroup) String() string {
	return fmt.Sprintf("%d:%s:%s", c.Hierarchy, strings.Join(c.Controllers, ","), c.Path)
}

// Cgroups reads /proc/TID/cgroup.
func Cgroups(tid int) ([]Cgroup, error) {
	text, err := read(tid, "cgroup")
	if err != nil {
		return nil, err
	}
	return ParseCgroups(bytes.NewReader(text))
}

// ParseCgroups parses the text of a cgroup file. The path of a cgroup may itself
// hold colons.
func ParseCgroups(r io.Reader) ([]Cgroup, error) {
	var list []Cgroup
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), ":", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("parse cgroup %q: not of the form id:controllers:path", lines.Text())
		}
		id, err := strconv.Atoi(parts[0])
		if err != nil {
			return nil, fmt.Errorf("parse cgroup %q: %w", lines.Text(), err)
		}
		c := Cgroup{Hierarchy: id, Path: parts[2]}
		if parts[1] != "" {
			c.Controllers = strings.Split(parts[1], ",")
		}
		list = append(list, c)
	}
	return list, lines.Err()
}
