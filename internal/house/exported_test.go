package house

import (
	"go/ast"
	"testing"
)

// TestExportedIsDocumented checks that whatever a package offers to others has
// a doc comment.
func TestExportedIsDocumented(t *testing.T) {
	for _, s := range sourcesUnder(t, "internal", "steps", "rootfs", "cmd") {
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s:%d: %s: exported without a doc comment", s.path, s.line(d), name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that nothing is said
// about, neither at the name nor at the group that it belongs to.
func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && offered(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		if d.Doc == nil {
			return undocumentedSpecs(d.Specs)
		}
	}
	return nil
}

// offered tells that a function can be called by other packages and that its
// name alone, as of a method of a standard interface, does not say what it does.
func offered(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	switch f.Name.Name {
	case "Error", "Unwrap", "String":
		return false
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return !ok || name.IsExported()
}

func undocumentedSpecs(specs []ast.Spec) []string {
	var names []string
	for _, spec := range specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc == nil && spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if spec.Doc == nil && spec.Comment == nil && spec.Names[0].IsExported() {
				names = append(names, spec.Names[0].Name)
			}
		}
	}
	return names
}
