package seccomp

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A span is what shall happen to the calls from a number on, up to the next span.
type span struct {
	from uint32
	code []bpf.Instruction
}

// compile makes the program: one section for each architecture, in it a binary
// search for the number, at the end of which stands what the profile says. A call
// with the numbers of an architecture that the profile does not list ends the
// process: such numbers mean other calls, and would lead around the filter.
func compile(p *specs.LinuxSeccomp) ([]byte, error) {
	program := []bpf.Instruction{load(4)}
	for _, audit := range auditArches() {
		spans, err := spansOf(p, audit)
		if err != nil {
			return nil, err
		}
		if spans == nil {
			continue
		}
		section := append([]bpf.Instruction{load(0)}, search(spans)...)
		program = append(program, skipIf(bpf.JumpNotEqual, audit, len(section))...)
		program = append(program, section...)
	}
	program = append(program, ret(unix.SECCOMP_RET_KILL_PROCESS)...)
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, err
	}
	if len(raw) > unix.BPF_MAXINSNS {
		return nil, fmt.Errorf("%d instructions: the kernel takes %d", len(raw), unix.BPF_MAXINSNS)
	}
	filter := make([]byte, 0, len(raw)*unix.SizeofSockFilter)
	for _, r := range raw { // struct sock_filter, in the order of bytes of kit's machines
		filter = binary.LittleEndian.AppendUint16(filter, r.Op)
		filter = append(filter, r.Jt, r.Jf)
		filter = binary.LittleEndian.AppendUint32(filter, r.K)
	}
	return filter, nil
}

// auditArches are the architectures as a filter sees them, each once.
func auditArches() []uint32 {
	var list []uint32
	for _, a := range arches() {
		if !slices.Contains(list, a.audit) {
			list = append(list, a.audit)
		}
	}
	return list
}

// spansOf divides all numbers of an audit architecture among spans; nil if the
// profile does not list it. The machine's own is always part of a profile.
func spansOf(p *specs.LinuxSeccomp, audit uint32) ([]span, error) {
	var spans []span
	for i, a := range arches() {
		if a.audit != audit {
			continue
		}
		if i > 0 && !slices.Contains(p.Architectures, a.spec) {
			if a.spec == specs.ArchX32 {
				// -1 is no call of x32: a tracer has told the kernel to skip a call.
				spans = append(spans, span{x32Bit, ret(unix.SECCOMP_RET_KILL_PROCESS)},
					span{^uint32(0), unknown(p)})
			}
			continue
		}
		list, err := calls(p, a)
		if err != nil {
			return nil, err
		}
		start := uint32(0)
		if a.spec == specs.ArchX32 {
			start = x32Bit
		}
		spans = append(spans, spansFrom(start, list, p)...)
	}
	return merge(spans), nil
}

// spansFrom lines the calls of one architecture up. Between them stands the
// default; after the last there is what the profile's author could not know.
func spansFrom(start uint32, list map[uint32]call, p *specs.LinuxSeccomp) []span {
	otherwise, _ := result(p.DefaultAction, p.DefaultErrnoRet)
	spans, next := []span{}, start
	last := start
	for nr := range list {
		if nr < privateARM || nr >= x32Bit {
			last = max(last, nr)
		}
	}
	for _, nr := range slices.Sorted(maps.Keys(list)) {
		if nr > next {
			gap := ret(otherwise)
			if next > last {
				gap = unknown(p)
			}
			spans = append(spans, span{next, gap})
		}
		spans = append(spans, span{nr, list[nr].code(otherwise)})
		next = nr + 1
	}
	return append(spans, span{next, unknown(p)})
}

// unknown is for calls with numbers above all that the profile names. Where the
// default is to refuse, they do not exist (ENOSYS), as runc has it: a libc that
// tries a new call then uses an older one, while EPERM would make it give up.
func unknown(p *specs.LinuxSeccomp) []bpf.Instruction {
	otherwise, _ := result(p.DefaultAction, p.DefaultErrnoRet)
	if allowing(otherwise) {
		return ret(otherwise)
	}
	return ret(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))
}

// merge makes one span of neighbours that say the same.
func merge(spans []span) []span {
	return slices.CompactFunc(spans, func(a, b span) bool { return slices.Equal(a.code, b.code) })
}

// search is a binary search for the span of the number in the register.
func search(spans []span) []bpf.Instruction {
	if len(spans) == 1 {
		return spans[0].code
	}
	middle := len(spans) / 2
	lower, upper := search(spans[:middle]), search(spans[middle:])
	code := skipIf(bpf.JumpGreaterOrEqual, spans[middle].from, len(lower))
	return append(append(code, lower...), upper...)
}

// skipIf passes over the next n instructions where the comparison holds. A
// conditional jump reaches 255 instructions; only one without condition goes
// farther.
func skipIf(cmp bpf.JumpTest, value uint32, n int) []bpf.Instruction {
	if n <= 255 {
		return []bpf.Instruction{bpf.JumpIf{Cond: cmp, Val: value, SkipTrue: uint8(n)}}
	}
	return []bpf.Instruction{
		bpf.JumpIf{Cond: cmp, Val: value, SkipFalse: 1}, bpf.Jump{Skip: uint32(n)},
	}
}
