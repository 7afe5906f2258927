package elfdep

import (
	"bytes"
	"path"
	"strings"
)

// A script is the first line of an interpreter script (execve(2)).
type script struct {
	interp string // as written, with the \r of a DOS line
	arg    string
}

// parseScript reads the first line of a file that begins with "#!".
func parseScript(head []byte) (script, bool) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return script{}, false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	text := strings.Trim(string(line), " \t")
	interp, arg, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
	return script{interp: interp, arg: strings.TrimSpace(arg)}, true
}

// programs are the interpreter and, behind env(1), the program it starts.
func (s script) programs(root string) []string {
	name := s.started()
	if name == "" {
		return []string{s.interp}
	}
	return []string{s.interp, lookPath(root, name)}
}

// started is the name of the program that env(1) starts, "" if the
// interpreter is another one.
func (s script) started() string {
	if path.Base(s.interp) != "env" {
		return ""
	}
	for word := range strings.FieldsSeq(s.arg) {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return word
		}
	}
	return ""
}

// lookPath gives name itself when no directory of the usual PATH has it.
func lookPath(root, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range []string{
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	} {
		p := path.Join(dir, name)
		if _, err := Resolve(root, p); err == nil {
			return p
		}
	}
	return name
}
