package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// top is the repository's top directory, as seen from this package's tests.
const top = "../.."

// A source is one parsed Go file.
type source struct {
	path string // from the repository's top
	fset *token.FileSet
	file *ast.File
	text []byte
}

func parse(t *testing.T, path string, text []byte) *source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return &source{path, fset, file, text}
}

// sourcesUnder parses the Go files below directories, without tests.
func sourcesUnder(t *testing.T, dirs ...string) []*source {
	t.Helper()
	var list []*source
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(top, dir), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isCode(d.Name()) {
				return err
			}
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(top, p)
			list = append(list, parse(t, filepath.ToSlash(rel), text))
			return err
		})
		require.NoError(t, err)
	}
	require.NotEmpty(t, list, "no Go files under %v", dirs)
	return list
}

func isCode(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

// stepSources are the files of the steps' packages: not steps/steps.go.
func stepSources(t *testing.T) []*source {
	t.Helper()
	var list []*source
	for _, s := range sourcesUnder(t, "steps") {
		if path.Dir(s.path) != "steps" {
			list = append(list, s)
		}
	}
	return list
}

// line is where n begins.
func (s *source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// lines is the length of the file.
func (s *source) lines() int { return s.fset.File(s.file.Pos()).LineCount() - 1 }

// imports maps the names that the file uses for packages to import paths.
func (s *source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// callee returns the import path and the function of a call such as
// unix.Mount(...), and the name alone for print(...) or x.Close().
func callee(call *ast.CallExpr, imports map[string]string) (pkg, name string) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return "", f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			pkg = imports[x.Name]
		}
		return pkg, f.Sel.Name
	}
	return "", ""
}
