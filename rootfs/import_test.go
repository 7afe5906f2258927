package rootfs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// exported is like what docker export writes.
func exported(t testing.TB) []byte {
	return archive(
		t,
		entry{name: "bin", kind: tar.TypeSymlink, link: "usr/bin"},
		entry{name: "dev/", kind: tar.TypeDir},
		entry{name: "dev/null", kind: tar.TypeChar},
		entry{name: "etc/", kind: tar.TypeDir},
		entry{name: "etc/mtab", kind: tar.TypeSymlink, link: "/proc/mounts"},
		entry{name: "locked/", kind: tar.TypeDir, mode: 0o555},
		entry{name: "locked/file", kind: tar.TypeReg, body: "x", mode: 0o400},
		entry{name: "tmp/", kind: tar.TypeDir, mode: 0o1777},
		entry{name: "usr/bin/", kind: tar.TypeDir},
		entry{
			name: "usr/bin/su", kind: tar.TypeReg, body: "#!/bin/sh\n", mode: 0o4755,
			pax: map[string]string{xattrPrefix + "user.note": "kept"},
		},
		entry{name: "usr/bin/again", kind: tar.TypeLink, link: "usr/bin/su"},
		entry{name: "run/pipe", kind: tar.TypeFifo, mode: 0o600},
	)
}

func gzipped(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// packedWith is what a tool of the machine makes of an archive.
func packedWith(t testing.TB, tool string, plain []byte) []byte {
	ktest.RequireTool(t, tool)
	cmd := exec.Command(tool, "-c")
	cmd.Stdin = bytes.NewReader(plain)
	packed, err := cmd.Output()
	require.NoError(t, err)
	return packed
}

func TestOpenArchive(t *testing.T) {
	plain := exported(t)
	for name, text := range map[string][]byte{
		"small.tar": plain, "small.tar.gz": gzipped(t, plain),
		"small.tar.zst": packedWith(t, "zstd", plain), "small.tar.xz": packedWith(t, "xz", plain),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			said := &noise{}
			r, err := Open(write(t, name, text), said)
			require.NoError(t, err)
			require.Equal(t, Root{Dir: c.file("small", "root"), Name: "small"}, r)
			require.Contains(t, said.String(), "left out 1 device nodes")
			unpacked(t, r.Dir)
		})
	}
}

func unpacked(t *testing.T, root string) {
	mode := func(name string) fs.FileMode {
		info, err := os.Lstat(filepath.Join(root, name))
		require.NoError(t, err, name)
		return info.Mode()
	}
	require.Equal(t, fs.ModeDir|0o555, mode("locked"))
	require.Equal(t, fs.FileMode(0o400), mode("locked/file"))
	require.Equal(t, fs.ModeDir|fs.ModeSticky|0o777, mode("tmp"))
	require.Equal(t, fs.ModeSetuid|0o755, mode("usr/bin/su"))
	require.Equal(t, fs.ModeNamedPipe|0o600, mode("run/pipe"))
	require.Empty(t, names(t, filepath.Join(root, "dev")))
	target, err := os.Readlink(filepath.Join(root, "etc/mtab"))
	require.NoError(t, err)
	require.Equal(t, "/proc/mounts", target)
	one, err := os.Stat(filepath.Join(root, "usr/bin/su"))
	require.NoError(t, err)
	other, err := os.Stat(filepath.Join(root, "usr/bin/again"))
	require.NoError(t, err)
	require.True(t, os.SameFile(one, other))
	require.Zero(t, one.ModTime().Unix())
	note := make([]byte, 8)
	n, err := unix.Getxattr(filepath.Join(root, "usr/bin/su"), "user.note", note)
	if !errors.Is(err, unix.ENOTSUP) {
		require.NoError(t, err)
		require.Equal(t, "kept", string(note[:n]))
	}
}

// TestOneZeroBlock: some programs end an archive with one, and not two.
func TestOneZeroBlock(t *testing.T) {
	newCache(t)
	plain := exported(t)
	_, err := Open(write(t, "x.tar.xz", packedWith(t, "xz", plain[:len(plain)-512])), io.Discard)
	require.NoError(t, err)
}

