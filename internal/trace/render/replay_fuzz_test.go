package render

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReplay prints any record. What kit replay is given may come from anywhere: it must
// not stop kit, nor reach the terminal as anything but text.
func FuzzReplay(f *testing.F) {
	for _, name := range records {
		lines := bytes.SplitAfter(record(f, name), []byte("\n"))
		f.Add(bytes.Join(lines[:min(len(lines), 12)], nil))
	}
	f.Add([]byte(began + `{"v":1,"kind":"scene"}` + "\n" + ended))
	f.Add([]byte(began + `{"v":1,"kind":"syscall","call":"mount","why":"\u001b[2J"}` + "\n" + ended))
	f.Fuzz(func(t *testing.T, text []byte) {
		var out strings.Builder
		for verbosity := range 3 {
			o := TextOptions{Width: 80, Verbosity: verbosity, Errors: true}
			_ = Replay(bytes.NewReader(text), NewText(&out, o))
		}
		for _, r := range out.String() {
			require.False(t, r < ' ' && r != '\n' || r == 0x7f, "%q in %q", r, out.String())
		}
		_ = Replay(bytes.NewReader(text), sinkFunc(NewJSON(io.Discard).Event))
	})
}
