package seccomp

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A made call is what a filter sees of a system call.
type made struct {
	audit, nr uint32
	args      [6]uint64
}

// machine runs a filter as the kernel does. The machine of x/net/bpf reads bytes
// in network order, so that is how it gets them.
func machine(t testing.TB, filter []byte) func(made) uint32 {
	t.Helper()
	program, ok := bpf.Disassemble(instructions(filter))
	require.True(t, ok)
	vm, err := bpf.NewVM(program)
	require.NoError(t, err)
	return func(m made) uint32 {
		var data [64]byte
		binary.BigEndian.PutUint32(data[0:], m.nr)
		binary.BigEndian.PutUint32(data[4:], m.audit)
		for i, a := range m.args {
			binary.BigEndian.PutUint32(data[16+8*i:], uint32(a))
			binary.BigEndian.PutUint32(data[20+8*i:], uint32(a>>32))
		}
		result, err := vm.Run(data[:])
		require.NoError(t, err)
		return uint32(result)
	}
}

// A judge reads a profile like a person: rule by rule, from the top, by name.
type judge struct {
	profile      *moby.Seccomp
	capabilities []string
	names        map[specs.Arch]map[uint32]string
	last         map[specs.Arch]uint32 // the highest number that the profile names
}

func newJudge(p *moby.Seccomp, capabilities ...string) judge {
	j := judge{p, capabilities, map[specs.Arch]map[uint32]string{}, map[specs.Arch]uint32{}}
	for _, a := range arches() {
		j.names[a.spec] = map[uint32]string{}
		for name, nr := range a.numbers() {
			j.names[a.spec][nr] = name
			if j.mentions(name) && (nr < privateARM || nr >= x32Bit) {
				j.last[a.spec] = max(j.last[a.spec], nr)
			}
		}
	}
	return j
}

// applies looks at a rule's conditions on the container and the machine.
func (j judge) applies(s *moby.Syscall) bool {
	native := runtime.GOARCH // amd64 and arm64 are called so in profiles, too
	if f := s.Includes; f != nil {
		for _, c := range f.Caps {
			if !slices.Contains(j.capabilities, c) {
				return false
			}
		}
		if len(f.Arches) > 0 && !slices.Contains(f.Arches, native) {
			return false
		}
		if k := f.MinKernel; k != nil && k.Kernel > 4 {
			return false // none of the tests' profiles asks for a newer kernel than theirs
		}
	}
	if f := s.Excludes; f != nil {
		for _, c := range f.Caps {
			if slices.Contains(j.capabilities, c) {
				return false
			}
		}
		if slices.Contains(f.Arches, native) {
			return false
		}
	}
	return true
}

// verdict is what shall happen to a call of a name.
func (j judge) verdict(t testing.TB, name string, args [6]uint64) uint32 {
	t.Helper()
	otherwise, err := result(j.profile.DefaultAction, j.profile.DefaultErrnoRet)
	require.NoError(t, err)
	var conditional []uint32
	for _, s := range j.profile.Syscalls {
		if !j.applies(s) || !slices.Contains(names(s), name) {
			continue
		}
		is, err := result(s.Action, s.ErrnoRet)
		require.NoError(t, err)
		if is == otherwise {
			continue
		}
		if len(s.Args) == 0 {
			return is
		}
		if hold(s.Args, args) {
			conditional = append(conditional, is)
		}
	}
	return append(conditional, otherwise)[0]
}

// mentions tells that a rule which applies names a call.
func (j judge) mentions(name string) bool {
	return slices.ContainsFunc(j.profile.Syscalls, func(s *moby.Syscall) bool {
		return j.applies(s) && slices.Contains(names(s), name)
	})
}

// hold tells that a rule's conditions hold: all, or any where two are about the
// same argument.
func hold(conditions []specs.LinuxSeccompArg, args [6]uint64) bool {
	held, seen, twice := 0, map[uint]bool{}, false
	for _, c := range conditions {
		twice = twice || seen[c.Index]
		seen[c.Index] = true
		a := args[c.Index]
		ok := map[specs.LinuxSeccompOperator]bool{
			specs.OpEqualTo: a == c.Value, specs.OpNotEqual: a != c.Value,
			specs.OpLessThan: a < c.Value, specs.OpLessEqual: a <= c.Value,
			specs.OpGreaterThan: a > c.Value, specs.OpGreaterEqual: a >= c.Value,
			specs.OpMaskedEqual: a&c.Value == c.ValueTwo,
		}[c.Op]
		if ok {
			held++
		}
	}
	return held == len(conditions) || twice && held > 0
}

// expect is the verdict on a call as it is made, by number.
func (j judge) expect(t testing.TB, m made) uint32 {
	t.Helper()
	for _, a := range arches() {
		x32 := m.nr&x32Bit != 0 && a.audit == unix.AUDIT_ARCH_X86_64 && m.nr != ^uint32(0)
		if a.audit != m.audit || x32 != (a.spec == specs.ArchX32) {
			continue
		}
		if !slices.Contains(j.listed(), a.spec) {
			return unix.SECCOMP_RET_KILL_PROCESS
		}
		return j.expectIn(t, a, m)
	}
	return unix.SECCOMP_RET_KILL_PROCESS
}

// listed are the architectures of the profile, the machine's own always.
func (j judge) listed() []specs.Arch {
	list := append([]specs.Arch{arches()[0].spec}, j.profile.Architectures...)
	for _, m := range j.profile.ArchMap {
		if m.Arch == arches()[0].spec {
			list = append(list, m.SubArches...)
		}
	}
	return list
}

func (j judge) expectIn(t testing.TB, a arch, m made) uint32 {
	otherwise, err := result(j.profile.DefaultAction, j.profile.DefaultErrnoRet)
	require.NoError(t, err)
	name := j.names[a.spec][m.nr]
	for i := range m.args {
		if a.narrow {
			m.args[i] &= 1<<32 - 1
		}
	}
	if name == "socketcall" && a.spec == specs.ArchX86 {
		return j.socketcall(t, m)
	}
	refusing := !strings.Contains("SCMP_ACT_ALLOW SCMP_ACT_LOG SCMP_ACT_TRACE",
		string(j.profile.DefaultAction))
	if refusing && m.nr > j.last[a.spec] && (name == "" || !j.mentions(name)) {
		return unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	}
	if name == "" {
		return otherwise
	}
	return j.verdict(t, name, m.args)
}

// socketcall is allowed as a whole, or call by call.
func (j judge) socketcall(t testing.TB, m made) uint32 {
	otherwise, err := result(j.profile.DefaultAction, j.profile.DefaultErrnoRet)
	require.NoError(t, err)
	if v := j.verdict(t, "socketcall", m.args); v != otherwise {
		return v
	}
	for name, p := range parts() {
		for _, s := range j.profile.Syscalls {
			if p.call == "socketcall" && p.arg == m.args[0] && len(s.Args) == 0 && j.applies(s) &&
				slices.Contains(s.Names, name) {
				return j.verdict(t, name, m.args)
			}
		}
	}
	return otherwise
}
