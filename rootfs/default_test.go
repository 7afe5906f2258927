package rootfs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestDefault(t *testing.T) {
	c := newCache(t)
	said := &noise{}
	r, err := Open("", said)
	require.NoError(t, err)
	require.Equal(t, Root{Dir: c.file("default", "root"), Name: "default"}, r)
	require.Contains(t, said.String(), "kit: making the default root file system")

	t.Run("its tools run", func(t *testing.T) { toolsRun(t, r.Dir) })
	t.Run("all of them start", func(t *testing.T) { allStart(t, r.Dir) })
	t.Run("no privileges", func(t *testing.T) { noPrivileges(t, r.Dir) })
	t.Run("modes", func(t *testing.T) { modes(t, r.Dir) })
	t.Run("the prompt of the environment stays", func(t *testing.T) { prompt(t, r.Dir) })
	t.Run("a second time says nothing", func(t *testing.T) {
		again := &noise{}
		same, err := Open("default", again)
		require.NoError(t, err)
		require.Equal(t, r, same)
		require.Empty(t, again.String())
	})
	require.Equal(t, []string{"lock", "roots"}, names(t, c.dir))
}

func toolsRun(t *testing.T, root string) {
	out := inside(t, root, `mount -t proc proc /proc; ls / | wc -l; ps; bash --version
		echo 3 | awk '{print $1 * 2}'; TERM=xterm-256color tput cols; id -un; ls -l /bin/kit`)
	require.Contains(t, out, "PID TTY")
	require.Contains(t, out, "GNU bash")
	require.Contains(t, out, "\n6\n")
	require.Contains(t, out, "\n80\n")
	require.Contains(t, out, "\nroot\n")
	require.Contains(t, out, "-rwxr-xr-x")
}

// allStart asks ld.so for the libraries of each program.
func allStart(t *testing.T, root string) {
	out := inside(t, root, `for p in /usr/bin/* /usr/sbin/*; do
		case $p in */kit) continue ;; esac
		ldd $p 2>&1 | grep 'not found' | sed "s|^|$p|"
	done; true`)
	require.Empty(t, out)
}

func noPrivileges(t *testing.T, root string) {
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode()&(fs.ModeSetuid|fs.ModeSetgid), p)
		_, err = unix.Lgetxattr(p, "security.capability", nil)
		require.Error(t, err, p)
		return nil
	})
	require.NoError(t, err)
}

func modes(t *testing.T, root string) {
	for name, want := range map[string]fs.FileMode{
		".": 0o755, "tmp": 0o777 | fs.ModeSticky, "var/tmp": 0o777 | fs.ModeSticky,
		"root": 0o700, "etc": 0o755, "dev": 0o755, "proc": 0o755, "home/guest": 0o755,
	} {
		info, err := os.Stat(filepath.Join(root, name))
		require.NoError(t, err)
		require.Equal(t, want, info.Mode()&^fs.ModeDir, name)
	}
	require.Empty(t, names(t, filepath.Join(root, "dev")))
	info, err := os.Stat(filepath.Dir(filepath.Dir(root)))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), "the cache is the user's alone")
}

func prompt(t *testing.T, root string) {
	ask := `bash -ic 'echo "<$PS1>"' 2>/dev/null`
	require.Equal(t, "<step 2>\n", inside(t, root, "export PS1='step 2'; "+ask))
	require.Equal(t, "<\\u@\\h:\\w# >\n", inside(t, root, ask))
}

func TestDefaultIsMadeOnce(t *testing.T) {
	newCache(t)
	said := &noise{}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			_, err := Open("", said)
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.Equal(t, 1, strings.Count(said.String(), "making the"), said.String())
}

func TestKitInsideFollowsKit(t *testing.T) {
	c := newCache(t)
	r, err := Open("", io.Discard)
	require.NoError(t, err)
	mine := filepath.Join(r.Dir, "tmp/mine")
	require.NoError(t, os.WriteFile(mine, nil, 0o644))
	kit := filepath.Join(r.Dir, "bin/kit")
	require.NoError(t, os.WriteFile(kit, []byte("an older kit"), 0o755))
	require.NoError(t, os.WriteFile(c.file("default", "kit"),
		[]byte("1 2 3\n"+recipe()+"\n"), 0o644))

	_, err = Open("", io.Discard)
	require.NoError(t, err)
	info, err := os.Stat(kit)
	require.NoError(t, err)
	require.Equal(t, kitStamp().size, info.Size())
	require.FileExists(t, mine)
}