func TestOpenArchiveAgain(t *testing.T) {
	c := newCache(t)
	plain := exported(t)
	first := write(t, "a.tar", plain)
	_, err := Open(first, io.Discard)
	require.NoError(t, err)

	for _, same := range []string{first, write(t, "b.tar", plain), "a"} {
		said := &noise{}
		r, err := Open(same, said)
		require.NoError(t, err)
		require.Equal(t, "a", r.Name)
		require.Empty(t, said.String())
	}
	other := write(t, "a.tar", archive(t, entry{name: "x", kind: tar.TypeReg}))
	r, err := Open(other, io.Discard)
	require.NoError(t, err)
	require.Regexp(t, `^tar-[0-9a-f]{8}$`, r.Name)
	require.Len(t, names(t, filepath.Join(c.dir, "roots")), 2)
}

func TestHostileArchives(t *testing.T) {
	outside := t.TempDir()
	file := func(name string) entry { return entry{name: name, kind: tar.TypeReg, body: "bad"} }
	link := func(name, to string) entry { return entry{name: name, kind: tar.TypeSymlink, link: to} }
	for _, test := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"parent", []entry{file("../evil")}, `entry "../evil" leaves the target`},
		{"hidden parent", []entry{file("a/../../evil")}, `entry "a/../../evil" leaves the target`},
		{
			"absolute path",
			[]entry{file(outside + "/evil")},
			`entry "` + outside + `/evil" leaves the target: its path is absolute`,
		},
		{
			"through an absolute link",
			[]entry{link("out", outside), file("out/evil")},
			`entry "out/evil" leaves the target through a symbolic link`,
		},
		{
			"through a relative link",
			[]entry{link("out", strings.Repeat("../", 20)+outside), file("out/evil")},
			`entry "out/evil" leaves the target through a symbolic link`,
		},
		{
			"a directory through a link",
			[]entry{link("out", outside), {name: "out/evil/", kind: tar.TypeDir}},
			`entry "out/evil" leaves the target through a symbolic link`,
		},
		{
			"a link through a link",
			[]entry{link("a", "."), link("a/b", outside), file("a/b/evil")},
			`entry "a/b/evil" leaves the target through a symbolic link`,
		},
		{
			"hard link outside",
			[]entry{{name: "evil", kind: tar.TypeLink, link: "../../etc/passwd"}},
			`entry "evil": entry "../../etc/passwd" leaves the target`,
		},
		{
			"hard link through a link",
			[]entry{link("out", "/etc"), {name: "evil", kind: tar.TypeLink, link: "out/passwd"}},
			`entry "evil" leaves the target through a symbolic link`,
		},
		{
			"hard link to nothing",
			[]entry{{name: "evil", kind: tar.TypeLink, link: "none"}},
			`entry "evil": no such file or directory`,
		},
		{
			"below a file",
			[]entry{file("a"), file("a/b")},
			`entry "a/b": not a directory`,
		},
		{
			"in the root's place",
			[]entry{link("./", outside)},
			`entry "./" would take the place of the root`,
		},
		{"empty", nil, "is an archive without files"},
		{"image", []entry{file("manifest.json")}, "is an image with layers, not a file system"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCache(t)
			p := write(t, "x.tar", archive(t, test.entries...))
			_, err := Open(p, io.Discard)
			require.EqualError(t, err, "rootfs "+p+": "+test.want)
			require.Empty(t, names(t, outside))
			require.Empty(t, names(t, filepath.Join(c.dir, "roots")))
			require.Equal(t, []string{"lock", "roots"}, names(t, c.dir))
		})
	}
}

// What a link leads to is written to by nobody, and a later entry of the same
// name takes the earlier one's place.
func TestLaterEntriesReplace(t *testing.T) {
	newCache(t)
	outside := write(t, "host", []byte("host's"))
	r, err := Open(write(t, "x.tar", archive(
		t,
		entry{name: "a", kind: tar.TypeSymlink, link: outside},
		entry{name: "a", kind: tar.TypeReg, body: "new"},
		entry{name: "d", kind: tar.TypeSymlink, link: filepath.Dir(outside)},
		entry{name: "d", kind: tar.TypeDir},
		entry{name: "d/host", kind: tar.TypeReg, body: "inside"},
	)), io.Discard)
	require.NoError(t, err)
	for name, want := range map[string]string{
		outside: "host's", filepath.Join(r.Dir, "a"): "new", filepath.Join(r.Dir, "d/host"): "inside",
	} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

func TestTruncatedArchives(t *testing.T) {
	plain := exported(t)
	packed := gzipped(t, plain)
	frames := packedWith(t, "zstd", plain)
	cuts := map[string][]byte{
		"no end": plain[:len(plain)-2*blockSize], "in a file": plain[:len(plain)/2],
		"first block": plain[:100], "gzip": packed[:len(packed)-20],
		"gzip checksum": packed[:len(packed)-4], "zstd": frames[:len(frames)-9],
	}
	for name, text := range cuts {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			p := write(t, "x.tar", text)
			_, err := Open(p, io.Discard)
			require.Error(t, err)
			require.Regexp(t, "^rootfs "+p+
				": is (damaged or )?(cut short|neither a directory nor a tar)[^\n]*$", err.Error())
			require.Empty(t, names(t, filepath.Join(c.dir, "roots")))
		})
	}
}

