//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// onOverlay is a script that runs kit with a cache on an overlay, as it would be
// inside a container, which the kernel takes no upper directory on. The marks of
// a user namespace are its user's own.
func onOverlay(dir, kit string) string {
	userxattr := ""
	if os.Geteuid() != 0 {
		userxattr = ",userxattr"
	}
	return `mount -t tmpfs tmpfs ` + dir + ` && cd ` + dir + ` && mkdir lower upper work merged &&
		mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work` + userxattr + ` overlay merged &&
		export KIT_CACHE="$PWD/merged/cache" && ` + kit + `; status=$?
		find merged ! -type d; exit $status`
}

// onReadOnly is the same on a disk that cannot be written to.
func onReadOnly(dir, kit string) string {
	return `mount -t tmpfs -o ro tmpfs ` + dir + ` && export KIT_CACHE=` + dir + `/cache && ` + kit
}

// TestChangesInMemory is where the disk can hold no upper directory.
func TestChangesInMemory(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	if !marksInMemory(t) {
		t.Skip("this kernel has no user.* attributes on tmpfs")
	}
	root := overBase(t)
	dir := ktest.PublicDir(t)
	ktest.Clean(t)
	before := fingerprint(t, root)
	for name, where := range map[string]func(dir, kit string) string{
		"overlay": onOverlay, "read-only": onReadOnly,
	} {
		for kind, flags := range overlayKinds() {
			kit := `kit step 4 --trace=off --diff --rootfs "$0" ` + strings.Join(flags, " ") +
				` -- /bin/sh -c "$1"`
			script := `rm -r /old; echo 1 >/made; cat /made; awk '$2 == "/"' /proc/mounts | wc -l`
			r := finish(t, inMountNamespace(where(dir, kit), root, script))
			require.Zero(t, r.exit, "%s %s: %s", name, kind, r.err)
			require.Equal(t, "1\n1\n", r.out, "%s %s", name, kind)
			require.Regexp(t, "^kit: .*/cache/containers/kit-[0-9a-f]+ cannot hold the changes: they are "+
				"in memory\nkit: A /made\nkit: D /old\n$", r.err, "%s %s", name, kind)
			require.Equal(t, before, fingerprint(t, root))
		}
	}
}

// marksInMemory tells that a file on tmpfs can have user.* attributes (Linux 6.6).
func marksInMemory(t testing.TB) bool {
	t.Helper()
	fd, err := unix.MemfdCreate("marks", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(fd)
	return unix.Fsetxattr(fd, "user.overlay", nil, 0) == nil
}

// TestUpperOnAnOverlay names an upper directory that the kernel does not take,
// and says why in the kernel's own words, where they can be read.
func TestUpperOnAnOverlay(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	root := ktest.Rootfs(t)
	dir := ktest.PublicDir(t)
	ktest.Clean(t)
	cache := os.Getenv("KIT_CACHE")
	kit := `KIT_CACHE=` + cache +
		` kit step 4 --trace=off --rootfs "$0" --upper merged/changes -- /bin/true`
	r := finish(t, inMountNamespace(onOverlay(dir, kit), root))
	require.Equal(t, 125, r.exit)
	require.Empty(t, r.out, "nothing is left")
	require.Regexp(t, "^kit: overlay: mount overlay lowerdir=.*: invalid argument\nhint: ", r.err)
	if _, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil); err == nil {
		require.Contains(t, r.err, "hint: the kernel says: overlay")
	}
	require.Contains(t, r.err, "/merged/changes lies on an overlay, as ")
	require.NotContains(t, r.err, "since Linux 5")
	require.Empty(t, entries(t, filepath.Join(cache, "containers")))
}

// TestMountsBelowALayer: what they cover is no business of a user namespace's.
func TestMountsBelowALayer(t *testing.T) {
	ktest.User(t)
	ktest.RequireTool(t, "unshare", "mount")
	root, dir := ktest.Rootfs(t), ktest.PublicDir(t)
	ktest.Clean(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "layer, 1:2", "sub"), 0o755))
	const mounted = `mount -t tmpfs none "$1/sub"; `
	const kit = `exec unshare -Urm kit step 4 --trace=off --rootfs "$0" --layer "$1" -- true`
	layer := filepath.Join(dir, "layer, 1:2")
	r := finish(t, inMountNamespace(kit, root, layer))
	require.Zero(t, r.exit, r.err)
	r = finish(t, inMountNamespace(mounted+kit, root, layer))
	require.Equal(t, 125, r.exit)
	require.Contains(t, r.err, "\nhint: there are mounts below "+layer+" ("+layer+"/sub and 0 more)")
	require.Contains(t, r.err, "\nhint: take a directory without mounts in it, or run kit as root\n")
	require.NoError(t, os.RemoveAll(layer))
}

func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
