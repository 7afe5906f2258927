//go:build linux

package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// manyChanges writes to, deletes, replaces and renames what busybox's root file
// system and overBase have.
const manyChanges = `set -e
echo more >>/etc/file; rm /etc/gone; rm -r /old; mkdir /old; echo new >/old/b; mv /moved /there
mkdir -p /deep/er; chmod 700 /mode; ln /etc/file /etc/linked; echo 1 >/made`

// overBase is a root file system with something to change in it.
func overBase(t testing.TB) (root string) {
	t.Helper()
	root = ktest.Rootfs(t)
	for _, name := range []string{
		"etc/file", "etc/gone", "etc/stays", "old/a", "moved/deep/file", "mode/x", "still/x",
	} {
		write(t, root, name, name, 0o644)
	}
	return root
}

// fingerprint is all that a tree holds: names, types, modes, owners, numbers of
// links, times and contents.
func fingerprint(t testing.TB, dir string) string {
	t.Helper()
	sum := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		var st unix.Stat_t
		require.NoError(t, unix.Lstat(path, &st))
		fmt.Fprintln(sum, path, st.Mode, st.Uid, st.Gid, st.Nlink, st.Size, st.Mtim)
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			sum.Write(data)
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			require.NoError(t, err)
			fmt.Fprintln(sum, target)
		}
		return nil
	}))
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// overlayKinds are the ways in which an overlay is mounted.
func overlayKinds() map[string][]string {
	kinds := map[string][]string{"plain": nil}
	if os.Geteuid() == 0 {
		kinds["remap"] = []string{"--userns=remap"}
	}
	return kinds
}

func isWhiteout(t testing.TB, path string) bool {
	t.Helper()
	var st unix.Stat_t
	require.NoError(t, unix.Lstat(path, &st))
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0
}

func isOpaque(dir string) bool {
	value := make([]byte, 1)
	for _, name := range []string{"trusted.overlay.opaque", "user.overlay.opaque"} {
		if n, err := unix.Getxattr(dir, name, value); err == nil && n == 1 {
			return value[0] == 'y'
		}
	}
	return false
}

func TestOverlayLeavesTheBaseAsItIs(t *testing.T) {
	root := overBase(t)
	ktest.Clean(t)
	before := fingerprint(t, root)
	for kind, flags := range overlayKinds() {
		out := inside(t, 4, root, manyChanges+`
			cat /etc/file /old/b /there/deep/file; ls /old /moved 2>&1 || true
			stat -c %a:%u / /mode`, flags...)
		require.Equal(t, "etc/filemore\nnew\nmoved/deep/file"+
			"ls: /moved: No such file or directory\n/old:\nb\n755:0\n700:0", out, kind)
		require.Equal(t, before, fingerprint(t, root), kind)
		require.Equal(t, "etc/file", inside(t, 4, root, "cat /etc/file; ls /made 2>/dev/null || true"))
	}
}

// TestOverlayIsTheRoot: there is nothing but the overlay at "/", and no way out.
func TestOverlayIsTheRoot(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	for kind, flags := range overlayKinds() {
		out := inside(t, 4, root, `awk '$2 == "/"' /proc/mounts; ls -id / /.. /../..`, flags...)
		lines := strings.Split(out, "\n")
		require.Len(t, lines, 4, kind)
		require.Regexp(t, "^overlay / overlay rw,", lines[0], kind)
		for _, l := range lines[1:] {
			require.Equal(t, strings.Fields(lines[1])[0], strings.Fields(l)[0])
		}
	}
}

func TestUpperKeepsTheChanges(t *testing.T) {
	root := overBase(t)
	for kind, flags := range overlayKinds() {
		t.Run(kind, func(t *testing.T) {
			beside := ktest.PublicDir(t)
			ktest.Clean(t)
			upper := filepath.Join(beside, "upper")
			flags = append(flags, "--upper", upper)
			require.Empty(t, inside(t, 4, root, manyChanges, flags...))

			for _, gone := range []string{"etc/gone", "moved"} {
				require.True(t, isWhiteout(t, filepath.Join(upper, gone)), gone)
			}
			require.True(t, isOpaque(filepath.Join(upper, "old")))
			require.False(t, isOpaque(filepath.Join(upper, "etc")))
			require.NoDirExists(t, filepath.Join(upper, "still"), "nobody wrote to it")
			info, err := os.Stat(filepath.Join(upper, "made"))
			require.NoError(t, err)
			require.EqualValues(t, os.Getuid(), info.Sys().(*syscall.Stat_t).Uid, "on the disk")
			entries, err := os.ReadDir(beside)
			require.NoError(t, err)
			require.Len(t, entries, 1, "the work directory is gone")

			out := inside(t, 4, root, "cat /etc/file /made; ls /old; rm -r /deep /made", flags...)
			require.Equal(t, "etc/filemore\n1\nb", out)
			require.NoDirExists(t, filepath.Join(upper, "deep"))
		})
	}
}

