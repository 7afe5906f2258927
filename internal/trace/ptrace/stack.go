package ptrace

import "encoding/binary"

const (
	maxFrames = 64
	window    = 2048    // read at once: most stacks lie in it as a whole
	maxFrame  = 1 << 20 // a frame pointer that goes further has left the stack
)

// A Stack is the memory of one walk, kept so that the next allocates nothing.
type Stack struct {
	PCs  []uintptr // return addresses, innermost first
	buf  [window]byte
	base uint64
	n    int
}

// Walk fills s.PCs with the return addresses of tid, which has stopped at i.
// The second may be a stray word: the innermost function, having no frame, does
// not tell where its caller is, so its place on the stack is a guess.
func (s *Stack) Walk(tid int, i *Info) {
	s.PCs, s.n = append(s.PCs[:0], uintptr(i.IP)), 0
	var r regs
	if r.read(tid) != nil {
		return
	}
	if onStack {
		s.base = i.SP
		s.n = Read(tid, s.base, s.buf[:])
		r.link = s.word(tid, i.SP)
	}
	s.PCs = append(s.PCs, uintptr(r.link))
	for len(s.PCs) < maxFrames && r.frame != 0 {
		pc, next := s.word(tid, r.frame+8), s.word(tid, r.frame)
		if pc == 0 {
			return
		}
		s.PCs = append(s.PCs, uintptr(pc))
		if next <= r.frame || next-r.frame > maxFrame {
			return
		}
		r.frame = next
	}
}

// word reads 8 bytes at addr through the window.
func (s *Stack) word(tid int, addr uint64) uint64 {
	// Unsigned, so that an address before the window is far behind it.
	if s.n < 8 || addr-s.base > uint64(s.n-8) {
		s.base = addr
		s.n = Read(tid, s.base, s.buf[:])
		if s.n < 8 {
			return 0
		}
	}
	return binary.NativeEndian.Uint64(s.buf[addr-s.base:])
}
