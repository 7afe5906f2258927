//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"time"
)

// network asks a server, from the host: over lo, over kit's bridge, over podman's.
func (l *lab) network() ([]cost, error) {
	const port = ":7077"
	volume := []string{"--volume", l.probe + ":/probe:ro"}
	ways := []struct {
		name, address string
		args          []string
		room          bool
	}{
		{"host", "127.0.0.1", []string{l.probe, "serve", port}, false},
		{"kit", "10.77.0.77", append(append([]string{
			l.kit, "step", "5", "--trace=off", "--rootfs", l.root, "--ip", "10.77.0.77",
		}, volume...), "--", "/probe", "serve", port), false},
		{"podman", "10.88.0.77", l.podman("podman", l.root, []string{"/probe", "serve", port},
			append(volume, "--ip", "10.88.0.77")...), true},
	}
	ask, stream := cost{What: "network: a byte there and back", Unit: "µs"},
		cost{What: "network: throughput to the host", Unit: "MiB/s"}
	for _, w := range ways {
		l.say("network of %s", w.name)
		var a, b float64 = -1, -1
		if _, err := exec.LookPath(w.args[0]); err == nil {
			s := &start{true: w.args, room: w.room}
			err = l.inside(s, func() (err error) { a, b, err = l.serve(w.args, w.address+port); return err })
			if err != nil {
				if w.name != "podman" {
					return nil, fmt.Errorf("%s: %w", w.name, err)
				}
				l.say("podman: %v", err)
				a, b = -1, -1
			}
		}
		ask.Places = append(ask.Places, place{w.name, a})
		stream.Places = append(stream.Places, place{w.name, b})
	}
	return []cost{ask, stream}, nil
}

// serve starts a server, asks it, and ends it.
func (l *lab) serve(args []string, address string) (micros, mibs float64, err error) {
	server, err := l.waiting(args)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = server.release() }()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return 0, 0, err
	}
	var times []time.Duration
	one := []byte("p")
	for range 5000 {
		begin := time.Now()
		if _, err := conn.Write(one); err != nil {
			return 0, 0, err
		}
		if _, err := io.ReadFull(conn, one); err != nil {
			return 0, 0, err
		}
		times = append(times, time.Since(begin))
	}
	const much = 1 << 30
	begin := time.Now()
	if _, err := conn.Write([]byte("s")); err != nil {
		return 0, 0, err
	}
	if _, err := io.CopyN(io.Discard, conn, much); err != nil {
		return 0, 0, err
	}
	return spreadOf(times).Middle * 1000, (much >> 20) / time.Since(begin).Seconds(), nil
}
