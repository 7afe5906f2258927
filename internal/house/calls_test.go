package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryKernelCallIsExplained keeps the trace's words complete: it prints
// the comment above a call's statement as the reason.
func TestEveryKernelCallIsExplained(t *testing.T) {
	for _, s := range append(stepSources(t), sourcesUnder(t, "internal/container")...) {
		for _, f := range unexplained(s) {
			t.Error(f)
		}
	}
}

// unexplained returns the kernel calls of a file that have no comment of their
// own lines right above the statement that makes them.
func unexplained(s *source) []string {
	var found []string
	comments, imports := s.comments(), s.imports()
	var statements []ast.Node // the open ones, outermost first; nil for other nodes
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			statements = statements[:len(statements)-1]
			return true
		}
		statements = append(statements, statement(n))
		call, ok := n.(*ast.CallExpr)
		if !ok || !entersKernel(call, imports) {
			return true
		}
		at := innermost(statements, call)
		switch text, ok := comments[s.line(at)-1]; {
		case !ok:
			found = append(found, s.finding(at, call, "no comment right above its statement"))
		case !isSentence(text):
			found = append(found, s.finding(at, call, "the comment above it is no sentence"))
		}
		return true
	})
	return found
}

// statement returns n where a comment above it explains a call in it.
func statement(n ast.Node) ast.Node {
	switch n.(type) {
	case *ast.BlockStmt:
		return nil
	case ast.Stmt, *ast.GenDecl, *ast.FuncDecl:
		return n
	}
	return nil
}

func innermost(statements []ast.Node, call ast.Node) ast.Node {
	for _, s := range slices.Backward(statements) {
		if s != nil {
			return s
		}
	}
	return call
}

// comments maps the last line of every comment that has its lines for itself to
// its text. A comment behind code explains that code and nothing below.
func (s *source) comments() map[int]string {
	texts := map[int]string{}
	for _, c := range s.file.Comments {
		if s.behindCode(c.Pos()) || strings.HasPrefix(c.List[len(c.List)-1].Text, "//nolint") {
			continue
		}
		texts[s.fset.Position(c.End()).Line] = c.Text()
	}
	return texts
}

func (s *source) behindCode(pos token.Pos) bool {
	p := s.fset.Position(pos)
	return strings.TrimSpace(string(s.text[p.Offset-p.Column+1:p.Offset])) != ""
}

func isSentence(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && strings.ContainsAny(text[len(text)-1:], ".?:)")
}

func (s *source) finding(at, call ast.Node, what string) string {
	c := call.(*ast.CallExpr)
	_, name := callee(c, s.imports())
	return fmt.Sprintf("%s:%d: %s: %s", s.path, s.line(at), name, what)
}

// entersKernel tells that a call makes system calls, as far as its name shows.
// A function that is not known to be pure is taken for a kernel call.
func entersKernel(call *ast.CallExpr, imports map[string]string) bool {
	pkg, name := callee(call, imports)
	switch pkg {
	case "golang.org/x/sys/unix", "syscall":
		return !pureUnix(name)
	case "os":
		return !pureOS(name)
	case "os/exec", "golang.org/x/term":
		return name != "Command" && name != "CommandContext"
	case "":
		_, starts := imports["exec"]
		return starts && slices.Contains([]string{"Run", "Start", "Output", "CombinedOutput"}, name)
	}
	return false
}

// pureUnix names what only computes: constants put together, bytes taken
// apart, and types, of which a conversion looks like a call.
func pureUnix(name string) bool {
	switch name {
	case "BytePtrFromString", "BytePtrToString", "ByteSliceFromString", "ByteSliceToString",
		"CmsgLen", "CmsgSpace", "UnixCredentials", "UnixRights",
		"ErrnoName", "SignalName", "SignalNum", "Major", "Minor", "Mkdev",
		"NsecToTimespec", "NsecToTimeval", "TimespecToNsec", "TimevalToNsec",
		"Errno", "Signal", "WaitStatus", "Getenv", "Environ":
		return true
	}
	return strings.HasPrefix(name, "Parse")
}

// pureOS names what reads or changes this process's own memory only.
func pureOS(name string) bool {
	switch name {
	case "Clearenv", "Environ", "Expand", "ExpandEnv", "Getenv", "LookupEnv", "Setenv", "Unsetenv",
		"DirFS", "Exit", "FileMode", "Getpagesize", "NewFile", "NewSyscallError",
		"IsExist", "IsNotExist", "IsPermission":
		return true
	}
	return false
}

// TestUnexplained tests the test: it must see what it is there for.
func TestUnexplained(t *testing.T) {
	cases := []struct {
		name, body string
		found      int
	}{
		{"comment above", "// Why.\nunix.Getpid()", 0},
		{"none", "x := 1\n_ = x\nunix.Getpid()", 1},
		{"blank line between", "// Why.\n\nunix.Getpid()", 1},
		{"behind the code above", "x := 1 // one\nunix.Getpid()", 1},
		{"no sentence", "// todo\nunix.Getpid()", 1},
		{"only a directive", "//nolint:errcheck\nunix.Getpid()", 1},
		{"above the whole if", "// Why.\nif err := unix.Chdir(\"/\"); err != nil {\n}", 0},
		{"in the condition of else if", "if x() {\n// Why.\n} else if unix.Chdir(\"/\") != nil {\n}", 0},
		{"above the block, not the call", "// Why.\nif x() {\nunix.Getpid()\n}", 1},
		{"a call over several lines", "// Why.\nf(\n1,\nunix.Getpid())", 0},
		{"in a closure", "// Why.\ndefer func() {\nunix.Getpid()\n}()", 1},
		{"pure helpers", "unix.Mkdev(1, 3)\nunix.CmsgSpace(4)", 0},
		{"a program", "exec.Command(\"ip\").Run()", 1},
		{"a conversion", "_ = syscall.Signal(9)", 0},
		{"another package", "fmt.Sprint(strconv.Itoa(1))", 0},
		{"a file", "os.Open(\"/proc\")", 1},
	}
	const head = "package p\n" +
		"import (\"fmt\"; \"golang.org/x/sys/unix\"; \"os\"; \"os/exec\"; \"syscall\")\n"
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, "p.go", []byte(head+"func f() {\n"+c.body+"\n}\n"))
			require.Len(t, unexplained(s), c.found)
		})
	}
}
