package check

import (
	"fmt"
	"os"
	"strconv"

	"github.com/containerkit/kit/internal/procfs"
)

// Namespaces, capabilities, no_new_privs and filters belong to a thread, not to a process:
// a call of one thread changes that one. The first thread is what /proc/PID shows.

// threads are those of the process but the first one.
func (p *process) threads() (list []int) {
	tasks, _ := os.ReadDir(procfs.Path(p.pid, "task"))
	for _, t := range tasks {
		if tid, err := strconv.Atoi(t.Name()); err == nil && tid != p.pid {
			list = append(list, tid)
		}
	}
	return list
}

// stray is a thread that is in another namespace of a kind than the first one, 0 for none.
func (p *process) stray(kind string) (tid int, link string) {
	for _, tid := range p.threads() {
		link, err := os.Readlink(procfs.Path(tid, "ns/"+kind))
		if err == nil && link != p.link(kind) {
			return tid, link
		}
	}
	return 0, ""
}

// worse is a thread for which bad tells something, with what it tells; 0 for none.
func (p *process) worse(bad func(s procfs.Status) string) (tid int, what string) {
	for _, tid := range p.threads() {
		s, err := procfs.ReadStatus(tid)
		if err != nil {
			continue // it has ended
		}
		if what := bad(s); what != "" {
			return tid, what
		}
	}
	return 0, ""
}

// everyThread is the verdict v, or that one of the threads is not as the first one.
func (p *process) everyThread(v verdict, bad func(s procfs.Status) string) verdict {
	if !v.done {
		return v
	}
	tid, what := p.worse(bad)
	if tid == 0 {
		return v
	}
	return oneThread(fmt.Sprintf("the first thread has it so, but thread %d: %s", tid, what), tid)
}

// oneThread is the verdict on threads that are not all alike.
func oneThread(got string, tid int) verdict {
	v := no(got, fmt.Sprintf("Thread %d is not as the first one: runtime.LockOSThread() before the "+
		"call, and execve from the same thread, at which the others end.", tid))
	v.page = "unshare, setns, capset, prctl and seccomp change the thread that calls them, and a Go " +
		"program has several. execve ends all but the one that calls it (pthreads(7))."
	return v
}
