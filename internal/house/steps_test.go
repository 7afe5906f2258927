package house

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxLines is what a reader takes in within ten minutes.
const maxLines = 150

// minLines is where a step's first file shows too little to be a lesson. The
// primitive of step 1 is smaller than all others.
func minLines(dir string) int {
	if dir == "steps/01-chroot" {
		return 30
	}
	return 60
}

// TestStepsAreSilent keeps steps from speaking for themselves: the trace does.
func TestStepsAreSilent(t *testing.T) {
	for _, s := range stepSources(t) {
		for name, p := range s.imports() {
			if slices.Contains([]string{"os", "os/exec", "log", "log/slog", "io/ioutil"}, p) {
				t.Errorf("%s: imports %s as %s: a step makes its kernel calls itself (unix.*) "+
					"and returns errors", s.path, p, name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && speaks(call, s.imports()) {
				_, name := callee(call, s.imports())
				t.Errorf("%s:%d: %s: a step prints nothing and does not panic", s.path, s.line(n), name)
			}
			return true
		})
	}
}

func speaks(call *ast.CallExpr, imports map[string]string) bool {
	pkg, name := callee(call, imports)
	if _, method := call.Fun.(*ast.SelectorExpr); pkg == "" && !method {
		return name == "print" || name == "println" || name == "panic"
	}
	return pkg == "fmt" && (strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Fprint"))
}

// TestStepsKeepNoState allows a step one package variable, its Step: the kernel
// is the database.
func TestStepsKeepNoState(t *testing.T) {
	for _, s := range stepSources(t) {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, name := range varNames(g) {
				if name != "Step" {
					t.Errorf("%s:%d: variable %s: a step keeps no state", s.path, s.line(g), name)
				}
			}
		}
	}
}

func varNames(g *ast.GenDecl) []string {
	var names []string
	for _, spec := range g.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok {
			for _, name := range v.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// TestStepFiles checks the shape of a step: one first file with the package
// comment and the Step, short enough to be read in one go, as are the others.
func TestStepFiles(t *testing.T) {
	first := map[string]string{}
	for _, s := range stepSources(t) {
		dir := path.Dir(s.path)
		first[dir] += ""
		if s.lines() > maxLines {
			t.Errorf("%s: %d lines: more than %d; give one noun a file of its own",
				s.path, s.lines(), maxLines)
		}
		if !s.declaresStep() {
			continue
		}
		require.Empty(t, first[dir], "%s: a second Step in the package", s.path)
		first[dir] = s.path
		if s.lines() < minLines(dir) {
			t.Errorf("%s: %d lines: fewer than %d", s.path, s.lines(), minLines(dir))
		}
		if s.file.Doc == nil {
			t.Errorf("%s: no package comment: the primitive in one sentence, "+
				"and what it does not do", s.path)
		}
	}
	for dir, file := range first {
		if file == "" {
			t.Errorf("%s: no file declares Step", dir)
		}
	}
}

func (s *source) declaresStep() bool {
	return slices.ContainsFunc(s.file.Decls, func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		return ok && g.Tok == token.VAR && slices.Contains(varNames(g), "Step")
	})
}

// TestStepsAreRegistered checks that every directory of steps/ is in steps.All.
func TestStepsAreRegistered(t *testing.T) {
	var all *source
	for _, s := range sourcesUnder(t, "steps") {
		if s.path == "steps/steps.go" {
			all = s
		}
	}
	require.NotNil(t, all)
	var imported []string
	for _, p := range all.imports() {
		imported = append(imported, strings.TrimPrefix(p, "github.com/containerkit/kit/"))
	}
	for _, s := range stepSources(t) {
		require.Contains(t, imported, path.Dir(s.path), "steps/steps.go does not import it")
	}
}