// TestLayersInOrder: the last --layer is on top, and can hide what is below.
func TestLayersInOrder(t *testing.T) {
	root, low, high := overBase(t), ktest.PublicDir(t), ktest.PublicDir(t)
	write(t, low, "etc/both", "low", 0o644)
	write(t, low, "etc/low", "low", 0o644)
	write(t, low, "etc/file", "low", 0o644)
	write(t, high, "etc/both", "high", 0o644)
	require.NoError(t, unix.Mknod(filepath.Join(high, "etc/gone"), unix.S_IFCHR, 0))
	ktest.Clean(t)
	before := fingerprint(t, low) + fingerprint(t, high)
	for kind, flags := range overlayKinds() {
		flags = append(flags, "--layer", low, "--layer", high)
		out := inside(t, 4, root, `cat /etc/both /etc/low /etc/file /etc/stays
			[ -e /etc/gone ] || echo; rm /etc/low; echo x >/etc/both`, flags...)
		require.Equal(t, "highlowlowetc/stays", out, kind)
		require.Equal(t, before, fingerprint(t, low)+fingerprint(t, high), kind)
	}
}

func TestOverlayOfStrangePaths(t *testing.T) {
	dir := ktest.PublicDir(t)
	root := filepath.Join(dir, `a:b,c\d e=f`)
	require.NoError(t, os.Rename(ktest.Rootfs(t), root))
	layer, upper := filepath.Join(dir, `:,\`), filepath.Join(dir, `ü\:,"'`)
	write(t, layer, "of-layer", "x", 0o644)
	ktest.Clean(t)
	t.Setenv("KIT_CACHE", filepath.Join(dir, `c:a,c\he`))
	for kind, flags := range overlayKinds() {
		flags = append(flags, "--layer", layer)
		out := inside(t, 4, root, "cat /of-layer; echo >/made; rm /of-layer", flags...)
		require.Equal(t, "x", out, kind)
		flags = append(flags, "--upper", upper)
		require.Equal(t, "x", inside(t, 4, root, "cat /of-layer; rm /of-layer", flags...), kind)
		require.True(t, isWhiteout(t, filepath.Join(upper, "of-layer")))
		require.NoError(t, os.RemoveAll(upper))
	}
}

func TestOverlayDiff(t *testing.T) {
	root, layer, volume := overBase(t), ktest.PublicDir(t), hostDir(t)
	write(t, layer, "of/layer", "x", 0o644)
	write(t, layer, "of/other", "x", 0o644)
	for _, dir := range []string{"proc", "sys", "dev"} {
		require.NoError(t, os.RemoveAll(filepath.Join(root, dir)))
	}
	ktest.Clean(t)
	want := `kit: A /deep
kit: A /deep/er
kit: C /etc
kit: C /etc/file
kit: D /etc/gone
kit: A /etc/linked
kit: A /made
kit: C /mode
kit: D /moved
kit: D /of/layer
kit: C /old (opaque)
kit: A /old/b
kit: A "/line\nline"
kit: A /there
kit: A /there/deep
kit: A /there/deep/file
`
	for kind, flags := range overlayKinds() {
		flags = append(flags, "--diff", "--layer", layer,
			"-v", volume+":/mnt/a/b", "-v", volume+":/etc/c")
		r := runKit(t, untraced(4, root, manyChanges+"; rm /of/layer; touch '/line\nline'", flags...)...)
		require.Zero(t, r.exit, r.err)
		got := strings.Split(r.err, "\n")
		slices.Sort(got)
		require.Equal(t, sorted(want+"kit: C /of\n"), got, kind)

		r = runKit(t, untraced(4, root, "true", flags...)...)
		require.Equal(t, result{}, r, "mount points are nobody's change")
		r = runKit(t, untraced(4, root, "echo >>/still/x; exit 3", flags...)...)
		require.Equal(t, result{err: "kit: C /still/x\n", exit: 3}, r)
	}
}

func sorted(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}

// TestManyContainersFromOneRoot: each takes only what it has written.
func TestManyContainersFromOneRoot(t *testing.T) {
	n := 100
	if testing.Short() {
		n = 20
	}
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	base, before := diskUsage(t, root), fingerprint(t, root)
	require.Greater(t, base, int64(512<<10))
	var kits []*running
	for range n {
		kits = append(kits, start(t, untraced(4, root,
			"head -c 65536 /dev/urandom >/written; echo ready; exec cat")...))
	}
	own := diskUsage(t, filepath.Join(os.Getenv("KIT_CACHE"), "containers"))
	require.GreaterOrEqual(t, own, int64(n)*64<<10)
	// The rest is the directories' own: upper, work, merged.
	require.Less(t, own, int64(n)*(64+40)<<10)
	require.Equal(t, base, diskUsage(t, root))
	for _, kit := range kits {
		require.Zero(t, kit.end(t))
	}
	require.Equal(t, before, fingerprint(t, root))
}

// diskUsage is what du(1) shows, in bytes.
func diskUsage(t testing.TB, dir string) (sum int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		var st unix.Stat_t
		if err == nil && unix.Lstat(path, &st) == nil {
			sum += st.Blocks * 512
		}
		return nil // nobody may look into work/work, which is empty
	}))
	return sum
}

