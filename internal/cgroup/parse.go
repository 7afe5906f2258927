package cgroup

import (
	"slices"
	"strconv"
	"strings"
)

// pairs are the lines of a "flat keyed" file: a name and a number.
type pairs map[string]uint64

func flat(dir, file string) pairs {
	p := pairs{}
	for line := range strings.Lines(text(dir, file)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			p[name] = n
		}
	}
	return p
}

// count puts the number of that name where value points to, if there is one.
func (p pairs) count(name string, value **uint64) {
	if n, ok := p[name]; ok {
		*value = &n
	}
}

// take does the same with a number of which there are unit to a second.
func (p pairs) take(name string, unit float64, value **float64) {
	if n, ok := p[name]; ok {
		seconds := float64(n) / unit
		*value = &seconds
	}
}

// count reads a file that holds one number.
func count(dir, file string, value **uint64) {
	n, err := strconv.ParseUint(strings.TrimSpace(text(dir, file)), 10, 64)
	if err == nil {
		*value = &n
	}
}

// seconds reads a file that holds nanoseconds.
func seconds(dir, file string, value **float64) {
	if n, err := nanoseconds(text(dir, file)); err == nil {
		*value = &n
	}
}

// ioStat parses io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
func ioStat(text string) []IO {
	var list []IO
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue // a device that has counted nothing yet
		}
		io := IO{Device: words[0]}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			n, _ := strconv.ParseUint(value, 10, 64)
			switch name {
			case "rbytes":
				io.ReadBytes = n
			case "wbytes":
				io.WriteBytes = n
			case "rios":
				io.Reads = n
			case "wios":
				io.Writes = n
			}
		}
		list = append(list, io)
	}
	return list
}

// blkio parses two files of v1, one of bytes and one of requests, both with lines
// like "8:0 Read 4096" and, at the end, "Total 4096".
func blkio(bytes, requests string) []IO {
	var list []IO
	device := func(name string) *IO {
		i := slices.IndexFunc(list, func(io IO) bool { return io.Device == name })
		if i < 0 {
			i, list = len(list), append(list, IO{Device: name})
		}
		return &list[i]
	}
	each(bytes, func(name, kind string, n uint64) {
		switch kind {
		case "Read":
			device(name).ReadBytes = n
		case "Write":
			device(name).WriteBytes = n
		}
	})
	each(requests, func(name, kind string, n uint64) {
		switch kind {
		case "Read":
			device(name).Reads = n
		case "Write":
			device(name).Writes = n
		}
	})
	return list
}

func each(text string, f func(device, kind string, n uint64)) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 3 {
			continue
		}
		if n, err := strconv.ParseUint(words[2], 10, 64); err == nil {
			f(words[0], words[1], n)
		}
	}
}
