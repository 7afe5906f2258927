package trace

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/oracle"
	"github.com/containerkit/kit/internal/trace/scene"
)

// begin starts the record.
func (t *tracer) begin() {
	t.began, t.start = true, time.Now()
	t.log = oracle.OpenLog()
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		u = unix.Utsname{}
	}
	rootless := unix.Geteuid() != 0
	t.recorder.add(&Event{
		V: Version, Kind: Begin, Argv: t.cfg.Argv,
		Kernel: unix.ByteSliceToString(u.Release[:]), Cgroup: cgroupVersion(), Rootless: &rootless,
	}, nil)
	t.scene(scene.Before, 0)
	t.pin()
	t.record()
}

// end ends it, if it has begun, and returns the sink's first error.
func (t *tracer) end() error {
	t.log.Close()
	e := &Event{V: Version, Kind: End, Exit: &t.exit, Syscalls: t.counts}
	if t.cfg.Told != nil {
		e.Error, e.Hints = t.cfg.Told()
	}
	if t.began {
		t.scene(scene.After, 0)
		t.recorder.add(e, nil)
	}
	return t.recorder.close()
}
