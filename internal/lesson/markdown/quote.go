package markdown

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// Declaration returns the source of a function, method (Type.Name), type, variable or
// constant that is declared at the top of a Go file, with the comment above it.
func Declaration(file string, source []byte, name string) (string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, source, parser.ParseComments)
	if err != nil {
		return "", err
	}
	for _, d := range f.Decls {
		names, doc := declared(d)
		for _, n := range names {
			if n != name {
				continue
			}
			begin := d.Pos()
			if doc != nil {
				begin = doc.Pos()
			}
			return string(source[fset.Position(begin).Offset:fset.Position(d.End()).Offset]) + "\n", nil
		}
	}
	return "", fmt.Errorf("%s: no %s", file, name)
}

// declared returns the names that a declaration declares, and its comment.
func declared(d ast.Decl) (names []string, doc *ast.CommentGroup) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			t := d.Recv.List[0].Type
			if star, ok := t.(*ast.StarExpr); ok {
				t = star.X
			}
			name = fmt.Sprint(t) + "." + name
		}
		return []string{name}, d.Doc
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			}
		}
		return names, d.Doc
	}
	return nil, nil
}
