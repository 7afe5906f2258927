package seccomp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// numbersToTry are all that mean something, and the borders around them.
func numbersToTry() []uint32 {
	var list []uint32
	for nr := range uint32(600) {
		list = append(list, nr, nr|x32Bit)
	}
	return append(list, privateARM, privateARM+1, privateARM+5, privateARM+6,
		x32Bit-1, 1<<31-1, 1<<31, ^uint32(0)-1, ^uint32(0))
}

// auditsToTry are the machine's own architectures, and one that is not.
func auditsToTry() []uint32 { return append(auditArches(), unix.AUDIT_ARCH_S390X) }

// TestDefaultProfile compares what the filter of Docker's profile returns with
// what the profile says, for all numbers of all architectures, with arguments
// around those that the profile names.
func TestDefaultProfile(t *testing.T) {
	values := []uint64{
		0, 1, 2, 8, 16, 38, 40, 0x20000, 0x20008, 0xffffffff, 1 << 32, 1<<32 | 8,
		unix.CLONE_NEWUSER, unix.CLONE_NEWUSER | 1<<32, unix.CLONE_VM | unix.CLONE_VFORK, ^uint64(0),
	}
	for _, capabilities := range [][]string{
		nil,
		{"CAP_CHOWN"},
		{"CAP_SYS_ADMIN"},
		{"CAP_SYS_PTRACE", "CAP_SYS_BOOT"},
		{"CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON", "CAP_SYS_CHROOT", "CAP_SYS_TIME", "CAP_SYSLOG"},
	} {
		filter, err := Default(capabilities)
		require.NoError(t, err)
		run, j := machine(t, filter), newJudge(moby.DefaultProfile(), capabilities...)
		for _, audit := range auditsToTry() {
			for i, nr := range numbersToTry() {
				m := made{audit: audit, nr: nr}
				for a := range m.args {
					m.args[a] = values[(i+a)%len(values)]
				}
				require.Equal(t, j.expect(t, m), run(m), "%v %+v", capabilities, m)
			}
		}
		// The calls with conditions, with every value.
		for _, name := range []string{"clone", "personality", "socket", "clone3"} {
			nr := arches()[0].nr(name)
			for _, v := range values {
				m := made{audit: arches()[0].audit, nr: nr, args: [6]uint64{v}}
				require.Equal(t, j.expect(t, m), run(m), "%v %s %#x", capabilities, name, v)
			}
		}
	}
}

// TestAnyProfile does the same with profiles made up by chance.
func TestAnyProfile(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 6))
		text, err := json.Marshal(randomProfile(random))
		require.NoError(t, err)
		var p moby.Seccomp
		require.NoError(t, json.Unmarshal(text, &p))
		filter, err := Parse(text, nil)
		require.NoError(t, err, "%s", text)
		run, j := machine(t, filter), newJudge(&p)
		var values []uint64
		for _, s := range p.Syscalls {
			for _, a := range s.Args {
				values = append(values, a.Value, a.Value+1, a.Value-1, a.ValueTwo, a.ValueTwo|^a.Value)
			}
		}
		values = append(values, 0, ^uint64(0))
		for _, audit := range auditsToTry() {
			for range 600 {
				m := made{audit: audit, nr: uint32(random.IntN(40))}
				if random.IntN(5) == 0 {
					m.nr |= x32Bit
				}
				for a := range m.args {
					m.args[a] = values[random.IntN(len(values))]
				}
				require.Equal(t, j.expect(t, m), run(m), "seed %d: %+v\n%s", seed, m, text)
			}
		}
	}
}

