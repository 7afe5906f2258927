package procfs

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// StartTime returns when a process was started, in clock ticks (1/100 s) since
// the machine's start, from field 22 of /proc/PID/stat (proc_pid_stat(5)).
// Together with the pid it names a process for good: a pid alone is given again.
// The time is shifted by the reader's time namespace.
func StartTime(pid int) (uint64, error) {
	s, err := readStat(pid)
	return s.start, err
}

// Running tells that the process of that pid and start time has not ended.
// A zombie has.
func Running(pid int, start uint64) bool {
	s, err := readStat(pid)
	return err == nil && s.start == start && s.state != 'Z' && s.state != 'X'
}

// Ending tells that the process of that pid and start time has begun to end, or has ended:
// its namespaces and files may be gone.
func Ending(pid int, start uint64) bool {
	const exiting = 0x4 // PF_EXITING of the kernel's sched.h
	s, err := readStat(pid)
	return err != nil || s.start != start || s.flags&exiting != 0
}

type stat struct {
	state byte
	flags uint64 // PF_* of the kernel's sched.h
	start uint64
}

func readStat(pid int) (stat, error) {
	text, err := read(pid, "stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(bytes.NewReader(text))
}

// parseStat counts the fields from the last ")" on: the second one is the name
// of the command in parentheses, and may itself hold both and spaces.
func parseStat(r io.Reader) (stat, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return stat{}, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const state, flags, start = 0, 6, 19 // the third field, the 9th and the 22nd
	if len(fields) <= start {
		return stat{}, fmt.Errorf("parse stat: %d fields after the name, not 20 or more", len(fields))
	}
	ticks, err := strconv.ParseUint(fields[start], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("parse stat starttime: %w", err)
	}
	bits, err := strconv.ParseUint(fields[flags], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("parse stat flags: %w", err)
	}
	return stat{fields[state][0], bits, ticks}, nil
}
