package seccomp

import (
	"math"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// keepOffTerminal takes from a profile that allows ioctl(2) the two requests that
// type into a terminal what the user's shell then reads (TIOCSTI in
// ioctl_tty(2)): unlike Docker, kit may give a container its caller's own terminal.
// The answer is that of a kernel that has the request switched off.
func keepOffTerminal(p *specs.LinuxSeccomp) {
	for i, s := range p.Syscalls {
		at := slices.Index(s.Names, "ioctl")
		if at < 0 || len(s.Args) > 0 || s.Action != specs.ActAllow {
			continue
		}
		p.Syscalls[i].Names = slices.Concat(s.Names[:at], s.Names[at+1:])
		errno := uint(unix.EIO)
		for _, request := range []uint64{unix.TIOCSTI, unix.TIOCLINUX} {
			p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
				Names: []string{"ioctl"}, Action: specs.ActErrno, ErrnoRet: &errno,
				Args: []specs.LinuxSeccompArg{{
					// The kernel looks at the lower half of the argument only.
					Index: 1, Value: math.MaxUint32, ValueTwo: request, Op: specs.OpMaskedEqual,
				}},
			})
		}
		p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
			Names: []string{"ioctl"}, Action: specs.ActAllow,
			Args: []specs.LinuxSeccompArg{{Index: 1, Value: 0, Op: specs.OpGreaterEqual}},
		})
		return
	}
}