func TestNoArchives(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"text":    {"hello\n", "is neither a directory nor a tar archive"},
		"long":    {strings.Repeat("hello\n", 500), "is neither a directory nor a tar archive"},
		"zeros":   {strings.Repeat("\x00", 1024), "is an archive without files"},
		"nothing": {"", "is an empty file"},
		"gzip":    {"\x1f\x8bxxxxxxxxxxxxxxx", "is damaged: gzip: invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			p := write(t, "x", []byte(test.text))
			_, err := Open(p, io.Discard)
			require.EqualError(t, err, "rootfs "+p+": "+test.want)
			require.Empty(t, names(t, filepath.Join(c.dir, "roots")))
		})
	}
}

// TestDamaged says so in the words of the program that unpacks it.
func TestDamaged(t *testing.T) {
	ktest.RequireTool(t, "xz")
	newCache(t)
	_, err := Open(write(t, "x", []byte("\xfd7zXZ\x00...")), io.Discard)
	require.ErrorContains(t, err, ": is damaged or cut short: exit status 1: xz: ")
}

// TestNoTool tells the user what is missing.
func TestNoTool(t *testing.T) {
	newCache(t)
	t.Setenv("PATH", t.TempDir())
	p := write(t, "x.tar.zst", []byte("\x28\xb5\x2f\xfd..."))
	_, err := Open(p, io.Discard)
	require.EqualError(t, err, "rootfs "+p+": is compressed with zstd, which is not on this machine")
	e := &Error{}
	require.ErrorAs(t, err, &e)
	require.Equal(t, []string{"sudo apt install zstd"}, e.Hints)
}

func TestImportResetRemove(t *testing.T) {
	c := newCache(t)
	info, err := Import("-", "small", bytes.NewReader(exported(t)), io.Discard)
	require.NoError(t, err)
	require.Equal(t, c.file("small", "root"), info.Path)
	su := filepath.Join(info.Path, "usr/bin/su")
	require.NoError(t, os.Remove(su))
	require.NoError(t, Reset("small", io.Discard))
	unpacked(t, info.Path)

	_, err = Import("-", "small", nil, io.Discard)
	require.EqualError(t, err, "rootfs small: is there already")
	infos, err := List()
	require.NoError(t, err)
	require.Len(t, infos, 1)
	require.Equal(t, "stdin", infos[0].From)
	require.NoError(t, Remove("small"))
	require.EqualError(t, Remove("small"), "rootfs small: there is none of that name")
	require.Equal(t, []string{"lock", "roots"}, names(t, c.dir))
}

func TestImportDirectory(t *testing.T) {
	newCache(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin/a"), []byte("text"), 0o755))
	require.NoError(t, os.Link(filepath.Join(dir, "bin/a"), filepath.Join(dir, "bin/b")))
	require.NoError(t, os.Symlink("/bin/a", filepath.Join(dir, "c")))
	info, err := Import(dir, "tree", nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, int64(4), info.Size)
	require.Equal(t, []string{"bin", "c"}, names(t, info.Path))
	require.Equal(t, []string{"a", "b"}, names(t, filepath.Join(info.Path, "bin")))
}

func TestBusybox(t *testing.T) {
	newCache(t)
	if _, err := findBusybox(); err != nil {
		skip(t, err.Error())
	}
	info, err := Make(FromBusybox, "", io.Discard)
	require.NoError(t, err)
	require.Equal(t, "busybox", info.Name)
	out := inside(t, info.Path, "mount -t proc proc /proc; ps; id -un; ls -l /bin/kit")
	require.Contains(t, out, "PID")
	require.Contains(t, out, "root\n")
	require.NoError(t, os.Remove(filepath.Join(info.Path, "bin/ls")))
	require.NoError(t, Reset("busybox", io.Discard))
	require.Contains(t, inside(t, info.Path, "ls /"), "tmp")
}
