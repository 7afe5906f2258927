package bpf

import (
	"slices"

	"golang.org/x/sys/unix"
)

// A word is a value of the machine, or one that depends on the call's arguments.
type word struct {
	value uint32
	open  bool // not known: it depends
}

// A machine is one run of a program, at one instruction.
type machine struct {
	pc   int
	a, x word
	mem  [16]word // BPF_MEMWORDS
}

// maxSteps is more than any run of a program takes that the kernel accepts (4096
// instructions, which only jump forwards), however often it parts.
const maxSteps = 1 << 16

// results runs the program for a system call of an architecture (AUDIT_ARCH_*) and
// returns all that it may answer, sorted: more than one where that depends on the
// call's arguments. Where an argument decides, the run goes both ways.
func (p Program) results(audit, nr uint32) []uint32 {
	var results []uint32
	runs := []machine{{}}
	for steps := 0; len(runs) > 0 && steps < maxSteps; steps++ {
		m := &runs[len(runs)-1]
		if m.pc < 0 || m.pc >= len(p) {
			runs = runs[:len(runs)-1]
			continue
		}
		in := p[m.pc]
		if in.Code&class == unix.BPF_RET {
			if r := m.result(in); !slices.Contains(results, r) {
				results = append(results, r)
			}
			runs = runs[:len(runs)-1]
			continue
		}
		if other, parted := m.step(in, audit, nr); parted {
			runs = append(runs, other)
		}
	}
	slices.Sort(results)
	return results
}

func (m *machine) result(in unix.SockFilter) uint32 {
	if in.Code&value == unix.BPF_A {
		return m.a.value
	}
	return in.K
}

// step executes one instruction. Where it may go two ways, m goes one of them, and
// other the second.
func (m *machine) step(in unix.SockFilter, audit, nr uint32) (other machine, parted bool) {
	pc := m.pc
	m.pc++
	switch in.Code & class {
	case unix.BPF_LD:
		m.a = m.load(in, audit, nr)
	case unix.BPF_LDX:
		m.x = m.load(in, audit, nr)
	case unix.BPF_ST:
		m.mem[in.K%16] = m.a
	case unix.BPF_STX:
		m.mem[in.K%16] = m.x
	case unix.BPF_ALU:
		m.a = compute(in.Code&op, m.a, m.operand(in))
	case unix.BPF_MISC:
		if in.Code&misc == unix.BPF_TXA {
			m.a = m.x
		} else {
			m.x = m.a
		}
	case unix.BPF_JMP:
		return m.jump(pc, in)
	}
	return machine{}, false
}

func (m *machine) jump(pc int, in unix.SockFilter) (other machine, parted bool) {
	if in.Code&op == unix.BPF_JA {
		m.pc = target(pc, in.K)
		return machine{}, false
	}
	yes, no := jumps(pc, in)
	k := m.operand(in)
	if (m.a.open || k.open) && yes != no {
		other = *m
		m.pc, other.pc = yes, no
		return other, true
	}
	m.pc = no
	if holds(in.Code&op, m.a.value, k.value) {
		m.pc = yes
	}
	return machine{}, false
}

// operand is X or the constant.
func (m *machine) operand(in unix.SockFilter) word {
	if in.Code&unix.BPF_X != 0 {
		return m.x
	}
	return word{value: in.K}
}

// load is what a load instruction loads.
func (m *machine) load(in unix.SockFilter, audit, nr uint32) word {
	switch in.Code & mode {
	case unix.BPF_IMM:
		return word{value: in.K}
	case unix.BPF_LEN:
		return word{value: dataSize}
	case unix.BPF_MEM:
		return m.mem[in.K%16]
	}
	switch field(in.K) {
	case number:
		return word{value: nr}
	case arch:
		return word{value: audit}
	}
	return word{open: true}
}

// holds tells whether a conditional jump is taken.
func holds(op uint16, a, k uint32) bool {
	switch op {
	case unix.BPF_JEQ:
		return a == k
	case unix.BPF_JGT:
		return a > k
	case unix.BPF_JGE:
		return a >= k
	}
	return a&k != 0 // BPF_JSET
}

// compute is an operation of arithmetic or logic.
func compute(op uint16, a, k word) word {
	if a.open || k.open && op != unix.BPF_NEG {
		return word{open: true}
	}
	v := a.value
	switch op {
	case unix.BPF_ADD:
		v += k.value
	case unix.BPF_SUB:
		v -= k.value
	case unix.BPF_MUL:
		v *= k.value
	case unix.BPF_DIV:
		v /= max(k.value, 1) // the kernel ends the program; its loader refuses constants 0
	case unix.BPF_OR:
		v |= k.value
	case unix.BPF_AND:
		v &= k.value
	case unix.BPF_LSH:
		v <<= k.value
	case unix.BPF_RSH:
		v >>= k.value
	case unix.BPF_XOR:
		v ^= k.value
	case unix.BPF_NEG:
		v = -v
	}
	return word{value: v}
}
