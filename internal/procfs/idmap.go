package procfs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// An IDMapEntry is one line of uid_map or gid_map (user_namespaces(7)): Count
// ids from Inside on are, in the same order, those from Outside on. Outside
// counts in the reader's user namespace, or in the parent of the thread's where
// that is the reader's own.
type IDMapEntry struct {
	Inside  uint32 `json:"inside"`
	Outside uint32 `json:"outside"`
	Count   uint32 `json:"count"`
}

// IDMaps is a whole map. An empty one maps nobody: nothing was written yet.
type IDMaps []IDMapEntry

// IDMap reads "uid_map" or "gid_map" of a thread.
func IDMap(tid int, file string) (IDMaps, error) {
	text, err := read(tid, file)
	if err != nil {
		return nil, err
	}
	return ParseIDMap(bytes.NewReader(text))
}

// ParseIDMap parses the text of uid_map or gid_map.
func ParseIDMap(r io.Reader) (IDMaps, error) {
	var m IDMaps
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e IDMapEntry
		_, err := fmt.Sscan(lines.Text(), &e.Inside, &e.Outside, &e.Count)
		if err != nil {
			return nil, fmt.Errorf("parse id map %q: %w", lines.Text(), err)
		}
		m = append(m, e)
	}
	return m, lines.Err()
}

// String is like "0→1000 (1), 1→100000 (65536)", and "none" for an empty map.
func (m IDMaps) String() string {
	if len(m) == 0 {
		return "none"
	}
	var parts []string
	for _, e := range m {
		parts = append(parts, fmt.Sprintf("%d→%d (%d)", e.Inside, e.Outside, e.Count))
	}
	return strings.Join(parts, ", ")
}

// Outside returns what an id of inside is called outside.
func (m IDMaps) Outside(id uint32) (outside uint32, ok bool) {
	for _, e := range m {
		if id >= e.Inside && id-e.Inside < e.Count {
			return e.Outside + (id - e.Inside), true
		}
	}
	return 0, false
}

// Inside returns what an id of outside is called inside.
func (m IDMaps) Inside(id uint32) (inside uint32, ok bool) {
	for _, e := range m {
		if id >= e.Outside && id-e.Outside < e.Count {
			return e.Inside + (id - e.Outside), true
		}
	}
	return 0, false
}
