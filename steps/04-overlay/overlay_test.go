package overlay

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

func TestOptions(t *testing.T) {
	p := places{lower: []string{"/root"}, upper: "/u", work: "/w"}
	require.Equal(t, "lowerdir=/root,upperdir=/u,workdir=/w", p.options())
	p = places{lower: []string{"/low", `/a:b,c\d`, "/top"}, upper: "/u,", work: `/w\`}
	require.Equal(t, `lowerdir=/top:/a\:b\,c\\d:/low,upperdir=/u\,,workdir=/w\\`, p.options())
}

func TestConflict(t *testing.T) {
	with := func(upper string, lower ...string) *container.Container {
		return &container.Container{
			Root: "/root", Layers: container.Layers{Upper: upper, Lower: lower},
		}
	}
	require.Empty(t, conflict(with(""), with("")))
	require.Empty(t, conflict(with("/a", "/l"), with("/b", "/l")), "layers are shared")
	require.Equal(t, "/a", conflict(with("/a"), with("/a")))
	require.Equal(t, "/a", conflict(with("/a"), with("", "/l", "/a")))
	require.Equal(t, "/a", conflict(with("", "/a"), with("/a")))
	require.Equal(t, "/root", conflict(with("/root"), with("")))
}

// tree makes files, directories (a name that ends in /) and whiteouts (one that
// begins with -).
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		whiteout := name[0] == '-'
		path := filepath.Join(dir, name[1:])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case whiteout:
			require.NoError(t, unix.Mknod(path, unix.S_IFCHR, 0))
		case name[len(name)-1] == '/':
			require.NoError(t, os.MkdirAll(path, 0o755))
		default:
			require.NoError(t, os.WriteFile(path, []byte(name), 0o644))
		}
	}
	return dir
}

// TestDiffOfLayers has layers with whiteouts and opaque directories of their own,
// as images have them.
func TestDiffOfLayers(t *testing.T) {
	low := tree(t, "/file", "/gone", "/dir/a", "/hidden/a", "/was-file", "/was-dir/a")
	middle := tree(t, "/middle", "-gone", "/hidden/b", "-dir/a", "/nothing")
	markOpaque(t, filepath.Join(middle, "hidden"))
	upper := tree(t, "/file", "/gone", "-middle", "-never-there", "/dir/a", "/hidden/a", "-hidden/b",
		"/was-file/", "/was-dir", "/new/dir/", "/etc/hosts", "/etc/volume/", "/proc/")
	require.NoError(t, os.Truncate(filepath.Join(upper, "etc/hosts"), 0))

	c := &container.Container{
		Root:    low,
		Volumes: []container.Volume{{Target: "/etc/volume"}},
		Layers:  container.Layers{Lower: []string{middle}, Upper: upper, Diff: true},
	}
	require.NoError(t, tellChanges(c))
	require.Equal(t, []string{
		"C /dir", "A /dir/a", "C /file", "A /gone", "C /hidden", "A /hidden/a", "D /hidden/b",
		"D /middle", "A /new", "A /new/dir", "C /was-dir", "C /was-file",
	}, c.Notes)
}

func markOpaque(t *testing.T, dir string) {
	t.Helper()
	name := "user.overlay.opaque"
	if os.Geteuid() == 0 {
		name = "trusted.overlay.opaque"
	}
	if err := unix.Setxattr(dir, name, []byte("y"), 0); err != nil {
		t.Skipf("setxattr %s: %v", dir, err)
	}
}

func TestDiffOfNothing(t *testing.T) {
	c := &container.Container{
		Root:   t.TempDir(),
		Layers: container.Layers{Diff: true, Dir: filepath.Join(t.TempDir(), "never-made")},
	}
	require.NoError(t, remove(c))
	require.Empty(t, c.Notes)
}

// TestMakeDirectory over a leftover, and not over what is in use.
func TestMakeDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a/b/own")
	require.NoError(t, makeParents(dir))
	fd, err := makeDirectory(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	_, err = makeDirectory(dir)
	require.ErrorIs(t, err, unix.EEXIST)
	require.NoError(t, removeUnused(dir))
	require.FileExists(t, filepath.Join(dir, "file"), "it is in use")
	require.NoError(t, unix.Close(fd))

	fd, err = makeDirectory(dir)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "file"))
	require.NoError(t, unix.Close(fd))
	require.NoError(t, removeUnused(dir))
	require.NoError(t, removeUnused(dir))

	target := t.TempDir()
	require.NoError(t, os.Symlink(target, dir))
	_, err = makeDirectory(dir)
	require.Error(t, err, "a link is not followed")
	require.DirExists(t, target)
}
