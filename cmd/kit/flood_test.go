//go:build linux

package main

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
)

// flood is how much the command writes, in bytes.
const flood = 100 << 20

// flooded starts a command that writes flood bytes; the test reads them.
func flooded(t *testing.T, root string, flags ...string) (*exec.Cmd, *os.File) {
	t.Helper()
	script := "head -c " + strconv.Itoa(flood) + " /dev/zero; echo done >&2"
	kit := exec.Command("kit", untraced(2, root, script, flags...)...)
	out, in, err := os.Pipe()
	require.NoError(t, err)
	kit.Stdout, kit.Stderr = in, os.Stderr
	if flags != nil {
		kit.Stderr = in
	}
	require.NoError(t, kit.Start())
	in.Close()
	t.Cleanup(func() {
		out.Close()
		_ = kit.Process.Kill()
	})
	return kit, out
}

// resident is the memory that a process has had at most, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text := strings.TrimSuffix(status(t, pid, "VmHWM"), " kB")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	require.NoError(t, err)
	return n << 10
}

// TestFloodSlowReader: a reader who takes pauses gets every byte, and kit keeps none.
func TestFloodSlowReader(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{nil, {"-t"}, {"--init"}} {
		kit, out := flooded(t, root, flags...)
		total, buf := 0, make([]byte, 1<<20)
		for reads := 0; ; reads++ {
			n, err := out.Read(buf)
			for _, b := range buf[:n] {
				if b == 0 {
					total++
				}
			}
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			if reads%200 == 100 {
				time.Sleep(10 * time.Millisecond)
			}
			if reads == 100 {
				require.Less(t, resident(t, kit.Process.Pid), 128<<20, "it buffers")
			}
		}
		require.NoError(t, kit.Wait())
		require.Equal(t, flood, total, "%v", flags)
	}
}

// TestFloodClosedReader: when nobody reads any more the command ends, and so does kit.
func TestFloodClosedReader(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for _, flags := range [][]string{nil, {"-t"}, {"--init"}} {
		kit, out := flooded(t, root, flags...)
		_, err := io.CopyN(io.Discard, out, 1<<20)
		require.NoError(t, err)
		require.NoError(t, out.Close())
		ended := make(chan struct{})
		go func() {
			_ = kit.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = kit.Process.Kill()
			<-ended
			require.Fail(t, "kit goes on for nobody", "%v", flags)
		}
	}
}
