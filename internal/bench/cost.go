//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerkit/kit/internal/trace"
)

// A call is a system call of a step, and what it costs.
type call struct {
	name  string
	times int
	took  time.Duration
}

// calls are those of kit's own statements at step 6 that take most of the time, from kit's
// own record. What waits for others is left out.
func (l *lab) calls() ([]call, error) {
	file := filepath.Join(l.dir, "trace.json")
	args := l.step(6, "--format=json", "--trace-file", file)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("kit step 6 --trace-file: %w: %s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]*call{}
	for in := json.NewDecoder(f); ; {
		var e trace.Event
		if err := in.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if e.Kind != trace.Syscall || e.Class == trace.Runtime || waits(e.Call) {
			continue
		}
		if sums[e.Call] == nil {
			sums[e.Call] = &call{name: e.Call}
		}
		sums[e.Call].times++
		sums[e.Call].took += time.Duration(e.Took)
	}
	list := make([]call, 0, len(sums))
	for _, c := range sums {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b call) int { return cmp.Compare(b.took, a.took) })
	return list[:min(10, len(list))], nil
}

func waits(call string) bool {
	return slices.Contains([]string{"wait4", "waitid", "recvfrom", "recvmsg", "ppoll"}, call)
}

// A cost is one measurement on a container beside one on the host.
type cost struct {
	what            string
	inside, outside float64
	unit            string
}

// costs are those of the layers that stay: of overlay and of the network.
func (l *lab) costs(rounds int) ([]cost, error) {
	// Stat of 200 paths, and the first byte written to a file of 16 MiB.
	const script = `
now() { date +%s%N; }
a=$(now); i=0; while [ $i -lt 200 ]; do test -e $1/f$i; i=$((i+1)); done; b=$(now)
printf x | dd of=$1/big bs=1 conv=notrunc 2>/dev/null; c=$(now)
echo $((b - a)) $((c - b))`
	data := filepath.Join(l.dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	for i := range 200 {
		if err := os.WriteFile(filepath.Join(data, fmt.Sprint("f", i)), nil, 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(data, "big"), make([]byte, 16<<20), 0o644); err != nil {
		return nil, err
	}
	in, err := l.medians(rounds, l.kit, "step", "4", "--trace=off", "--rootfs", l.root,
		"--layer", l.layer(data), "--", "/bin/sh", "-c", script, "sh", "/data")
	if err != nil {
		return nil, err
	}
	out, err := l.medians(rounds, "/bin/sh", "-c", script, "sh", data)
	if err != nil {
		return nil, err
	}
	network, err := l.network()
	return append([]cost{
		{"200 × stat", in[0], out[0], "ms"},
		{"first write to a file of 16 MiB", in[1], out[1], "ms"},
	}, network...), err
}

// layer is a directory that has data below it.
func (l *lab) layer(data string) string {
	dir := filepath.Join(l.dir, "layer")
	if err := os.Mkdir(dir, 0o755); err == nil {
		_ = exec.Command("cp", "-r", data, filepath.Join(dir, "data")).Run()
	}
	return dir
}

// medians runs a command that prints two times in nanoseconds, and returns them in ms.
func (l *lab) medians(rounds int, args ...string) (middle [2]float64, err error) {
	var times [2][]time.Duration
	for range rounds {
		out, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil {
			return middle, fmt.Errorf("%s: %w", args[0], err)
		}
		var ns [2]int64
		if _, err := fmt.Sscan(string(out), &ns[0], &ns[1]); err != nil {
			return middle, fmt.Errorf("%q: %w", out, err)
		}
		for i := range ns {
			times[i] = append(times[i], time.Duration(ns[i]))
		}
	}
	for i := range times {
		_, middle[i], _ = spread(times[i])
	}
	return middle, nil
}

// network asks a server 2,000 times on one connection, over the bridge and over lo.
func (l *lab) network() ([]cost, error) {
	if _, err := exec.LookPath("curl"); err != nil {
		return nil, nil // not to be had
	}
	server := exec.Command(l.kit, "step", "5", "--trace=off", "--rootfs", l.root, "--name", "server",
		"--", "kit", "lab", "serve")
	if err := server.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = exec.Command(l.kit, "stop", "--time", "0", "server").Run()
		_ = server.Wait()
	}()
	ask := func(address string, flags ...string) (float64, error) {
		args := append([]string{"step", "5", "--trace=off", "--rootfs", l.root}, flags...)
		args = append(args, "--", "curl", "-sS", "--retry", "50", "--retry-connrefused",
			"--retry-delay", "0", "-o", "/dev/null", "-w", `%{time_total}\n`,
			"http://"+address+"/?[1-2000]")
		out, err := exec.Command(l.kit, args...).Output()
		if err != nil {
			return 0, fmt.Errorf("curl %s: %w", address, err)
		}
		var times []time.Duration
		for line := range strings.Lines(string(out)) {
			took, err := time.ParseDuration(strings.TrimSpace(line) + "s")
			if err != nil {
				return 0, err
			}
			times = append(times, took)
		}
		_, middle, _ := spread(times)
		return middle * 1000, nil
	}
	time.Sleep(time.Second) // the server is up
	over, err := ask("server")
	if err != nil {
		return nil, err
	}
	lo, err := ask("127.0.0.1", "--net", "container:server")
	return []cost{{"a question over the bridge, and over lo", over, lo, "µs"}}, err
}
