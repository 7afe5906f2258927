package procfs

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Status is what /proc/TID/status says about who a thread is and what it may do
// (proc_pid_status(5)). Lines that the kernel does not print leave zeros.
type Status struct {
	Name      string // of the command, up to 15 bytes
	State     byte   // 'R', 'S', 'D', 'T', 't', 'Z', 'X'
	Tgid, Pid int    // process and thread
	PPid      int    // 0 where the parent is outside of the reader's PID namespace
	TracerPid int    // 0: nobody traces it
	Uid, Gid  [4]int // real, effective, saved, file system
	Groups    []int
	NSpid     []int // the thread's id in each PID namespace, the reader's first
	Threads   int

	CapInh, CapPrm, CapEff, CapBnd, CapAmb uint64 // bit N: capability N

	NoNewPrivs     bool
	Seccomp        int // 0 disabled, 1 strict, 2 filter
	SeccompFilters int // how many filters are stacked; since Linux 5.9
}

// ReadStatus reads /proc/TID/status.
func ReadStatus(tid int) (Status, error) {
	text, err := read(tid, "status")
	if err != nil {
		return Status{}, err
	}
	return ParseStatus(bytes.NewReader(text))
}

// ParseStatus parses the text of a status file. Lines that Status has no field
// for are passed over.
func ParseStatus(r io.Reader) (Status, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Status{}, err
	}
	var s Status
	for rest := string(text); rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return Status{}, fmt.Errorf("parse status %q: no colon", line)
		}
		if err := s.set(key, strings.Trim(value, " \t")); err != nil {
			return Status{}, fmt.Errorf("parse status %s: %w", key, err)
		}
	}
	if s.Pid == 0 {
		return Status{}, fmt.Errorf("parse status: no line Pid")
	}
	return s, nil
}

// set puts the value of one line into its field.
func (s *Status) set(key, value string) (err error) {
	switch key {
	case "Name":
		s.Name = value
	case "State":
		if value != "" {
			s.State = value[0]
		}
	case "Groups":
		s.Groups, err = numbers(value)
	case "NSpid":
		s.NSpid, err = numbers(value)
	case "Uid":
		err = four(&s.Uid, value)
	case "Gid":
		err = four(&s.Gid, value)
	case "NoNewPrivs":
		s.NoNewPrivs = value == "1"
	default:
		return s.setNumber(key, value)
	}
	return err
}

func (s *Status) setNumber(key, value string) (err error) {
	if field := s.number(key); field != nil {
		*field, err = strconv.Atoi(value)
	} else if set := s.capabilities(key); set != nil {
		*set, err = strconv.ParseUint(value, 16, 64)
	}
	return err
}

// number returns the field of a line with one decimal number.
func (s *Status) number(key string) *int {
	switch key {
	case "Tgid":
		return &s.Tgid
	case "Pid":
		return &s.Pid
	case "PPid":
		return &s.PPid
	case "TracerPid":
		return &s.TracerPid
	case "Threads":
		return &s.Threads
	case "Seccomp":
		return &s.Seccomp
	case "Seccomp_filters":
		return &s.SeccompFilters
	}
	return nil
}

// capabilities returns the field of a line with one set of capabilities.
func (s *Status) capabilities(key string) *uint64 {
	switch key {
	case "CapInh":
		return &s.CapInh
	case "CapPrm":
		return &s.CapPrm
	case "CapEff":
		return &s.CapEff
	case "CapBnd":
		return &s.CapBnd
	case "CapAmb":
		return &s.CapAmb
	}
	return nil
}

func numbers(value string) ([]int, error) {
	var list []int
	for word := range strings.FieldsSeq(value) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func four(field *[4]int, value string) error {
	list, err := numbers(value)
	if err != nil {
		return err
	}
	if copy(field[:], list) != 4 {
		return fmt.Errorf("%d ids, not 4", len(list))
	}
	return nil
}
