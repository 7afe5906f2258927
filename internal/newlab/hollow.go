package newlab

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// hollow takes the bodies of all functions out of a file of a step. What is left of one
// are the comments in it, numbered, the helpers that it calls and the fields that it sets,
// by which the student writes it again; and a result that says that nobody has yet.
// helpers are the functions of the step's other files.
func hollow(name string, source []byte, helpers map[string]bool) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	at := 0
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		open, end := fset.Position(f.Body.Lbrace).Offset+1, fset.Position(f.Body.Rbrace).Offset
		out.Write(source[at:open])
		out.WriteString("\n" + tasks(f, file, source, fset, helpers))
		out.WriteString(results(f, source, fset, name))
		at = end
	}
	out.Write(source[at:])
	return format.Source(withoutImports(out.Bytes()))
}

// A task is one thing to do in a function, and where it stands there.
type task struct {
	at   token.Pos
	text string
}

// tasks are a function's comments, as a list.
func tasks(
	f *ast.FuncDecl, file *ast.File, source []byte, fset *token.FileSet, helpers map[string]bool,
) string {
	var list []task
	for _, group := range file.Comments {
		if f.Body.Lbrace < group.Pos() && group.End() < f.Body.Rbrace {
			list = append(list, task{group.Pos(), strings.TrimSpace(group.Text())})
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && helpers[name.Name] {
				list = append(list, task{n.Pos(), "Helper: " + string(cut(source, fset, n))})
			}
		case *ast.AssignStmt:
			if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok {
				list = append(list, task{n.Pos(), "Set " + string(cut(source, fset, s)) + "."})
			}
		}
		return true
	})
	slices.SortStableFunc(list, func(a, b task) int { return int(a.at - b.at) })
	var out strings.Builder
	for i, t := range list {
		for j, line := range strings.Split(t.text, "\n") {
			mark := "   "
			if j == 0 {
				mark = fmt.Sprintf("%d. ", i+1)
			}
			fmt.Fprintf(&out, "\t// %s%s\n", mark, line)
		}
	}
	return out.String()
}

// cut is the source of a node.
func cut(source []byte, fset *token.FileSet, n ast.Node) []byte {
	return source[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset]
}

// results is the return statement of a function that is not written yet.
func results(f *ast.FuncDecl, source []byte, fset *token.FileSet, file string) string {
	if f.Type.Results == nil {
		return ""
	}
	var values []string
	for _, field := range f.Type.Results.List {
		kind := string(cut(source, fset, field.Type))
		value := "*new(" + kind + ")"
		if kind == "error" {
			value = fmt.Sprintf("container.NotWritten(%q)", file+": "+f.Name.Name)
		}
		for range max(1, len(field.Names)) {
			values = append(values, value)
		}
	}
	return "\treturn " + strings.Join(values, ", ") + "\n"
}

// withoutImports removes the imports that nothing uses any more.
func withoutImports(source []byte) []byte {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "step.go", source, 0)
	if err != nil {
		return source // format.Source will say it
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	lines := bytes.SplitAfter(source, []byte("\n"))
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		if !used[path[strings.LastIndexByte(path, '/')+1:]] {
			lines[fset.Position(i.Pos()).Line-1] = nil
		}
	}
	return bytes.Join(lines, nil)
}
