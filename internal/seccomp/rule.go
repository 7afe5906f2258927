package seccomp

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A call is what a profile says about one system call. As in libseccomp, the first
// rule without conditions decides alone; otherwise the first whose conditions all
// hold, and the profile's default if there is none.
type call struct {
	rules  []rule
	always *uint32
}

// A rule gives a result where all of its conditions hold.
type rule struct {
	conditions []condition
	result     uint32
}

// calls collects the rules of a profile by the numbers of one architecture. Names
// that it does not have are passed over: profiles are written for all of them.
func calls(p *specs.LinuxSeccomp, a arch) (map[uint32]call, error) {
	otherwise, err := result(p.DefaultAction, p.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	list := make(map[uint32]call, len(table))
	var both map[string]part
	if a.spec == specs.ArchX86 {
		both = parts()
	}
	for _, s := range p.Syscalls {
		result, err := result(s.Action, s.ErrnoRet)
		if err != nil {
			return nil, err
		}
		same := result == otherwise // says nothing new, and takes nothing back: as in runc
		for _, name := range s.Names {
			if nr, ok := a.number(name); ok {
				known := list[nr]
				if !same {
					known = known.with(conditions(s.Args, a.narrow), result)
				}
				list[nr] = known
			}
			if p, ok := both[name]; ok && len(s.Args) == 0 && !same {
				nr, _ := a.number(p.call)
				is := specs.LinuxSeccompArg{Value: p.arg, Op: specs.OpEqualTo}
				list[nr] = list[nr].with([]condition{{is, true}}, result)
			}
		}
	}
	return list, nil
}

// with adds a rule. Conditions on different arguments must all hold; of several on
// the same argument, as in runc, any one.
func (c call) with(all []condition, result uint32) call {
	if len(all) == 0 {
		if c.always == nil {
			c.always = &result
		}
		return c
	}
	var index []uint
	for _, one := range all {
		index = append(index, one.Index)
	}
	slices.Sort(index)
	if len(slices.Compact(index)) == len(all) {
		c.rules = append(c.rules, rule{all, result})
		return c
	}
	for _, one := range all {
		c.rules = append(c.rules, rule{[]condition{one}, result})
	}
	return c
}

// code decides about one call; it is entered with the call known, and returns.
func (c call) code(otherwise uint32) []bpf.Instruction {
	if c.always != nil {
		return ret(*c.always)
	}
	code := ret(otherwise)
	for _, r := range slices.Backward(c.rules) {
		code = append(r.code(), code...)
	}
	return code
}

// code returns if all conditions hold, and falls through to its end if one does not.
func (r rule) code() []bpf.Instruction {
	code := ret(r.result)
	for _, c := range slices.Backward(r.conditions) {
		code = c.test(code)
	}
	return code
}

func ret(result uint32) []bpf.Instruction {
	return []bpf.Instruction{bpf.RetConstant{Val: result}}
}

// A condition compares one argument, 64 bits wide, with a value.
type condition struct {
	specs.LinuxSeccompArg
	narrow bool // an argument of a 32-bit program: its upper half means nothing
}

func conditions(args []specs.LinuxSeccompArg, narrow bool) (list []condition) {
	for _, a := range args {
		list = append(list, condition{a, narrow})
	}
	return list
}

// test puts the comparison before then, which runs if it holds; if not, then is
// skipped. It returns nil for an operator that there is not.
//
// The machine's register has 32 bits, so the upper half is looked at first, and the
// lower half where that does not decide.
func (c condition) test(then []bpf.Instruction) []bpf.Instruction {
	high, low := uint32(c.Value>>32), uint32(c.Value)
	fail := uint8(len(then)) // a rule has 6 conditions at most: far below 255
	var code []bpf.Instruction
	switch c.Op {
	case specs.OpEqualTo:
		code = []bpf.Instruction{
			c.load(4),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: fail + 2},
			c.load(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipFalse: fail},
		}
	case specs.OpNotEqual:
		code = []bpf.Instruction{
			c.load(4),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: 2},
			c.load(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipTrue: fail},
		}
	case specs.OpGreaterThan:
		code = c.above(bpf.JumpGreaterThan, high, low, fail)
	case specs.OpGreaterEqual:
		code = c.above(bpf.JumpGreaterOrEqual, high, low, fail)
	case specs.OpLessThan:
		code = c.notAbove(bpf.JumpGreaterOrEqual, high, low, fail)
	case specs.OpLessEqual:
		code = c.notAbove(bpf.JumpGreaterThan, high, low, fail)
	case specs.OpMaskedEqual: // of the bits in value, those in valueTwo are set
		code = []bpf.Instruction{
			c.load(4),
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: high},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(c.ValueTwo >> 32), SkipFalse: fail + 3},
			c.load(0),
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: low},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(c.ValueTwo), SkipFalse: fail},
		}
	default:
		return nil
	}
	return append(code, then...)
}

// above tests for > or >=, which differ in the lower half only.
func (c condition) above(cmp bpf.JumpTest, high, low uint32, fail uint8) []bpf.Instruction {
	return []bpf.Instruction{
		c.load(4),
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: high, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: fail + 2},
		c.load(0),
		bpf.JumpIf{Cond: cmp, Val: low, SkipFalse: fail},
	}
}

// notAbove tests for the opposite.
func (c condition) notAbove(cmp bpf.JumpTest, high, low uint32, fail uint8) []bpf.Instruction {
	return []bpf.Instruction{
		c.load(4),
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: high, SkipTrue: fail + 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: 2},
		c.load(0),
		bpf.JumpIf{Cond: cmp, Val: low, SkipTrue: fail},
	}
}

// load puts half of the argument into the register: struct seccomp_data is number,
// architecture, instruction pointer and six arguments (seccomp(2)), and both of
// kit's architectures store the lower half first.
func (c condition) load(half uint32) bpf.Instruction {
	if c.narrow && half != 0 {
		return bpf.LoadConstant{Dst: bpf.RegA, Val: 0}
	}
	return load(16 + 8*uint32(c.Index) + half)
}

func load(offset uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offset, Size: 4} }

// allowing tells that a result lets the call happen.
func allowing(result uint32) bool {
	switch result & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRACE:
		return true
	}
	return false
}
