package container

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/state"
)

// The network namespace that plays the host has no cable to the real one: only
// the host's root could lay it. The way out is a program of the host's that takes
// packets from a tap device inside, and does with sockets of its own what they
// ask for: pasta(1) or slirp4netns(1).

// wayOutPatience is how long such a program may take to begin.
const wayOutPatience = 3 * time.Second

// WayOut is the command line of the program that is installed, for the network
// namespace of the process pid, or what is missing.
func WayOut(pid int) (argv []string, missing string) {
	const tun = "/dev/net/tun"
	for _, argv := range [][]string{
		{
			"pasta", "--foreground", "--config-net", "--no-map-gw",
			"-t", "none", "-u", "none", "-T", "none", "-U", "none", strconv.Itoa(pid),
		},
		{
			"slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback",
			strconv.Itoa(pid), "tap0",
		},
	} {
		// Is it installed?
		if _, err := exec.LookPath(argv[0]); err != nil {
			continue
		}
		// May we make a tap device?
		if err := unix.Access(tun, unix.R_OK|unix.W_OK); err != nil {
			return nil, fmt.Sprintf("%s may not be used: %v", tun, err)
		}
		return argv, ""
	}
	return nil, "neither pasta nor slirp4netns is installed (package passt or slirp4netns)"
}

// openWayOut starts the keeper of the way out for a new network namespace, and
// waits until the way is open. Without one, containers reach each other all the
// same.
func openWayOut(c *Container) error {
	if _, missing := WayOut(0); missing != "" {
		return nil
	}
	// It outlives us: nobody must wait for it to close our output.
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	// The keeper has its own.
	defer null.Close()
	// The keeper is this very program.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	cmd, err := newCommand(roleKeeper, os.Environ(), self)
	if err != nil {
		self.Close()
		return err
	}
	cmd.Argv = os.Args[:1]
	cmd.Files[0], cmd.Files[1], cmd.Files[2] = null, null, null
	_, g, err := startKeeper(cmd)
	if err != nil {
		return err
	}
	defer g.close()
	if err := g.send(&Container{Name: c.Name, Net: c.Net}); err != nil {
		return err
	}
	// It closes its end when the way is open, or nothing comes of it.
	_, _, err = unix.Recvfrom(g.fd, make([]byte, 1), 0)
	return err
}

// startKeeper starts a process that does not end with us: other containers may
// still need the way out.
func startKeeper(cmd *Command) (pid int, g *gate, err error) {
	return cmd.start(&syscall.SysProcAttr{Setsid: true})
}

// keepWayOut is the keeper: it runs the program as long as there are containers
// in the network namespace.
func keepWayOut(g *gate) error {
	if err := closeFiles(); err != nil {
		return err
	}
	c, err := g.receive()
	if err != nil || c == nil {
		return err
	}
	pid, err := parentIn(c.Net.Outer)
	if err != nil || pid == 0 {
		return err
	}
	argv, missing := WayOut(pid)
	if missing != "" {
		return nil
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	// It ends with us, even if we are killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	// Start it on the host's side; it enters the namespace only to make its device.
	if err := cmd.Start(); err != nil {
		return err
	}
	awaitRoute(pid)
	g.close()
	for pid != 0 {
		if err := awaitEnd(pid); err != nil {
			break
		}
		// A killed kit's container takes this moment to follow it.
		time.Sleep(time.Millisecond)
		if pid, err = parentIn(c.Net.Outer); err != nil {
			break
		}
	}
	// Nobody is left who could use it.
	_ = cmd.Process.Kill()
	return cmd.Wait()
}

// parentIn is the parent of one of the containers that are in the outer network
// namespace, or 0.
func parentIn(net uint64) (pid int, err error) {
	// A container that is being started there is written down before the lock is
	// given back.
	err = state.Exclusive(func(string) error {
		all, err := state.Briefs()
		for _, s := range all {
			c := &Container{}
			if s.Running() && json.Unmarshal(s.Container, c) == nil && c.Net.Outer == net {
				pid = s.KitPid
			}
		}
		return err
	})
	return pid, err
}

// awaitEnd waits for the end of a process that is not our child.
func awaitEnd(pid int) error {
	// Whose end we want to know of, whatever becomes of its number.
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	// Needed no longer than we wait.
	defer unix.Close(pidfd)
	for {
		// A pidfd can be read from when its process has ended.
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			return err
		}
	}
}

// awaitRoute waits until the network namespace of pid has a default route.
func awaitRoute(pid int) {
	for deadline := time.Now().Add(wayOutPatience); time.Now().Before(deadline); {
		// The routes of its network namespace: one line each, below a headline.
		routes, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/route")
		if err != nil || hasDefaultRoute(routes) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// hasDefaultRoute reads /proc/net/route: interface, destination, gateway, ...
func hasDefaultRoute(routes []byte) bool {
	for line := range bytes.Lines(routes) {
		if f := strings.Fields(string(line)); len(f) > 1 && f[1] == "00000000" {
			return true
		}
	}
	return false
}

// noRoutes is how many packets found no way out of the network namespace that
// we are in: InNoRoutes in /proc/net/netstat.
func noRoutes() uint64 {
	// What the kernel has counted here: a line of names, and below it one of numbers.
	text, err := os.ReadFile("/proc/self/net/netstat")
	if err != nil {
		return 0
	}
	_, group, _ := strings.Cut(string(text), "IpExt: ")
	names, group, _ := strings.Cut(group, "IpExt: ")
	i := slices.Index(strings.Fields(names), "InNoRoutes")
	if numbers := strings.Fields(group); i >= 0 && i < len(numbers) {
		n, _ := strconv.ParseUint(numbers[i], 10, 64)
		return n
	}
	return 0
}

// watchWayOut tells the user at the end, but only where a packet has been lost
// for it, that there was no way out of the outer network namespace.
func watchWayOut(c *Container) (done func()) {
	if c.Net.Outer == 0 {
		return func() {}
	}
	before := noRoutes()
	return func() {
		_, missing := WayOut(0)
		if missing != "" && noRoutes() > before {
			c.Notes = append(c.Notes, "there is no way out of the containers' network: "+missing)
		}
	}
}
