package oracle

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// program is the file that execve(2) was to run.
func (c *Call) program() *place {
	if list := c.places(); len(list) > 0 {
		return list[0]
	}
	return &place{err: unix.ENOENT}
}

// head is how a file begins.
func head(file string) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, 256) // BINPRM_BUF_SIZE
	n, _ := io.ReadFull(f, buf)
	return buf[:n]
}

// interpreter is the program that a file is run by: behind #! or in its ELF header.
func interpreter(file string) (name, kind string) {
	start := head(file)
	if line, ok := bytes.CutPrefix(start, []byte("#!")); ok {
		line, _, _ = bytes.Cut(line, []byte("\n"))
		if f := strings.Fields(string(line)); len(f) > 0 {
			return f[0], "its #! line"
		}
	}
	program, err := elf.Open(file)
	if err != nil {
		return "", ""
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			text, _ := io.ReadAll(io.LimitReader(part.Open(), unix.PathMax))
			return unix.ByteSliceToString(text), "its ELF header"
		}
	}
	return "", ""
}

// noInterpreter tells a program whose interpreter is not there, or cannot be run.
func noInterpreter(c *Call) string {
	p := c.program()
	if p.err != 0 {
		return ""
	}
	name, kind := interpreter(p.at)
	if name == "" {
		return ""
	}
	i := c.look(unix.AT_FDCWD, name, true)
	switch {
	case i.err == unix.ENOENT:
		return p.path + " is there, but not the interpreter that " + kind + " names: there is no " +
			i.path + i.way()
	case i.err == unix.EACCES || i.err == 0 && !c.may(&i.stat, unix.X_OK):
		return "the interpreter that " + kind + " names, " + name + ", may not be executed: " +
			c.bits(&i.stat)
	}
	return ""
}

// notRegular tells what is no program at all.
func notRegular(c *Call) string {
	if p := c.program(); p.err == 0 && !p.is(unix.S_IFREG) {
		return p.path + " is " + p.kind() + ", and only a file can be executed"
	}
	return ""
}

// noExec tells a mount from which nothing is executed.
func noExec(c *Call) string {
	p := c.program()
	if m, ok := c.mountOf(p); ok && p.err == 0 && m.has("noexec") {
		return "the mount at " + m.Mountpoint + " is noexec"
	}
	return ""
}

// badFormat tells a file that the kernel cannot run.
func badFormat(c *Call) string {
	p := c.program()
	start := head(p.at)
	switch {
	case p.err != 0:
		return ""
	case len(start) == 0:
		return p.path + " is empty"
	case bytes.HasPrefix(start, []byte("#!")):
		return "the #! line of " + p.path + " names no interpreter"
	case !bytes.HasPrefix(start, []byte(elf.ELFMAG)):
		return p.path + " is neither an ELF program nor begins with #! and an interpreter"
	}
	program, err := elf.Open(p.at)
	if err != nil {
		return p.path + " is a damaged ELF file: " + err.Error()
	}
	defer program.Close()
	if program.Type != elf.ET_EXEC && program.Type != elf.ET_DYN {
		return p.path + " is an ELF file, but no program: " + program.Type.String()
	}
	if own, err := elf.Open("/proc/self/exe"); err == nil {
		defer own.Close()
		if own.Machine != program.Machine {
			return fmt.Sprintf("%s is for another machine: %v, and this is %v, without a "+
				"binfmt_misc handler for it", p.path, program.Machine, own.Machine)
		}
	}
	return ""
}

// openForWriting tells who keeps a program from being run, or from being written to.
func openForWriting(c *Call) string {
	p := c.program()
	if p.err != 0 {
		return ""
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		dir := "/proc/" + e.Name() + "/"
		var st unix.Stat_t
		if unix.Stat(dir+"exe", &st) == nil && same(&st, &p.stat) && !strings.HasPrefix(c.Name, "exec") {
			return p.path + " is being executed by process " + e.Name()
		}
		fds, _ := os.ReadDir(dir + "fd")
		for _, fd := range fds {
			if unix.Stat(dir+"fd/"+fd.Name(), &st) != nil || !same(&st, &p.stat) {
				continue
			}
			pid, _ := strconv.Atoi(e.Name())
			n, _ := strconv.Atoi(fd.Name())
			flags, _ := strconv.ParseUint((&Call{TID: pid}).fdinfo(n, "flags"), 8, 64)
			if flags&3 != unix.O_RDONLY && strings.HasPrefix(c.Name, "exec") {
				return p.path + " is open for writing in process " + e.Name() + " (" + read(dir+"comm") + ")"
			}
		}
	}
	return ""
}

// longArguments tells more than the kernel takes along.
func longArguments(c *Call) string {
	const most = 128 << 10 // MAX_ARG_STRLEN
	for _, name := range []string{"argv", "envp"} {
		addr := c.arg(name)
		for i := range uint64(4096) {
			w := c.words(addr+8*i, 2)
			at := uint64(w[0]) | uint64(w[1])<<32
			if at == 0 {
				break
			}
			if c.Frame.Memory.Read(at+most-1, make([]byte, 1)) == 1 && c.long(at, most) {
				return fmt.Sprintf("%s[%d] has more than %d bytes", name, i, most-1)
			}
		}
	}
	return "the arguments and the environment are larger than a quarter of the stack's limit, " +
		c.limit("stack size") + " bytes"
}

// long tells a string that does not end in its first n bytes.
func (c *Call) long(addr uint64, n int) bool {
	buf := make([]byte, n)
	got := c.Frame.Memory.Read(addr, buf)
	return got == n && bytes.IndexByte(buf, 0) < 0
}

// profile is the AppArmor profile that confines the thread, in enforce mode.
func profile(c *Call) string {
	text, mode, _ := strings.Cut(read(c.proc("attr/current")), " ")
	if strings.Trim(mode, "()") == "enforce" {
		return "the AppArmor profile " + path.Base(text) + " confines the thread, and may deny it"
	}
	return ""
}
