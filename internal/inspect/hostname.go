package inspect

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// addHostname finds the host name of the process. No file under /proc tells that
// of another UTS namespace: one has to go there and ask uname(2).
func (r *Report) addHostname() {
	for _, n := range r.Namespaces {
		if n.Kind == "uts" && n.Shared {
			r.Hostname = hostname()
			return
		}
	}
	name, err := hostnameOf(r.Pid)
	r.Hostname = name
	r.note("hostname", err)
	if errors.Is(err, unix.EPERM) {
		r.Errors["hostname"] = "not readable: joining its UTS namespace needs root (CAP_SYS_ADMIN)"
	}
}

func hostname() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Nodename[:])
}

// hostnameOf asks from a thread of its own, which ends after having joined the
// namespace of the process.
func hostnameOf(pid int) (name string, err error) {
	fd, err := unix.Open(procfs.Path(pid, "ns/uts"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is of no use to others
		if err = unix.Setns(fd, unix.CLONE_NEWUTS); err == nil {
			name = hostname()
		}
	}()
	<-done
	return name, err
}
