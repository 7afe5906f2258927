package elfdep

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A fake is a 64-bit ELF file that has nothing but what the linker looks at.
type fake struct {
	machine         elf.Machine
	interp          string
	needed          []string
	rpath, runpath  string
	stringsAreShort bool // as in a damaged file
}

const (
	headerSize  = 64
	progSize    = 56
	sectionSize = 64
)

// bytes lays out: header, one PT_INTERP, interp, strings, dynamic, sections.
func (f fake) bytes(t testing.TB) []byte {
	t.Helper()
	var str, dyn, out bytes.Buffer
	str.WriteByte(0)
	tag := func(tag elf.DynTag, text string) {
		put(t, &dyn, elf.Dyn64{Tag: int64(tag), Val: uint64(str.Len())})
		str.WriteString(text + "\x00")
	}
	for _, lib := range f.needed {
		tag(elf.DT_NEEDED, lib)
	}
	if f.rpath != "" {
		tag(elf.DT_RPATH, f.rpath)
	}
	if f.runpath != "" {
		tag(elf.DT_RUNPATH, f.runpath)
	}
	put(t, &dyn, elf.Dyn64{})
	interp := f.interp + "\x00"
	strOff := headerSize + progSize + len(interp)
	dynOff := strOff + str.Len()
	put(t, &out, f.header(dynOff+dyn.Len()))
	put(t, &out, elf.Prog64{
		Type: uint32(f.progType()), Off: headerSize + progSize, Filesz: uint64(len(interp)),
	})
	out.WriteString(interp)
	out.Write(str.Bytes())
	out.Write(dyn.Bytes())
	strLen := str.Len()
	if f.stringsAreShort {
		strLen = 1
	}
	put(t, &out, elf.Section64{})
	put(t, &out, elf.Section64{
		Type: uint32(elf.SHT_STRTAB), Off: uint64(strOff), Size: uint64(strLen),
	})
	put(t, &out, elf.Section64{
		Type: uint32(elf.SHT_DYNAMIC), Off: uint64(dynOff), Size: uint64(dyn.Len()),
		Link: 1, Entsize: 16,
	})
	return out.Bytes()
}

func (f fake) progType() elf.ProgType {
	if f.interp == "" {
		return elf.PT_NULL
	}
	return elf.PT_INTERP
}

func (f fake) header(sections int) elf.Header64 {
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(f.machine), Version: 1,
		Phoff: headerSize, Shoff: uint64(sections), Ehsize: headerSize,
		Phentsize: progSize, Phnum: 1, Shentsize: sectionSize, Shnum: 3, Shstrndx: 1,
	}
	if f.machine == elf.EM_NONE {
		h.Machine = uint16(own())
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	return h
}

func put(t testing.TB, w *bytes.Buffer, v any) {
	t.Helper()
	require.NoError(t, binary.Write(w, binary.LittleEndian, v))
}

// A tree is files by path: a fake, a text, or a link when it begins with "->".
type tree map[string]any

// lay writes the tree and gives its root.
func lay(t testing.TB, files tree) string {
	t.Helper()
	root := t.TempDir()
	for name, what := range files {
		p := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		switch what := what.(type) {
		case fake:
			require.NoError(t, os.WriteFile(p, what.bytes(t), 0o755))
		case string:
			if target, ok := strings.CutPrefix(what, "->"); ok {
				require.NoError(t, os.Symlink(target, p))
				continue
			}
			require.NoError(t, os.WriteFile(p, []byte(what), 0o755))
		}
	}
	return root
}

func TestClosure(t *testing.T) {
	mawk := fake{interp: "/lib64/ld.so", needed: []string{"libm.so.6", "libc.so.6"}}
	root := lay(t, tree{
		"bin":                       "->usr/bin",
		"usr/bin/awk":               "->/etc/alternatives/awk",
		"etc/alternatives/awk":      "->/usr/bin/mawk",
		"usr/bin/mawk":              mawk,
		"lib64":                     "->usr/lib64",
		"usr/lib64/ld.so":           fake{},
		"etc/ld.so.conf":            "include /etc/ld.so.conf.d/*.conf\n",
		"etc/ld.so.conf.d/own.conf": "# ours\n/opt/lib\n",
		"opt/lib/libm.so.6":         "->libm-2.so",
		"opt/lib/libm-2.so":         fake{needed: []string{"libc.so.6"}},
		"usr/lib64/libc.so.6":       fake{needed: []string{"ld.so"}},
	})
	files, missing, err := Closure(root, []string{"/bin/awk", "/etc/ld.so.conf", "/bin/none"})
	require.NoError(t, err)
	require.Equal(t, []string{
		"/bin", "/usr/bin/awk", "/etc/alternatives/awk", "/usr/bin/mawk",
		"/lib64", "/usr/lib64/ld.so", "/opt/lib/libm.so.6", "/opt/lib/libm-2.so",
		"/usr/lib64/libc.so.6", "/etc/ld.so.conf",
	}, files)
	require.Len(t, missing, 1)
	require.Equal(t, "/bin/none", missing[0].String())
	require.ErrorIs(t, missing[0].Err, fs.ErrNotExist)
}

