//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// TestScopeFromSystemd has a real bus, and on it somebody who does what the user's
// systemd would: put a process into a cgroup of the user's own.
func TestScopeFromSystemd(t *testing.T) {
	ktest.Root(t) // to play systemd
	ktest.RequireTool(t, "setpriv", "dbus-daemon")
	needLimits(t, "memory", "pids")
	const uid = 65534 // nobody: the bus wants an account
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	home := ktest.PublicDir(t)
	require.NoError(t, exec.Command("chown", "-R", fmt.Sprint(uid), root, home).Run())
	manager := &fakeManager{dirs: delegate(t, uid)}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", sessionBus(t))
	conn, err := dbus.ConnectSessionBus()
	require.NoError(t, err)
	defer conn.Close()
	manager.conn = conn
	const path = "/org/freedesktop/systemd1"
	require.NoError(t, conn.Export(manager, path, "org.freedesktop.systemd1.Manager"))
	_, err = conn.RequestName("org.freedesktop.systemd1", dbus.NameFlagDoNotQueue)
	require.NoError(t, err)

	// Nothing is asked for without a limit.
	r := asUser(t, uid, nil, home, untraced(3, root, "true")...)
	require.Zero(t, r.exit, r.err)
	require.Zero(t, manager.asked.Load())
	eat := "exec dd if=/dev/zero of=/dev/null bs=200M count=1"
	r = asUser(t, uid, nil, home, untraced(3, root, eat, "--memory", "64m")...)
	require.Equal(t, 137, r.exit, r.err)
	require.Equal(t, "kit: memory: the OOM killer ended 1 process at the limit of 64 MiB\n", r.err)
	require.EqualValues(t, 1, manager.asked.Load())
	manager.fail = true
	r = asUser(t, uid, nil, home, untraced(3, root, eat, "--memory", "64m")...)
	require.Equal(t, 125, r.exit)
	require.Contains(t, r.err, "no other from systemd (no, thanks): permission denied\nhint: ")
}

// fakeManager is org.freedesktop.systemd1.Manager as far as kit knows it.
type fakeManager struct {
	conn  *dbus.Conn
	dirs  []string
	fail  bool
	asked atomic.Int32
}

// A property is a setting of a unit.
type property struct {
	Name  string
	Value dbus.Variant
}

// StartTransientUnit moves the process into the delegated cgroups.
func (m *fakeManager) StartTransientUnit(name, _ string, properties []property, _ []struct {
	Name       string
	Properties []property
},
) (dbus.ObjectPath, *dbus.Error) {
	m.asked.Add(1)
	values := map[string]any{}
	for _, p := range properties {
		values[p.Name] = p.Value.Value()
	}
	pids, _ := values["PIDs"].([]uint32)
	if m.fail || len(pids) != 1 || values["Delegate"] != true || filepath.Ext(name) != ".scope" {
		return "", dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"no, thanks"})
	}
	for _, dir := range m.dirs {
		pid := strconv.Itoa(int(pids[0]))
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(pid), 0); err != nil {
			return "", dbus.MakeFailedError(err)
		}
	}
	const job = dbus.ObjectPath("/org/freedesktop/systemd1/job/1")
	err := m.conn.Emit("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.JobRemoved",
		uint32(1), job, name, "done")
	if err != nil {
		return "", dbus.MakeFailedError(err)
	}
	return job, nil
}

// Subscribe is asked for by whoever waits for jobs.
func (m *fakeManager) Subscribe() *dbus.Error { return nil }

// sessionBus starts a bus that all users may use, and returns its address.
func sessionBus(t *testing.T) string {
	t.Helper()
	dir := ktest.PublicDir(t)
	write(t, dir, "bus.conf", `<busconfig><type>session</type><auth>EXTERNAL</auth>
<listen>unix:path=`+dir+`/bus</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow eavesdrop="true"/></policy></busconfig>`, 0o644)
	cmd := exec.Command("dbus-daemon", "--nofork", "--print-address", "--config-file", dir+"/bus.conf")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return address[:len(address)-1]
}
