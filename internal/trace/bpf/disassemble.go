package bpf

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A meaning is what a register holds: a field of the call, or something else.
type meaning struct {
	field field
	known bool
}

func loaded(f field) meaning { return meaning{f, true} }

// A point is what is known whenever the run comes to an instruction.
type point struct {
	reached bool
	a       meaning
	arch    uint32 // 0: any
}

// flow follows the program along its jumps, which only lead forwards, and tells for
// each instruction what register A means there, and for which architecture it is.
func (p Program) flow() []point {
	points := make([]point, len(p)+1)
	points[0].reached = true
	for pc, in := range p {
		now := points[pc]
		if !now.reached {
			continue
		}
		switch {
		case in.Code&class == unix.BPF_RET:
		case in.Code&class == unix.BPF_JMP && in.Code&op == unix.BPF_JA:
			join(points, target(pc, in.K), now)
		case in.Code&class == unix.BPF_JMP:
			yes, no := jumps(pc, in)
			join(points, no, now)
			if isEqual(in) && now.a == loaded(arch) {
				now.arch = in.K
			}
			join(points, yes, now)
		default:
			now.a = after(in, now.a)
			join(points, pc+1, now)
		}
	}
	return points
}

// after is what A means after an instruction that does not jump.
func after(in unix.SockFilter, a meaning) meaning {
	switch in.Code & class {
	case unix.BPF_LD:
		if in.Code&mode == unix.BPF_ABS {
			return loaded(field(in.K))
		}
		return meaning{}
	case unix.BPF_ALU, unix.BPF_MISC:
		return meaning{}
	}
	return a
}

// join adds a way to come to an instruction.
func join(points []point, pc int, from point) {
	if pc >= len(points) {
		return
	}
	to := &points[pc]
	if !to.reached {
		*to = from
		return
	}
	if to.a != from.a {
		to.a = meaning{}
	}
	if to.arch != from.arch {
		to.arch = 0
	}
}

func isEqual(in unix.SockFilter) bool {
	return in.Code&(class|op) == unix.BPF_JMP|unix.BPF_JEQ && in.Code&unix.BPF_X == 0
}

// Disassemble returns the program in words, an instruction a line.
func (p Program) Disassemble(t Target) []string {
	var lines []string
	points := p.flow()
	for pc, in := range p {
		lines = append(lines, fmt.Sprintf("%4d  %s", pc, p.text(pc, in, points[pc], t)))
	}
	return lines
}

func (p Program) text(pc int, in unix.SockFilter, at point, t Target) string {
	switch in.Code & class {
	case unix.BPF_LD:
		return "A = " + source(in)
	case unix.BPF_LDX:
		return "X = " + source(in)
	case unix.BPF_ST:
		return fmt.Sprintf("M[%d] = A", in.K)
	case unix.BPF_STX:
		return fmt.Sprintf("M[%d] = X", in.K)
	case unix.BPF_ALU:
		return arithmetic(in)
	case unix.BPF_MISC:
		if in.Code&misc == unix.BPF_TXA {
			return "A = X"
		}
		return "X = A"
	case unix.BPF_RET:
		if in.Code&value == unix.BPF_A {
			return "return A"
		}
		return "return " + action(in.K)
	}
	if in.Code&op == unix.BPF_JA {
		return fmt.Sprintf("goto %d", target(pc, in.K))
	}
	yes, no := jumps(pc, in)
	text := "if " + condition(in, at, t)
	switch pc + 1 {
	case no:
		return fmt.Sprintf("%s goto %d", text, yes)
	case yes:
		return fmt.Sprintf("%s go on, else goto %d", text, no)
	}
	return fmt.Sprintf("%s goto %d, else goto %d", text, yes, no)
}

// source is what a load instruction loads.
func source(in unix.SockFilter) string {
	switch in.Code & mode {
	case unix.BPF_IMM:
		return fmt.Sprintf("0x%x", in.K)
	case unix.BPF_LEN:
		return "the length of the data"
	case unix.BPF_MEM:
		return fmt.Sprintf("M[%d]", in.K)
	}
	return field(in.K).String()
}

// String names a word of struct seccomp_data.
func (f field) String() string {
	const pointer, args = 8, 16
	// The lower half of a number comes first where the machine is little-endian, as
	// all that kit is built for are.
	half := [2]string{"low", "high"}[f/4%2]
	switch {
	case f == number:
		return "nr"
	case f == arch:
		return "arch"
	case f >= pointer && f < args:
		return "instruction_pointer." + half
	case f < dataSize:
		return fmt.Sprintf("args[%d].%s", (f-args)/8, half)
	}
	return fmt.Sprintf("data[%d]", uint32(f))
}

func arithmetic(in unix.SockFilter) string {
	if in.Code&op == unix.BPF_NEG {
		return "A = -A"
	}
	sign := map[uint16]string{
		unix.BPF_ADD: "+", unix.BPF_SUB: "-", unix.BPF_MUL: "*", unix.BPF_DIV: "/",
		unix.BPF_OR: "|", unix.BPF_AND: "&", unix.BPF_LSH: "<<", unix.BPF_RSH: ">>",
		unix.BPF_XOR: "^",
	}[in.Code&op]
	return fmt.Sprintf("A %s= %s", sign, operand(in))
}

func operand(in unix.SockFilter) string {
	if in.Code&unix.BPF_X != 0 {
		return "X"
	}
	return fmt.Sprintf("0x%x", in.K)
}

// condition is what a jump depends on, with the names of what A is compared to.
func condition(in unix.SockFilter, at point, t Target) string {
	sign := "&"
	switch in.Code & op {
	case unix.BPF_JEQ:
		sign = "=="
	case unix.BPF_JGT:
		sign = ">"
	case unix.BPF_JGE:
		sign = ">="
	}
	left, right := "A", operand(in)
	if at.a.known {
		left = at.a.field.String()
	}
	switch {
	case in.Code&unix.BPF_X != 0:
	case at.a == loaded(arch):
		right = archName(in.K)
	case at.a == loaded(number):
		right = fmt.Sprint(in.K)
		mine := at.arch == t.Arch || at.arch == 0
		if mine && int(in.K) < len(t.Names) && t.Names[in.K] != "" && sign != "&" {
			right += " (" + t.Names[in.K] + ")"
		}
	}
	return left + " " + sign + " " + right
}
