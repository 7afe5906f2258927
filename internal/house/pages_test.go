package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages are the texts at the top, by file name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, name := range []string{
		"README.md", "CONTRIBUTING.md", "HOWTO_ADD_A_STEP.md", "MACHINES.md", "lessons/trace.md",
	} {
		text, err := os.ReadFile(filepath.Join(top, name))
		require.NoError(t, err)
		texts[name] = string(text)
	}
	return texts
}

// spans returns what stands between backticks within lines of text.
func spans(text string) []string {
	var list []string
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(prose(text), -1) {
		list = append(list, m[1])
	}
	return list
}

// fences splits a page into its prose, at even places, and its fenced blocks.
func fences(text string) []string { return strings.Split(text, "```") }

func prose(text string) string {
	var b strings.Builder
	for i, part := range fences(text) {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// TestPagesFiles checks that the files which the pages name are there.
func TestPagesFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for page, text := range pages(t) {
		names := slices.DeleteFunc(spans(text), func(s string) bool { return !isPath(s) })
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "://") {
				names = append(names, filepath.Join(filepath.Dir(page), m[1]))
			}
		}
		require.NotEmpty(t, names, page)
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(top, name)); err != nil {
				t.Errorf("%s: names %s: %v", page, name, err)
			}
		}
	}
}

// isPath tells that a span names a file or directory of the repository. NN
// stands for the number of a step that is still to be written.
func isPath(span string) bool {
	if strings.ContainsAny(span, " *$<") || strings.Contains(span, "NN") {
		return false
	}
	first, _, below := strings.Cut(span, "/")
	rooms := []string{"steps", "internal", "cmd", "rootfs", "lessons", "docs", ".ci"}
	return below && slices.Contains(rooms, first) ||
		!below && slices.Contains([]string{".md", ".yml", ".go"}, filepath.Ext(span))
}

// TestPagesNames checks that tests and make targets of these names exist.
func TestPagesNames(t *testing.T) {
	tests, targets := read(t, "internal/house/*_test.go"), read(t, "Makefile")
	target := regexp.MustCompile("(?:`|    |sudo )make ([\\w-]+)")
	for page, text := range pages(t) {
		for _, span := range spans(text) {
			if strings.HasPrefix(span, "Test") {
				require.Contains(t, tests, "\nfunc "+span, page)
			}
		}
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			require.Contains(t, targets, "\n"+m[1]+":", page)
		}
	}
}

// read returns the text of all files that match a pattern.
func read(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, pattern))
	require.NoError(t, err)
	var all []byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		all = append(all, text...)
	}
	return string(all)
}

// TestPagesCommands checks that kit has the commands and flags that the pages
// show.
func TestPagesCommands(t *testing.T) {
	kit := buildKit(t)
	help := map[string]string{}
	for page, text := range pages(t) {
		for _, c := range append(commands(text), bareFlags(text)...) {
			name := c[0]
			if help[name] == "" {
				out, err := exec.Command(kit, name, "--help").CombinedOutput()
				require.NoError(t, err, "%s: kit %s: %s", page, name, out)
				help[name] = string(out)
			}
			for _, word := range append([]string{"kit " + name}, c[1:]...) {
				if !strings.Contains(help[name], word) {
					t.Errorf("%s: kit %s --help does not know %s", page, name, word)
				}
			}
		}
	}
}

// commands returns the commands of kit in a page, each as its name and flags.
func commands(text string) [][]string {
	var list [][]string
	line := regexp.MustCompile("(?:go run \\./cmd/kit|`kit) ([a-z][^`\n]*)")
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[1])
		command := words[:1]
		for _, w := range words[1:] {
			if w == "--" || w == "#" {
				break
			}
			if strings.HasPrefix(w, "-") {
				flag, _, _ := strings.Cut(w, "=")
				command = append(command, flag)
			}
		}
		list = append(list, command)
	}
	return list
}

// bareFlags returns the flags that stand alone in a page: those of kit step.
func bareFlags(text string) [][]string {
	var list [][]string
	for _, span := range spans(text) {
		if flag := regexp.MustCompile(`^--[a-z-]+`).FindString(span); flag != "" {
			list = append(list, []string{"step", flag})
		}
	}
	return list
}

// TestPagesMainJob does what the README asks of a newcomer first.
func TestPagesMainJob(t *testing.T) {
	shell := shellBlocks(pages(t)["README.md"])
	require.Contains(t, shell, "go test -timeout 30m ./...")
	cmd := exec.Command("/bin/sh", "-c", shell[0])
	cmd.Dir = top
	cmd.Env = append(os.Environ(), "KIT_CACHE="+filepath.Join(t.TempDir(), "cache"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s%s", &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	require.Equal(t, "1", lines[0], "the shell's own PID")
	require.Regexp(t, `^kit-`, lines[1], "the host name")
	for _, process := range lines[3:] {
		require.Regexp(t, `\b(sh|ps)$`, process, "a process that is not the container's")
	}
	require.Contains(t, stderr.String(), "steps/02-namespaces/namespaces.go:", "the trace")
}

// shellBlocks returns the blocks of shell commands of a page.
func shellBlocks(text string) []string {
	var list []string
	for i, part := range fences(text) {
		if code, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			list = append(list, strings.TrimSpace(code))
		}
	}
	return list
}

// TestPagesCode checks that code in a page is the code of the repository: after
// <!-- code: FILE NAME --> comes the declaration of NAME, word for word.
func TestPagesCode(t *testing.T) {
	mark := regexp.MustCompile("<!-- code: (\\S+) (\\S+) -->\n```go\n([^`]*)```")
	for page, text := range pages(t) {
		quoted := mark.FindAllStringSubmatch(text, -1)
		require.Len(t, quoted, strings.Count(text, "```go"), "%s: code without its mark", page)
		for _, m := range quoted {
			code, err := declaration(t, m[1], m[2])
			require.NoError(t, err, page)
			require.Equal(t, code, m[3], "%s: %s of %s has changed", page, m[2], m[1])
		}
	}
}

// declaration returns the source of a function or variable, with its comment.
func declaration(t *testing.T, file, name string) (string, error) {
	t.Helper()
	text, err := fs.ReadFile(os.DirFS(top), file)
	if err != nil {
		return "", err
	}
	s := parse(t, file, text)
	for _, d := range s.file.Decls {
		begin, names := d.Pos(), []string(nil)
		var doc *ast.CommentGroup
		switch d := d.(type) {
		case *ast.FuncDecl:
			names, doc = []string{d.Name.Name}, d.Doc
		case *ast.GenDecl:
			names, doc = varNames(d), d.Doc
		}
		if !slices.Contains(names, name) {
			continue
		}
		if doc != nil {
			begin = doc.Pos()
		}
		from, to := s.fset.Position(begin).Offset, s.fset.Position(d.End()).Offset
		return string(text[from:to]) + "\n", nil
	}
	return "", fmt.Errorf("%s: no %s", file, name)
}
