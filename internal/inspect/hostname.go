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
		r.Errors["hostname"] = "not readable: joining its UTS namespace needs root of the user " +
			"namespace that owns it (CAP_SYS_ADMIN); kit enter becomes that first"
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
	apart(func() {
		if err = unix.Setns(fd, unix.CLONE_NEWUTS); err == nil {
			name = hostname()
		}
	})
	return name, err
}

// apart calls f in a thread that ends thereafter. That is not the first thread of the
// program, which Go never ends: /proc/PID shows the namespaces of that one.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return // without an unlock: the thread ends
		}
		apart(f) // in another thread, as this one is held meanwhile
		runtime.UnlockOSThread()
	}()
	<-done
}
