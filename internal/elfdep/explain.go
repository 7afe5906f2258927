package elfdep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// maxScripts is how often an interpreter may itself be a script (execve(2)).
const maxScripts = 4

// Explain tells why a process whose root is root cannot start program, an
// absolute path as that process sees it. nil means that nothing wrong was
// found. The error is one clause that begins with the program's path; it wraps
// fs.ErrNotExist or fs.ErrPermission where the kernel would say ENOENT or
// EACCES.
func Explain(root, program string) error {
	return explain(root, program, 0)
}

func explain(root, program string, depth int) error {
	file, err := Resolve(root, program)
	if err != nil {
		return unresolved(program, err)
	}
	if err := checkMode(root+file, program); err != nil {
		return err
	}
	head, err := readHead(root + file)
	if err != nil {
		return fmt.Errorf("%s: %w", program, unwrapPath(err))
	}
	if line, ok := parseScript(head); ok {
		return explainScript(root, program, line, depth)
	}
	if _, ok := machineOf(head); ok {
		return explainELF(root, program, head)
	}
	if _, ok := findHandler(binfmtDir, head); ok {
		return nil
	}
	if len(head) == 0 {
		return fmt.Errorf("%s: is an empty file: %w", program, syscall.ENOEXEC)
	}
	return fmt.Errorf("%s: is neither an ELF program nor a script that begins with #!: %w",
		program, syscall.ENOEXEC)
}

// unresolved tells the program that is not there from a link that leads
// nowhere.
func unresolved(program string, err error) error {
	var pe *fs.PathError
	if !errors.As(err, &pe) || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", program, unwrapPath(err))
	}
	if pe.Path == program || strings.HasPrefix(program, pe.Path+"/") {
		return missing(program + ": not found inside")
	}
	return missing(fmt.Sprintf("%s: leads to %s, which is not inside", program, pe.Path))
}

// A missing error reads as its text alone and is fs.ErrNotExist.
type missing string

func (m missing) Error() string { return string(m) }
func (m missing) Unwrap() error { return fs.ErrNotExist }

func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func checkMode(p, program string) error {
	info, err := os.Lstat(p)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", program, unwrapPath(err))
	case info.IsDir():
		return fmt.Errorf("%s: is a directory: %w", program, fs.ErrPermission)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: is not a regular file: %w", program, fs.ErrPermission)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s: has no execute bit (mode %04o): %w",
			program, info.Mode().Perm(), fs.ErrPermission)
	}
	return nil
}

func explainScript(root, program string, line script, depth int) error {
	switch {
	case line.interp == "":
		return fmt.Errorf("%s: names no interpreter after #!: %w", program, syscall.ENOEXEC)
	case strings.HasSuffix(line.interp+line.arg, "\r"):
		return missing(program + ": its first line ends in \\r\\n, " +
			"and the kernel takes the \\r for a part of the interpreter's name")
	case depth >= maxScripts:
		return fmt.Errorf("%s: its interpreters are scripts without end: %w",
			program, syscall.ELOOP)
	}
	for _, needed := range line.programs(root) {
		if !strings.HasPrefix(needed, "/") && needed == line.started() {
			return missing(fmt.Sprintf("%s: is a script for %s, "+
				"which no directory of the usual PATH has inside", program, needed))
		}
		if err := explain(root, needed, depth+1); err != nil {
			return fmt.Errorf("%s: is a script whose interpreter %w", program, err)
		}
	}
	return nil
}

func explainELF(root, program string, head []byte) error {
	if err := runs(root, head); err != nil {
		return fmt.Errorf("%s: %w: %w", program, err, syscall.ENOEXEC)
	}
	if m, _ := machineOf(head); !native(m) {
		return nil // An emulator finds libraries in places of its own.
	}
	l := newLinker(root)
	l.program(program, "")
	var libs []string
	for _, m := range l.missing {
		if m.NeededBy == "" {
			return fmt.Errorf("%s: %w", program, m.Err)
		}
		if strings.Contains(m.Name, "/") {
			return missing(fmt.Sprintf("%s: needs the ELF interpreter %s, which is not inside",
				program, m.Name))
		}
		libs = append(libs, m.Name)
	}
	switch len(libs) {
	case 0:
		return nil
	case 1:
		return missing(fmt.Sprintf("%s: needs the library %s, which is not inside",
			program, libs[0]))
	}
	return missing(fmt.Sprintf("%s: needs the libraries %s, which are not inside",
		program, strings.Join(libs, ", ")))
}
