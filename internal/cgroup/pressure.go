package cgroup

import (
	"fmt"
	"strings"
)

// Pressure tells for how much of the time tasks have waited for a resource, nil
// where the kernel does not say (Documentation/accounting/psi.rst). Only v2 has it,
// and there it is kept for all three, whichever controllers are enabled.
type Pressure struct {
	CPU    *Stall `json:"cpu"`
	Memory *Stall `json:"memory"`
	IO     *Stall `json:"io"`
}

// A Stall is the time in which some task had to wait, and that in which all had to.
type Stall struct {
	Some Share `json:"some"`
	Full Share `json:"full"`
}

// A Share of the time: percent of the last 10, 60 and 300 seconds, and how many
// seconds in all.
type Share struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  float64 `json:"total_seconds"`
}

func (p *Pressure) add(dir string) {
	p.CPU = stall(text(dir, "cpu.pressure"))
	p.Memory = stall(text(dir, "memory.pressure"))
	p.IO = stall(text(dir, "io.pressure"))
}

// stall parses "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for
// full, where the total is in microseconds.
func stall(text string) *Stall {
	s, found := Stall{}, false
	for line := range strings.Lines(text) {
		var kind string
		var share Share
		_, err := fmt.Sscanf(line, "%s avg10=%f avg60=%f avg300=%f total=%f",
			&kind, &share.Avg10, &share.Avg60, &share.Avg300, &share.Total)
		if err != nil {
			continue
		}
		share.Total /= 1e6
		found = true
		switch kind {
		case "some":
			s.Some = share
		case "full":
			s.Full = share
		}
	}
	if !found {
		return nil
	}
	return &s
}