func TestClosureNeedsARoot(t *testing.T) {
	_, _, err := Closure(filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestClosureOfScripts(t *testing.T) {
	root := lay(t, tree{
		"bin/a":        "#!/bin/b -x\n",
		"bin/b":        "#! /usr/bin/env  bash\n",
		"usr/bin/env":  fake{},
		"usr/bin/bash": fake{},
	})
	files, missing, err := Closure(root, []string{"/bin/a"})
	require.NoError(t, err)
	require.Empty(t, missing)
	require.Equal(t, []string{"/bin/a", "/bin/b", "/usr/bin/env", "/usr/bin/bash"}, files)
}

// The order of ld.so(8): DT_RPATH of the library and of those that led to it,
// unless it has a DT_RUNPATH; then DT_RUNPATH; then the default directories.
func TestLibrarySearch(t *testing.T) {
	lib := fake{}
	for name, test := range map[string]struct {
		program fake
		files   tree
		want    string
	}{
		"default":        {fake{}, tree{"lib/x.so": lib}, "/lib/x.so"},
		"rpath before":   {fake{rpath: "/r"}, tree{"lib/x.so": lib, "r/x.so": lib}, "/r/x.so"},
		"runpath before": {fake{runpath: "/r:/s"}, tree{"lib/x.so": lib, "s/x.so": lib}, "/s/x.so"},
		"runpath beats rpath": {
			fake{rpath: "/r", runpath: "/s"},
			tree{"r/x.so": lib, "s/x.so": lib},
			"/s/x.so",
		},
		"origin": {fake{runpath: "$ORIGIN/../l"}, tree{"l/x.so": lib}, "/l/x.so"},
		"braces": {fake{rpath: "${ORIGIN}/l"}, tree{"bin/l/x.so": lib}, "/bin/l/x.so"},
		"another architecture": {
			fake{rpath: "/r"},
			tree{"lib/x.so": lib, "r/x.so": fake{machine: elf.EM_S390}},
			"/lib/x.so",
		},
		"no library": {fake{rpath: "/r"}, tree{"lib/x.so": lib, "r/x.so": "text"}, "/lib/x.so"},
	} {
		t.Run(name, func(t *testing.T) {
			test.program.needed = []string{"x.so"}
			test.files["bin/p"] = test.program
			files, missing, err := Closure(lay(t, test.files), []string{"/bin/p"})
			require.NoError(t, err)
			require.Empty(t, missing)
			require.Equal(t, []string{"/bin/p", test.want}, files)
		})
	}
}

func TestRpathIsInherited(t *testing.T) {
	files, missing, err := Closure(lay(t, tree{
		"bin/p":  fake{rpath: "/r", needed: []string{"a.so"}},
		"r/a.so": fake{needed: []string{"b.so"}},
		"r/b.so": fake{},
	}), []string{"/bin/p"})
	require.NoError(t, err)
	require.Empty(t, missing)
	require.Equal(t, []string{"/bin/p", "/r/a.so", "/r/b.so"}, files)
}

func TestLibraryByPath(t *testing.T) {
	files, missing, err := Closure(lay(t, tree{
		"bin/p":     fake{needed: []string{"/opt/a.so", "/opt/none.so"}},
		"opt/a.so":  fake{},
		"lib/a.so":  fake{},
		"lib/c.so":  fake{},
		"opt/c.txt": "",
	}), []string{"/bin/p"})
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/p", "/opt/a.so"}, files)
	require.Len(t, missing, 1)
	require.Equal(t, "/opt/none.so (needed by /bin/p)", missing[0].String())
}

func TestExplain(t *testing.T) {
	root := lay(t, tree{
		"bin/good":      fake{interp: "/lib/ld.so", needed: []string{"c.so"}},
		"lib/ld.so":     fake{},
		"lib/c.so":      fake{},
		"bin/script":    "#!/bin/good\n",
		"bin/link":      "->/bin/nowhere",
		"bin/loop":      "->loop",
		"bin/plain":     "echo\n",
		"bin/empty":     "",
		"bin/python":    "#!/usr/bin/python3 -u\n",
		"bin/env":       fake{},
		"bin/byenv":     "#!/bin/env ruby\n",
		"bin/dos":       "#!/bin/good\r\necho\r\n",
		"bin/noname":    "#!\n",
		"bin/self":      "#!/bin/self\n",
		"bin/interp":    fake{interp: "/lib64/ld-linux.so.2"},
		"bin/one":       fake{interp: "/lib/ld.so", needed: []string{"c.so", "foo.so.1"}},
		"bin/two":       fake{needed: []string{"foo.so.1", "d.so"}},
		"lib/d.so":      fake{needed: []string{"bar.so.2"}},
		"bin/foreign":   fake{machine: elf.EM_S390},
		"bin/damaged":   fake{needed: []string{"c.so"}, stringsAreShort: true},
		"bin/short":     "\x7fELF",
		"bin/dir/x":     "",
		"bin/viascript": "#!/bin/foreign\n",
	})
	require.NoError(t, os.WriteFile(root+"/bin/mode", []byte("#!/bin/good\n"), 0o644))
	foreign := "is for s390, this machine is " + archName(own()) + ": exec format error"
	for program, want := range map[string]string{
		"/bin/good":   "",
		"/bin/script": "",
		"/bin/none":   "not found inside",
		"/no/dir":     "not found inside",
		"/bin/link":   "leads to /bin/nowhere, which is not inside",
		"/bin/loop":   "too many levels of symbolic links",
		"/bin/good/x": "not a directory",
		"/bin/dir":    "is a directory: permission denied",
		"/bin/mode":   "has no execute bit (mode 0644): permission denied",
		"/bin/plain": "is neither an ELF program nor a script that begins with #!: " +
			"exec format error",
		"/bin/empty":  "is an empty file: exec format error",
		"/bin/python": "is a script whose interpreter /usr/bin/python3: not found inside",
		"/bin/byenv":  "is a script for ruby, which no directory of the usual PATH has inside",
		"/bin/dos": `its first line ends in \r\n, ` +
			`and the kernel takes the \r for a part of the interpreter's name`,
		"/bin/noname":    "names no interpreter after #!: exec format error",
		"/bin/interp":    "needs the ELF interpreter /lib64/ld-linux.so.2, which is not inside",
		"/bin/one":       "needs the library foo.so.1, which is not inside",
		"/bin/two":       "needs the libraries foo.so.1, bar.so.2, which are not inside",
		"/bin/foreign":   foreign,
		"/bin/viascript": "is a script whose interpreter /bin/foreign: " + foreign,
	} {
		err := Explain(root, program)
		if want == "" {
			require.NoError(t, err, program)
			continue
		}
		require.EqualError(t, err, program+": "+want)
	}
	require.ErrorIs(t, Explain(root, "/bin/one"), fs.ErrNotExist)
	require.ErrorIs(t, Explain(root, "/bin/mode"), fs.ErrPermission)
	require.ErrorIs(t, Explain(root, "/bin/self"), syscall.ELOOP)
	require.Error(t, Explain(root, "/bin/short"))
	require.NotPanics(t, func() { _ = Explain(root, "/bin/damaged") })
}

// A FIFO must not make kit wait for a writer.
func TestExplainFIFO(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, syscall.Mkfifo(root+"/p", 0o755))
	require.EqualError(t, Explain(root, "/p"), "/p: is not a regular file: permission denied")
}

// This machine's own programs need nothing that it lacks.
func TestHost(t *testing.T) {
	for _, p := range []string{"/bin/sh", "/bin/ls", "/usr/bin/env"} {
		require.NoError(t, Explain("/", p))
	}
	files, missing, err := Closure("/", []string{"/bin/ls"})
	require.NoError(t, err)
	require.Empty(t, missing)
	require.NotEmpty(t, files)
	name, err := Arch("/", "/bin/ls")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH], name)
}

func FuzzObject(f *testing.F) {
	f.Add(fake{interp: "/i", needed: []string{"a"}, rpath: "/r"}.bytes(f))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := parseObject(bytes.NewReader(text))
		if err == nil && o == nil {
			t.Fatal("neither an object nor an error")
		}
		if errors.Is(err, errNotELF) && bytes.HasPrefix(text, []byte(elf.ELFMAG)) {
			t.Fatal("an ELF file is told as none")
		}
	})
}