// TestOverlayOfAReadOnlyRoot has a root file system that cannot be written to.
func TestOverlayOfAReadOnlyRoot(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	r := finish(t, inMountNamespace(`mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" &&
		! touch "$0/x" 2>/dev/null &&
		kit step 4 --trace=off --rootfs "$0" -- /bin/sh -c 'echo 1 >/made; rm -r /etc; cat /made'`, root))
	require.Equal(t, result{out: "1\n"}, r)
}

// inMountNamespace runs a script where it may mount and nobody else sees it.
func inMountNamespace(script string, args ...string) *exec.Cmd {
	flags := []string{"--mount"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	return exec.Command("unshare", append(append(flags, "/bin/sh", "-c", script), args...)...)
}

// TestEarlierStepsOnAnOverlay: what the first steps give is there at step 4.
func TestEarlierStepsOnAnOverlay(t *testing.T) {
	root, dir := ktest.Rootfs(t), hostDir(t)
	write(t, root, "etc/passwd",
		"root:x:0:0::/root:/bin/sh\nada:x:1815:1852::/home/ada:/bin/sh\n", 0o644)
	ktest.Clean(t)
	before := fingerprint(t, root)
	for kind, flags := range overlayKinds() {
		for _, init := range []string{"--init=false", "--init"} {
			flags = append(flags, init, "-w", "/etc", "--hostname", "box")
			out := inside(t, 4, root, "pwd; hostname; cat /new/a /etc/over; ls /dev/null",
				append(flags, "-v", dir+":/new", "-v", dir+"/a:/etc/over:ro")...)
			require.Equal(t, "/etc\nbox\nof the hostof the host/dev/null", out, kind)
			if os.Geteuid() == 0 {
				out = inside(t, 4, root, "id -u; cat /etc/passwd >/dev/null && ls / >/dev/null && echo in;"+
					"(echo >/no) 2>/dev/null || echo denied", append(flags, "-u", "ada")...)
				require.Equal(t, "1815\nin\ndenied", out, kind)
			}
		}
	}
	require.Equal(t, before, fingerprint(t, root), "no mount point was made in it")
	inside(t, 4, root, "echo x >/new/b", "-v", dir+":/new")
	require.FileExists(t, filepath.Join(dir, "b"), "a volume is no part of the overlay")
	s := atTerminal(t, "step", "4", "--trace=off", "--rootfs", root, "-t", "--", "/bin/sh")
	s.types(t, "tty; echo ready $((1+1))\r")
	require.Contains(t, s.expect(t, "ready 2"), "/dev/pts/0")
}