// A container's root has made /bin lead to the host.
func TestKitInsideIsNotWrittenThroughLinks(t *testing.T) {
	for _, target := range []string{"absolute", "relative"} {
		t.Run(target, func(t *testing.T) {
			root, host := t.TempDir(), t.TempDir()
			link := host
			if target == "relative" {
				link = "../../../../../../../.." + host
			}
			require.NoError(t, os.Symlink(link, filepath.Join(root, "bin")))
			require.Error(t, copyKit(root))
			require.Empty(t, names(t, host))
		})
	}
}

func TestDefaultFollowsTools(t *testing.T) {
	c := newCache(t)
	r, err := Open("", io.Discard)
	require.NoError(t, err)
	mine := filepath.Join(r.Dir, "tmp/mine")
	require.NoError(t, os.WriteFile(mine, nil, 0o644))
	upgrade(t, c)

	said := &noise{}
	_, err = Open("", said)
	require.NoError(t, err)
	require.Contains(t, said.String(), "tools have changed")
	require.NoFileExists(t, mine)
	require.FileExists(t, c.file("default-old", "root/tmp/mine"))
	require.Equal(t, []string{"default", "default-old"}, names(t, filepath.Join(c.dir, "roots")))

	upgrade(t, c)
	_, err = Open("", io.Discard)
	require.NoError(t, err)
	require.NoFileExists(t, c.file("default-old", "root/tmp/mine"))
}

// upgrade makes the record say that the shell was another one.
func upgrade(t *testing.T, c cache) {
	p := c.file("default", "sources")
	text, err := os.ReadFile(p)
	require.NoError(t, err)
	text = append(text, "/etc\n1 2 3\n1 2 3 passwd\n"...)
	require.NoError(t, os.WriteFile(p, text, 0o644))
}

func TestDirectoriesMayChange(t *testing.T) {
	c := newCache(t)
	_, err := Open("", io.Discard)
	require.NoError(t, err)
	p := c.file("default", "sources")
	before, err := os.ReadFile(p)
	require.NoError(t, err)
	bin := fmt.Sprint(stampOf(unix.AT_FDCWD, binDirs()[0]))
	require.NoError(t, os.WriteFile(p,
		[]byte(strings.Replace(string(before), bin, "1 2 3", 1)), 0o644))
	require.Equal(t, disturbed, c.state("default"))

	said := &noise{}
	_, err = Open("", said)
	require.NoError(t, err)
	require.Empty(t, said.String())
	after, err := os.ReadFile(p)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

func TestResetDefault(t *testing.T) {
	newCache(t)
	r, err := Open("", io.Discard)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, "usr")))
	require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, "etc")))
	require.NoError(t, Reset("", io.Discard))
	require.Contains(t, inside(t, r.Dir, "cat /etc/os-release"), "ID=kit")
}

func TestInUse(t *testing.T) {
	newCache(t)
	r, err := Open("", io.Discard)
	require.NoError(t, err)
	cmd := exec.Command("/bin/sleep", "60")
	cmd.Dir = "/"
	cmd.SysProcAttr = asRoot()
	cmd.SysProcAttr.Chroot = r.Dir
	require.NoError(t, cmd.Start())
	stop := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	defer stop()

	want := fmt.Sprintf("rootfs default: is in use by process %d (sleep)", cmd.Process.Pid)
	require.EqualError(t, Reset("", io.Discard), want)
	require.EqualError(t, Remove("default"), want)
	stop()
	require.NoError(t, Remove("default"))
	require.NoDirExists(t, r.Dir)
}

func BenchmarkOpenWarm(b *testing.B) {
	newCache(b)
	_, err := Open("", io.Discard)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := Open("", io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
