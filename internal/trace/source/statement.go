package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
)

// A Statement is one statement of the source.
type Statement struct {
	Line int    // its first
	Code string // that line
	Why  string // the comment right above it, in one line
}

// A Reader finds statements. It reads and parses a file when it is first asked
// for, and keeps it.
type Reader struct {
	fsys  fs.FS
	files map[string]*file
}

// NewReader returns a reader of the files in fsys, which may be nil.
func NewReader(fsys fs.FS) *Reader { return &Reader{fsys, map[string]*file{}} }

// At returns the innermost statement to which a line of a file belongs. Without
// a source there is only the line.
func (r *Reader) At(path string, line int) Statement {
	f, ok := r.files[path]
	if !ok {
		f = parse(r.fsys, path)
		r.files[path] = f
	}
	return f.at(line)
}

// A file is what is kept of a parsed file.
type file struct {
	lines      []string
	statements []span
	comments   map[int]string // by the line on which they end
}

// A span is the lines of a statement without those of the blocks in it.
type span struct{ first, last int }

// parse returns an empty file for one that is not there or is not Go.
func parse(fsys fs.FS, path string) *file {
	f := &file{comments: map[int]string{}}
	if fsys == nil {
		return f
	}
	text, err := fs.ReadFile(fsys, path)
	if err != nil {
		return f
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return f
	}
	f.lines = strings.Split(string(text), "\n")
	line := func(p token.Pos) int { return set.Position(p).Line }
	for _, c := range tree.Comments {
		f.comments[line(c.End())] = strings.Join(strings.Fields(c.Text()), " ")
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && counts(s) {
			f.statements = append(f.statements, span{line(s.Pos()), line(head(s))})
		}
		return true
	})
	return f
}

// counts tells statements that do something from mere brackets.
func counts(s ast.Stmt) bool {
	switch s.(type) {
	case *ast.BlockStmt, *ast.LabeledStmt, *ast.EmptyStmt, *ast.CaseClause, *ast.CommClause:
		return false
	}
	return true
}

// head is the end of a statement's own part: that of an if or for ends where
// its block begins.
func head(s ast.Stmt) token.Pos {
	switch s := s.(type) {
	case *ast.IfStmt:
		return s.Body.Lbrace
	case *ast.ForStmt:
		return s.Body.Lbrace
	case *ast.RangeStmt:
		return s.Body.Lbrace
	case *ast.SwitchStmt:
		return s.Body.Lbrace
	case *ast.TypeSwitchStmt:
		return s.Body.Lbrace
	case *ast.SelectStmt:
		return s.Body.Lbrace
	}
	return s.End()
}

// at picks the statement that begins last among those that hold the line. Of
// two on one line, an if and the assignment in it, the outer has the comment.
func (f *file) at(line int) Statement {
	best, found := line, false
	for _, s := range f.statements {
		if s.first <= line && line <= s.last && (!found || s.first > best) {
			best, found = s.first, true
		}
	}
	st := Statement{Line: best, Why: f.comments[best-1]}
	if best <= len(f.lines) {
		st.Code = strings.TrimSpace(f.lines[best-1])
	}
	return st
}
