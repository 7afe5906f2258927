package bpf

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzProgram reads any filter: a traced process may hand the kernel what it likes.
func FuzzProgram(f *testing.F) {
	var data []byte
	for _, in := range handMade {
		data = binary.NativeEndian.AppendUint16(data, in.Code)
		data = append(data, in.Jt, in.Jf)
		data = binary.NativeEndian.AppendUint32(data, in.K)
	}
	f.Add(data)
	f.Add([]byte{0xff, 0xff, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Parse(data)
		require.Len(t, p, len(data)/Size)
		require.Len(t, p.Disassemble(four), len(p))
		s := p.Summarize(four)
		require.Equal(t, len(p), s.Instructions)
		_ = s.Lines()
	})
}
