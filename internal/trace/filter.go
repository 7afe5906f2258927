package trace

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/bpf"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// decodeFilter tells in e what the filter does that th has loaded, by seccomp(2) or
// by prctl(2).
func (t *tracer) decodeFilter(th *thread, e *Event) {
	c := &th.call
	var addr uint64
	switch args := c.frame.Args; {
	case c.Compat:
		return
	case c.Name == "seccomp" && args[0] == unix.SECCOMP_SET_MODE_FILTER:
		addr = args[2]
	case c.Name == "prctl" && args[0] == unix.PR_SET_SECCOMP && args[1] == unix.SECCOMP_MODE_FILTER:
		addr = args[2]
	default:
		return
	}
	// struct sock_fprog: the number of instructions, and where they are.
	header := c.words(addr, 2)
	data := make([]byte, min(header[0]&0xffff, unix.BPF_MAXINSNS)*bpf.Size)
	program := bpf.Parse(data[:c.frame.Memory.Read(header[1], data)])
	target := bpf.Target{Arch: syscalls.Arch, X32: syscalls.X32, Names: syscalls.Names()}
	e.Decoded = append(e.Decoded,
		Decoded{Filter, program.Summarize(target).Lines()},
		Decoded{Code, program.Disassemble(target)})
}
