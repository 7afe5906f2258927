package vm

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConsole(t *testing.T) {
	text := "KIT\r\nx KIT-VM-EXIT 3\nKIT-VM-EXIT no\n$ KIT-VM-\n"
	for size := 1; size < 10; size++ {
		var out bytes.Buffer
		c := &console{out: &out, exit: -1}
		all := []byte(text + "KIT-VM-EXIT 7\r\nreboot: Power down\n")
		for len(all) > 0 {
			n, err := c.Write(all[:min(size, len(all))])
			require.NoError(t, err)
			all = all[n:]
		}
		require.Equal(t, text, out.String(), size)
		require.Equal(t, 7, c.exit)
	}
}

func TestAPromptIsNotHeldBack(t *testing.T) {
	var out bytes.Buffer
	c := &console{out: &out, exit: -1}
	_, err := c.Write([]byte("# "))
	require.NoError(t, err)
	require.Equal(t, "# ", out.String())
}
