package rootfs

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/containerkit/kit/internal/elfdep"
)

// writeKit puts a copy of the running program at /bin/kit below dir's root and
// records which one. It is a copy, never a hard link: what is inside can write
// to it.
func writeKit(dir string) error {
	was := kitStamp()
	if err := copyKit(filepath.Join(dir, "root")); err != nil {
		return err
	}
	text := fmt.Sprintf("%v\n%s\n", was, recipe())
	return replaceFile(filepath.Join(dir, "kit"), []byte(text))
}

// copyKit goes through os.Root: a container may have put links to the host's
// directories in the way.
func copyKit(root string) error {
	bin, err := elfdep.Resolve(root, "/bin")
	if err != nil {
		return fmt.Errorf("/bin: %w", pathCause(err))
	}
	inside, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer inside.Close()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	dst := strings.TrimPrefix(path.Join(bin, "kit"), "/")
	tmp := strings.TrimPrefix(path.Join(bin, ".kit.tmp"), "/")
	if err := copyInto(inside, tmp, self); err != nil {
		_ = inside.Remove(tmp)
		return err
	}
	return inside.Rename(tmp, dst)
}

func copyInto(inside *os.Root, name string, src io.Reader) error {
	err := inside.Remove(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := inside.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, src)
	return cmp.Or(err, f.Chmod(0o755), f.Close())
}

// recipe changes when another kit would make another default root file system
// from the same machine.
func recipe() string {
	h := sha256.New()
	fmt.Fprint(h, toolSets, terminals, directories)
	_ = fs.WalkDir(skeleton, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := skeleton.ReadFile(p)
			fmt.Fprintf(h, "%s\n%s\n", p, text)
		}
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// recipeOf is the recipe by which a root file system was made.
func (c cache) recipeOf(name string) string {
	text, _ := os.ReadFile(c.file(name, "kit"))
	_, rest, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(rest)
}

// freshenKit brings the kit inside up to date where there is one. The cache
// need not be locked when all is well.
func (c cache) freshenKit(name string) error {
	made := c.madeBy(name)
	if made == "" || made == kitStamp().String() {
		return nil
	}
	unlock, err := c.lock(io.Discard)
	if err != nil {
		return err
	}
	defer unlock()
	return writeKit(c.entry(name))
}
