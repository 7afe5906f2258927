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

// A Reader finds statements. It reads a file when it is first asked for, and of
// a file parses only the functions that it is asked about: this happens while
// the tracee waits.
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
		f = &file{parts: map[int]*part{}}
		if r.fsys != nil {
			text, _ := fs.ReadFile(r.fsys, path)
			f.lines = strings.Split(string(text), "\n")
		}
		r.files[path] = f
	}
	return f.at(line)
}

// A file is one source file: its lines, and the parts that have been parsed, by
// their first line.
type file struct {
	lines []string
	parts map[int]*part
}

// at looks a line up in the part of the file that holds it.
func (f *file) at(line int) Statement {
	if line < 1 || line > len(f.lines) {
		return Statement{Line: line}
	}
	first, last := f.function(line)
	p, ok := f.parts[first]
	if !ok {
		p = parse(f.lines[first-1:last], first)
		f.parts[first] = p
	}
	st := Statement{Line: p.first(line)}
	st.Code, st.Why = strings.TrimSpace(f.lines[st.Line-1]), p.comments[st.Line-1]
	return st
}

// function finds the function around a line, as gofmt sets it: from a line that
// begins with func to the first bracket that stands alone. What is outside any
// function, as in a variable's value, counts as one from its first line too.
func (f *file) function(line int) (first, last int) {
	first, last = line, line
	for first > 1 && !begins(f.lines[first-1]) {
		first--
	}
	for last < len(f.lines) && (last == first || !begins(f.lines[last])) {
		last++
	}
	return first, last
}

func begins(line string) bool {
	return strings.HasPrefix(line, "func ") || strings.HasPrefix(line, "var ")
}

// A part is what is kept of a parsed declaration.
type part struct {
	statements []span
	comments   map[int]string // by the line on which they end
}

// A span is the lines of a statement without those of the blocks in it.
type span struct{ first, last int }

// parse takes apart lines that begin at a number. What is not Go, as the
// comment of the declaration that follows, does not matter: the parser goes as
// far as it can.
func parse(lines []string, number int) *part {
	set := token.NewFileSet()
	text := "package p; " + strings.Join(lines, "\n")
	tree, _ := parser.ParseFile(set, "", text, parser.ParseComments|parser.SkipObjectResolution)
	p := &part{comments: map[int]string{}}
	if tree == nil {
		return p
	}
	line := func(pos token.Pos) int { return set.Position(pos).Line + number - 1 }
	for _, c := range tree.Comments {
		if last := c.List[len(c.List)-1].Text; last[1] == '*' && len(last) < len("/**/") {
			continue // without an end, which Text counts on
		}
		p.comments[line(c.End())] = strings.Join(strings.Fields(c.Text()), " ")
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && counts(s) {
			p.statements = append(p.statements, span{line(s.Pos()), line(head(s))})
		}
		return true
	})
	return p
}

// first picks the statement that begins last among those that hold a line, and
// returns its first line. Of two on one line, an if and the assignment in it,
// it does not matter which.
func (p *part) first(line int) int {
	best, found := line, false
	for _, s := range p.statements {
		if s.first <= line && line <= s.last && (!found || s.first > best) {
			best, found = s.first, true
		}
	}
	return best
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
