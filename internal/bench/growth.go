//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A size is what one more container costs when so many are alive.
type size struct {
	alive  int
	start  float64 // ms, median of five starts to exit
	memory float64 // MiB of kit's own processes, a container (proportional set size)
}

// grow starts containers that wait, and measures now and then.
func (l *lab) grow(many int) (sizes []size, err error) {
	hold, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer hold.Close()
	var kits []*exec.Cmd
	defer func() {
		release.Close() // cat has come to the end of its input, and so has the container
		for _, k := range kits {
			if e := k.Wait(); e != nil && err == nil {
				err = e
			}
		}
	}()
	for alive := 1; alive <= many; alive++ {
		args := l.step(6, "--trace=off", "--name", "n"+strconv.Itoa(alive))
		kit := exec.Command(args[0], append(args[1:len(args)-1], "/bin/sh", "-c", "echo up; exec cat")...)
		kit.Stdin, kit.Stderr = hold, os.Stderr
		up, err := kit.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := kit.Start(); err != nil {
			return nil, err
		}
		kits = append(kits, kit)
		if _, err := bufio.NewReader(up).ReadString('\n'); err != nil {
			return nil, fmt.Errorf("container %d: %w", alive, err)
		}
		if alive == 1 || alive%100 == 0 {
			s, err := l.sizeAt(alive, kits)
			if err != nil {
				return nil, err
			}
			sizes = append(sizes, s)
		}
	}
	return sizes, nil
}

func (l *lab) sizeAt(alive int, kits []*exec.Cmd) (s size, err error) {
	one := &start{args: l.step(6, "--trace=off")}
	for range 5 {
		took, _, err := one.run()
		if err != nil {
			return s, err
		}
		one.took = append(one.took, took)
	}
	_, s.start, _ = spread(one.took)
	s.alive = alive
	for _, kit := range kits {
		mib, err := proportional(kit.Process.Pid)
		if err != nil {
			return s, err
		}
		s.memory += mib / float64(len(kits))
	}
	return s, nil
}

// proportional is the memory of a process in MiB, in which a page that n processes share
// counts as an n-th (proc_pid_smaps(5)).
func proportional(pid int) (float64, error) {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("%s has no Pss: %w", f.Name(), io.ErrUnexpectedEOF)
}
