// Package newlab writes a lab: the ladder with the bodies of the steps taken out, to be
// written again by whoever wants to learn it. It is made from the steps themselves.
package newlab

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/steps"
)

//go:generate go run ./gen

// files are what a lab has besides: .txt is cut off their names.
//
//go:embed files
var files embed.FS

// ours is how the packages of kit are imported here, and those of the lab's are not.
const ours = "github.com/containerkit/kit/"

// Lessons are the files whose bodies are taken out, of each step those that its lesson is
// about; what else is there helps.
var Lessons = []string{
	"steps/01-chroot/chroot.go",
	"steps/02-namespaces/namespaces.go",
	"steps/03-cgroups/cgroups.go",
	"steps/04-overlay/overlay.go",
	"steps/05-netns/netns.go",
	"steps/06-caps-seccomp/caps.go",
	"steps/06-caps-seccomp/seccomp.go",
}

// ErrOccupied is said of a directory that is not empty: a lab overwrites nothing.
var ErrOccupied = errors.New("there is something in it")

// hollowed are the files of a lab with the bodies taken out.
func hollowed(module string, filter []byte) (map[string][]byte, error) {
	all, err := collected(module, filter)
	if err != nil {
		return nil, err
	}
	helpers, err := functions(all)
	if err != nil {
		return nil, err
	}
	for _, name := range Lessons {
		if all[name], err = hollow(name, all[name], helpers[path.Dir(name)]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// collected are the files of a lab, by path, with nothing taken out: a Go module named
// module. filter is the program that step 6 loads (classic BPF, as seccomp(2) takes it).
func collected(module string, filter []byte) (map[string][]byte, error) {
	all := map[string][]byte{"seccomp.bpf": filter}
	for dir, source := range map[string]fs.FS{
		"steps": steps.Source, "internal/container": container.Source,
		"internal/state": state.Source, "internal/procfs": procfs.Source, "": files,
	} {
		if err := collect(all, dir, source); err != nil {
			return nil, err
		}
	}
	for name, text := range all {
		if name != "seccomp.bpf" {
			text = bytes.ReplaceAll(text, []byte(`"`+ours), []byte(`"`+module+"/"))
			all[name] = bytes.ReplaceAll(text, []byte("MODULE"), []byte(module))
		}
	}
	return all, nil
}

// collect takes the files of a directory, but for tests and what embeds them.
func collect(all map[string][]byte, dir string, source fs.FS) error {
	return fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() ||
			strings.HasSuffix(name, "_test.go") || path.Base(name) == "source.go" {
			return err
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		name = strings.TrimSuffix(strings.TrimPrefix(name, "files/"), ".txt")
		all[path.Join(dir, name)] = text
		return nil
	})
}

// functions are the names of those of a step that its other files declare, by directory.
func functions(all map[string][]byte) (map[string]map[string]bool, error) {
	found := map[string]map[string]bool{}
	for name, text := range all {
		if !strings.HasSuffix(name, ".go") || slices.Contains(Lessons, name) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		dir := path.Dir(name)
		if found[dir] == nil {
			found[dir] = map[string]bool{}
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				found[dir][f.Name.Name] = true
			}
		}
	}
	return found, nil
}

// Write writes a lab into dir, which is made, or is empty. If it cannot, nothing stays.
func Write(dir, module string, filter []byte) error {
	all, err := hollowed(module, filter)
	if err != nil {
		return err
	}
	return put(dir, all)
}

// Whole writes a lab in which nothing is left to be done.
func Whole(dir, module string, filter []byte) error {
	all, err := collected(module, filter)
	if err != nil {
		return err
	}
	return put(dir, all)
}

func put(dir string, all map[string][]byte) (err error) {
	made, err := empty(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			remove(dir, made)
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, all[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// empty sees to it that the directory is there, and that nothing is in it.
func empty(dir string) (made bool, err error) {
	err = os.Mkdir(dir, 0o755)
	if err == nil || !errors.Is(err, fs.ErrExist) {
		return err == nil, err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s: %w: %s", dir, ErrOccupied, entries[0].Name())
	}
	return false, err
}

// remove takes back what was written.
func remove(dir string, made bool) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
	if made {
		_ = os.Remove(dir)
	}
}
