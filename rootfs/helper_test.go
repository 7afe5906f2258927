package rootfs

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// newCache gives the test a cache of its own.
func newCache(t testing.TB) cache {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	t.Setenv("KIT_CACHE", dir)
	t.Cleanup(func() { require.NoError(t, removeTree(dir)) })
	c, err := findCache()
	require.NoError(t, err)
	return c
}

// skip fails instead where everything must work.
func skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("KIT_MUST_WORK") == "1" {
		t.Fatal("skipped though KIT_MUST_WORK=1: ", reason)
	}
	t.Skip(reason)
}

// inside runs a shell line as root under root, in namespaces of its own.
func inside(t *testing.T, root, line string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=xterm"}
	cmd.Dir = "/"
	cmd.SysProcAttr = asRoot()
	cmd.SysProcAttr.Chroot = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// asRoot is root in user, mount and PID namespaces that end with the process.
func asRoot() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
}

// entry is one of an archive that a test writes.
type entry struct {
	name, link, body string
	kind             byte
	mode             int64
	pax              map[string]string
}

// archive writes entries as a tar.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode,
			Size: int64(len(e.body)), PAXRecords: e.pax,
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// write puts bytes into a file of a new directory and gives its path.
func write(t testing.TB, name string, text []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(p, text, 0o644))
	return p
}

// names lists a directory; one that is not there is empty.
func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// A noise is a progress writer that several goroutines may use.
type noise struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *noise) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *noise) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}
