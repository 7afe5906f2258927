package lab

import (
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Burn keeps one CPU busy for a time, or for ever where that is 0. Unless every is
// 0 it then tells in a line to out how many CPUs it got since the line before.
func Burn(out io.Writer, every, total time.Duration) error {
	begin := time.Now()
	last, used := begin, cpuTime()
	for {
		_ = spin()
		now := time.Now()
		over := total > 0 && now.Sub(begin) >= total
		if every > 0 && (over || now.Sub(last) >= every) {
			wall, cpu := now.Sub(last).Seconds(), cpuTime()
			got := (cpu - used).Seconds()
			if _, err := fmt.Fprintf(out, "%.3f CPUs: %.2f s of CPU time in %.2f s\n",
				got/wall, got, wall); err != nil {
				return err
			}
			last, used = now, cpu
		}
		if over {
			return nil
		}
	}
}

// spin does nothing, for some tens of microseconds.
//
//go:noinline
func spin() (n uint) {
	for range 1 << 16 {
		n++
	}
	return n
}

// cpuTime is how long this process has run on a CPU.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
