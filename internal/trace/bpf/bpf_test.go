package bpf

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	profiles "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	netbpf "golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/syscalls"
)

// target is a machine with four system calls.
var four = Target{
	Arch: unix.AUDIT_ARCH_X86_64, X32: true,
	Names: []string{"read", "write", "mount", "clone", "reboot"},
}

const (
	loadWord = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ret      = unix.BPF_RET | unix.BPF_K
	eperm    = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
)

// handMade is what one would write by hand: mount and reboot are denied, and clone
// with CLONE_NEWUSER; another architecture is death.
var handMade = Program{
	{Code: loadWord, K: uint32(arch)},
	{Code: equal, K: unix.AUDIT_ARCH_X86_64, Jt: 1},
	{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
	{Code: loadWord, K: uint32(number)},
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: x32Bit, Jt: 6},
	{Code: equal, K: 2, Jt: 5},
	{Code: equal, K: 4, Jt: 4},
	{Code: equal, K: 3, Jf: 2},
	{Code: loadWord, K: 16},
	{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_NEWUSER, Jt: 1},
	{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	{Code: ret, K: eperm},
}

func TestSummary(t *testing.T) {
	s := handMade.Summarize(four)
	require.Equal(t, Summary{
		Instructions: 12, Arches: []string{"x86_64"}, Foreign: "KILL_PROCESS",
		X32: "EPERM", Unknown: "ALLOW", Allowed: 2,
		Denied:      []Group{{"EPERM", []string{"mount", "reboot"}}},
		Conditional: []Group{{"ALLOW or EPERM", []string{"clone"}}},
	}, s)
	require.Equal(t, []string{
		"12 instructions, for x86_64 (another architecture: KILL_PROCESS); x32's calls: EPERM",
		"allows 2 calls; a number that it does not know: ALLOW",
		"denies 2 with EPERM: mount, reboot",
		"ALLOW or EPERM, by the arguments: clone",
	}, s.Lines())
}

func TestDisassemble(t *testing.T) {
	require.Equal(t, []string{
		"   0  A = arch",
		"   1  if arch == x86_64 goto 3",
		"   2  return KILL_PROCESS",
		"   3  A = nr",
		"   4  if nr >= 1073741824 goto 11",
		"   5  if nr == 2 (mount) goto 11",
		"   6  if nr == 4 (reboot) goto 11",
		"   7  if nr == 3 (clone) go on, else goto 10",
		"   8  A = args[0].low",
		"   9  if args[0].low & 0x10000000 goto 11",
		"  10  return ALLOW",
		"  11  return EPERM",
	}, handMade.Disassemble(four))
}

func TestArithmetic(t *testing.T) {
	p := Program{
		{Code: unix.BPF_LDX | unix.BPF_IMM, K: 6},
		{Code: loadWord, K: uint32(number)},
		{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_X},
		{Code: unix.BPF_ALU | unix.BPF_SUB | unix.BPF_K, K: 18},
		{Code: unix.BPF_ST, K: 3},
		{Code: unix.BPF_LD | unix.BPF_LEN},
		{Code: unix.BPF_LD | unix.BPF_MEM, K: 3},
		{Code: equal, K: 0, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 1},
		{Code: ret, K: eperm},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	require.Equal(t, []Group{{"EPERM", []string{"clone"}}}, p.Summarize(four).Denied)
	text := strings.Join(p.Disassemble(four), "\n")
	for _, line := range []string{
		"X = 0x6", "A *= X", "A -= 0x12", "M[3] = A", "A = M[3]", "goto 10",
	} {
		require.Contains(t, text, "  "+line)
	}
}

func TestAnyProgramEnds(_ *testing.T) {
	for _, p := range []Program{
		nil,
		{{Code: 0xffff, Jt: 255, Jf: 255, K: ^uint32(0)}},
		{{Code: unix.BPF_JMP | unix.BPF_JA, K: ^uint32(0)}},
		{{Code: loadWord, K: ^uint32(0)}, {Code: unix.BPF_ST, K: 99}},
	} {
		p.Summarize(four).Lines()
		p.Disassemble(four)
	}
}

func TestParse(t *testing.T) {
	var data []byte
	for _, in := range handMade {
		data = binary.NativeEndian.AppendUint16(data, in.Code)
		data = append(data, in.Jt, in.Jf)
		data = binary.NativeEndian.AppendUint32(data, in.K)
	}
	require.Equal(t, handMade, Parse(data))
	require.Equal(t, handMade[:11], Parse(data[:len(data)-1]))
}

// TestDefaultProfile reads a filter as large as they come: Docker's.
func TestDefaultProfile(t *testing.T) {
	p := dockers(t)
	s := p.Summarize(native)
	require.Greater(t, s.Allowed, 250)
	require.Equal(t, "EPERM", s.Unknown)
	denied := map[string]string{}
	for _, g := range s.Denied {
		for _, name := range g.Calls {
			denied[name] = g.Action
		}
	}
	for _, name := range []string{"mount", "reboot", "keyctl", "unshare", "setns", "bpf", "clone3"} {
		require.Equal(t, "EPERM", denied[name], name)
	}
	for _, name := range []string{"read", "execve", "chown", "ptrace"} {
		require.NotContains(t, denied, name)
	}
	var open []string
	for _, g := range s.Conditional {
		open = append(open, g.Calls...)
	}
	require.Subset(t, open, []string{"clone", "personality"})
	require.Len(t, p.Disassemble(native), s.Instructions)
}

// dockers is Docker's default profile as a filter, for a container with its default
// capabilities.
func dockers(t *testing.T) Program {
	spec := &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{
		Bounding: []string{"CAP_CHOWN", "CAP_SYS_CHROOT"},
	}}}
	profile, err := profiles.GetDefaultProfile(spec)
	require.NoError(t, err)
	policy := &seccomp.Policy{DefaultAction: actionOf(profile.DefaultAction)}
	for _, call := range profile.Syscalls {
		policy.Syscalls = append(policy.Syscalls, group(call))
	}
	instructions, err := policy.Assemble()
	require.NoError(t, err)
	raw, err := netbpf.Assemble(instructions)
	require.NoError(t, err)
	var p Program
	for _, in := range raw {
		p = append(p, unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K})
	}
	return p
}

var native = Target{Arch: syscalls.Arch, X32: syscalls.X32, Names: syscalls.Names()}

// actionOf knows no other errno than EPERM.
func actionOf(a specs.LinuxSeccompAction) seccomp.Action {
	if a == specs.ActAllow {
		return seccomp.ActionAllow
	}
	return seccomp.ActionErrno
}

// group leaves out the calls that this machine does not have.
func group(call specs.LinuxSyscall) seccomp.SyscallGroup {
	g := seccomp.SyscallGroup{Action: actionOf(call.Action)}
	var conditions seccomp.ArgumentConditions
	for _, a := range call.Args {
		c := seccomp.Condition{Argument: uint32(a.Index), Operation: "Equal", Value: a.Value}
		switch a.Op {
		case specs.OpNotEqual:
			c.Operation = "NotEqual"
		case specs.OpMaskedEqual:
			c.Operation = "BitsNotSet"
		}
		conditions = append(conditions, c)
	}
	for _, name := range call.Names {
		switch {
		case !slices.Contains(native.Names, name):
		case conditions == nil:
			g.Names = append(g.Names, name)
		default:
			g.NamesWithCondtions = append(g.NamesWithCondtions,
				seccomp.NameWithConditions{Name: name, Conditions: conditions})
		}
	}
	return g
}
