package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// index is a file with a line for each record: all that another kit asks of a container
// each time one starts or ends. With hundreds of containers it is read a hundred times
// faster than the records. It says no less than they do, also where a kit is killed
// between the two: a line is written before its record, and goes after it.
const index = "index"

// Briefs returns in short all that is remembered, in the order in which it came: names,
// processes, and as Container what was given as Brief.
func Briefs() ([]State, error) {
	dir, err := findDir()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := readIndex(dir)
	if err != nil {
		return nil, err
	}
	var list []State
	for line := range bytes.Lines(text) {
		list = append(list, parseLine(line))
	}
	return list, nil
}

// Gone tells that neither the kit nor the first process of the container runs, without
// looking at what they are: a number that is another process's by now counts as running.
// See Stale.
func (s State) Gone() bool { return gone(s.KitPid) && gone(s.Pid) }

// gone is much faster than procfs.Running. A process that has ended has no program, also
// as long as nobody has waited for it.
func gone(pid int) bool {
	_, err := unix.Readlink("/proc/"+strconv.Itoa(pid)+"/exe", make([]byte, 1))
	return errors.Is(err, unix.ENOENT)
}

// readIndex returns the lines. Where there are none yet, they are made from the records.
func readIndex(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, index))
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	list, err := List()
	for _, s := range list {
		text = append(text, lineOf(s)...)
	}
	return text, err
}

// setLine puts a container's line in the place of the one before, or, with line == "",
// takes that out.
func setLine(dir, name, line string) error {
	text, err := readIndex(dir)
	if err != nil {
		return err
	}
	next := make([]byte, 0, len(text)+len(line))
	for old := range bytes.Lines(text) {
		if !bytes.HasPrefix(old, []byte(name+"\t")) {
			next = append(next, old...)
			continue
		}
		next, line = append(next, line...), ""
	}
	next = append(next, line...)
	switch path := filepath.Join(dir, index); {
	case bytes.Equal(next, text):
		return nil
	case len(next) == 0:
		return os.Remove(path)
	default:
		return replace(path, filepath.Join(dir, "."+index), next)
	}
}

// lineOf is a container's line: numbers, and the brief as JSON.
func lineOf(s State) string {
	brief := s.Brief
	if brief == nil {
		brief = s.Container
	}
	var text bytes.Buffer
	if json.Compact(&text, brief) != nil {
		text.Reset() // it cannot be read: some of it is found by its name
	}
	return fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Name, s.Pid, s.StartTime,
		s.KitPid, s.KitStart, s.OuterPid, s.OuterStart, text.Bytes())
}

func parseLine(line []byte) (s State) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	field := func() (text []byte) {
		text, line, _ = bytes.Cut(line, []byte("\t"))
		return text
	}
	number := func() (n uint64) {
		for _, digit := range field() {
			n = 10*n + uint64(digit-'0')
		}
		return n
	}
	s.Name = string(field())
	s.Pid, s.StartTime = int(number()), number()
	s.KitPid, s.KitStart = int(number()), number()
	s.OuterPid, s.OuterStart = int(number()), number()
	s.Container = line
	return s
}
