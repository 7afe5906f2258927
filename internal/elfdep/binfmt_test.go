package elfdep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// As the kernel prints what qemu-user-static registers.
const qemuS390x = `enabled
interpreter /usr/bin/qemu-s390x-static
flags: F
offset 0
magic 7f454c4602020100000000000000000000020016
mask ffffffffffffff00fffffffffffffffffffeffff
`

func TestParseHandler(t *testing.T) {
	h := parseHandler(strings.NewReader(qemuS390x))
	require.True(t, h.enabled)
	require.True(t, h.fixed)
	require.Equal(t, "/usr/bin/qemu-s390x-static", h.interpreter)
	require.Len(t, h.magic, 20)
	require.Len(t, h.mask, 20)

	head := []byte("\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16rest")
	require.True(t, h.matches(head))
	head[17] = 3 // The mask takes a position-independent program as well.
	require.True(t, h.matches(head))
	head[19] = 62
	require.False(t, h.matches(head))
	require.False(t, h.matches(head[:10]))
	require.False(t, handler{}.matches(head))
}

func TestFindHandler(t *testing.T) {
	dir := t.TempDir()
	head := []byte("\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16")
	_, ok := findHandler(dir, head)
	require.False(t, ok)
	p := filepath.Join(dir, "qemu-s390x")
	disabled := strings.Replace(qemuS390x, "enabled", "disabled", 1)
	require.NoError(t, os.WriteFile(p, []byte(disabled), 0o644))
	_, ok = findHandler(dir, head)
	require.False(t, ok)
	require.NoError(t, os.WriteFile(p, []byte(qemuS390x), 0o644))
	h, ok := findHandler(dir, head)
	require.True(t, ok)
	require.Equal(t, "/usr/bin/qemu-s390x-static", h.interpreter)
}