// randomProfile has rules of all kinds for the calls with the lowest numbers.
func randomProfile(random *rand.Rand) any {
	actions := []string{
		"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
		"SCMP_ACT_TRAP", "SCMP_ACT_LOG", "SCMP_ACT_TRACE",
	}
	ops := []string{
		"SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GT", "SCMP_CMP_GE",
		"SCMP_CMP_MASKED_EQ",
	}
	var names []string
	for _, a := range arches() {
		for name, nr := range a.numbers() {
			if nr&^x32Bit < 40 && name != "socketcall" {
				names = append(names, name)
			}
		}
	}
	value := func() uint64 {
		return []uint64{0, 1, 7, 1 << 31, 1 << 32, 1<<32 | 5, random.Uint64()}[random.IntN(7)]
	}
	var rules []any
	for range 1 + random.IntN(40) {
		var args []any
		for range random.IntN(4) {
			args = append(args, map[string]any{
				"index": random.IntN(6), "op": ops[random.IntN(len(ops))],
				"value": value(), "valueTwo": value(),
			})
		}
		rules = append(rules, map[string]any{
			"names":  []string{names[random.IntN(len(names))], names[random.IntN(len(names))]},
			"action": actions[random.IntN(len(actions))], "errnoRet": random.IntN(100), "args": args,
		})
	}
	profile := map[string]any{"defaultAction": actions[random.IntN(len(actions))], "syscalls": rules}
	if random.IntN(2) == 0 {
		all := []string{"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"}
		profile["architectures"] = all[:1+random.IntN(3)]
	}
	return profile
}

// TestLongJumps has sections that no conditional jump can pass over.
func TestLongJumps(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	for name, nr := range arches()[0].numbers() {
		if nr%2 == 0 { // no two of them are neighbours
			p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
				Names: []string{name}, Action: specs.ActAllow,
				Args: []specs.LinuxSeccompArg{{Index: 1, Op: specs.OpGreaterThan, Value: uint64(nr)}},
			})
		}
	}
	filter, err := compile(p)
	require.NoError(t, err)
	require.Greater(t, len(instructions(filter)), 1000)
	run := machine(t, filter)
	for _, nr := range arches()[0].numbers() {
		m := made{audit: arches()[0].audit, nr: nr, args: [6]uint64{0, uint64(nr) + 1}}
		require.Equal(t, nr%2 == 0, run(m) == unix.SECCOMP_RET_ALLOW, nr)
	}
}

// TestSearchIsShort: most calls are decided after a few instructions, not hundreds.
func TestSearchIsShort(t *testing.T) {
	filter, err := Default(nil)
	require.NoError(t, err)
	require.Less(t, len(instructions(filter)), 1000)
	for nr := range uint32(450) {
		m := made{audit: arches()[0].audit, nr: nr, args: [6]uint64{1 << 40}}
		require.LessOrEqual(t, steps(instructions(filter), m), 30, "call %d", nr)
	}
}

// steps counts the instructions that a call takes, socket's 50 families included
// only where its argument is one of the first.
func steps(filter []bpf.RawInstruction, m made) (n int) {
	register := uint32(0)
	for at := 0; ; at++ {
		n++
		switch f := filter[at]; f.Op {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			register = map[uint32]uint32{
				0: m.nr, 4: m.audit, 16: uint32(m.args[0]), 20: uint32(m.args[0] >> 32),
			}[f.K]
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(f.K)
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			at += jump(f, register == f.K)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			at += jump(f, register >= f.K)
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			at += jump(f, register > f.K)
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			register &= f.K
		case unix.BPF_LD | unix.BPF_IMM:
			register = f.K
		default:
			return n
		}
	}
}

func jump(f bpf.RawInstruction, holds bool) int {
	if holds {
		return int(f.Jt)
	}
	return int(f.Jf)
}

// BenchmarkDefault is what a start of step 6 pays for its filter.
func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		if _, err := Default([]string{"CAP_CHOWN"}); err != nil {
			b.Fatal(err)
		}
	}
}

// ExampleDefault shows how large the filter is.
func ExampleDefault() {
	filter, err := Default(nil)
	fmt.Println(len(filter)/8 > 100, err)
	// Output: true <nil>
}
