package cgroups

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// askSystemd has the user's systemd put us into a cgroup that is ours to divide
// (systemd.resource-control(5), Delegate=). It owns all cgroups where it runs.
func askSystemd(c *container.Container) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	// A bus that does not answer is as good as none.
	defer cancel()
	err := newScope(ctx, c.Name)
	if err == nil {
		return nil
	}
	own := "unknown"
	if trees, err := find(); err == nil && len(trees) > 0 {
		own = trees[len(trees)-1].own
	}
	return fmt.Errorf("cgroup %s: not ours to divide, and no other from systemd (%w): %w",
		own, err, unix.EACCES)
}

// newScope starts a scope, which is a unit for processes that are there already.
func newScope(ctx context.Context, name string) error {
	// The bus of the user's session: a socket.
	conn, err := dbus.NewConnection(func() (*godbus.Conn, error) { return dial(ctx) })
	if err != nil {
		return err
	}
	// systemd removes the scope when the last process has left it.
	defer conn.Close()
	done := make(chan string, 1)
	// Only we move: the tracer, if there is one, stays where it is.
	pids := []uint32{uint32(unix.Getpid())}
	// The user's systemd may move us where we may not move ourselves.
	_, err = conn.StartTransientUnitContext(ctx, name+".scope", "fail", []dbus.Property{
		dbus.PropDescription("kit: container " + name),
		{Name: "PIDs", Value: godbus.MakeVariant(pids)},
		{Name: "Delegate", Value: godbus.MakeVariant(true)},
		{Name: "CollectMode", Value: godbus.MakeVariant("inactive-or-failed")},
	}, done)
	if err != nil {
		return err
	}
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("scope %s: %s", name, result)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dial connects to the session's bus, and says who we are. The bus asks the
// kernel too, which tells it our uid outside of our user namespace.
func dial(ctx context.Context) (*godbus.Conn, error) {
	address, ok := unix.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if !ok {
		runtime, ok := unix.Getenv("XDG_RUNTIME_DIR")
		if !ok {
			return nil, errors.New("no session bus")
		}
		address = "unix:path=" + runtime + "/bus"
	}
	uid, err := hostUID()
	if err != nil {
		return nil, err
	}
	// A socket of the user's own.
	conn, err := godbus.Dial(address, godbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	// As whom?
	if err := conn.Auth([]godbus.Auth{godbus.AuthExternal(uid)}); err != nil {
		conn.Close()
		return nil, err
	}
	// The bus gives us a name, and us the right to speak.
	if err := conn.Hello(); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// hostUID is our uid outside, as user_namespaces(7) shows it: "0 1000 1".
func hostUID() (string, error) {
	// Inside, outside, and how many.
	text, err := read("/proc/self/uid_map")
	if err != nil {
		return "", err
	}
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return "", fmt.Errorf("parse uid_map %q: %w", text, unix.EINVAL)
	}
	return fields[1], nil
}
