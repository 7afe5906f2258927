package rootfs

import (
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/elfdep"
)

// openArchive opens the entry that was imported from the same file, or else
// from a file of the same contents, or else imports it under a name made from
// the file's.
func openArchive(file string, progress io.Writer) (Root, error) {
	c, err := findCache()
	if err != nil {
		return Root{}, err
	}
	infos, err := c.list()
	if err != nil {
		return Root{}, err
	}
	from := fileStamp(file)
	for _, info := range infos {
		if info.Stamp == from {
			return c.root(info.Name), nil
		}
	}
	unlock, err := c.lock(progress)
	if err != nil {
		return Root{}, err
	}
	defer unlock()
	name, err := c.importOnce(file, progress)
	return c.root(name), err
}

// fileStamp tells a file without reading it. The path is a part of it.
func fileStamp(file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		abs = file
	}
	if there, err := filepath.EvalSymlinks(abs); err == nil {
		abs = there
	}
	return fmt.Sprintf("%v %s", stampOf(unix.AT_FDCWD, abs), abs)
}

// importOnce imports the file unless its contents are in the cache.
func (c cache) importOnce(file string, progress io.Writer) (name string, err error) {
	digest, err := digestOf(file)
	if err != nil {
		return "", err
	}
	infos, err := c.list()
	if err != nil {
		return "", err
	}
	name = stem(file)
	for _, info := range infos {
		if info.Digest == digest {
			return info.Name, nil
		}
	}
	if !validName(name) || c.mustBeFree(name) != nil {
		name = fmt.Sprintf("tar-%.8s", strings.TrimPrefix(digest, "sha256:"))
	}
	return name, c.importFile(name, file, digest, progress)
}

func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", pathCause(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", pathCause(err)
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil)), nil
}

// stem is a file's name without what tells its format.
func stem(file string) string {
	name := filepath.Base(file)
	for _, suffix := range []string{".gz", ".zst", ".zstd", ".xz", ".bz2", ".tgz", ".tar"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

// importFile makes an entry from a tar archive. The cache must be locked.
func (c cache) importFile(name, file, digest string, progress io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return pathCause(err)
	}
	defer f.Close()
	from := fileStamp(file)
	return c.importFrom(name, file, f, progress, func(info *Info) {
		info.Digest, info.Stamp = digest, from
	})
}

// importFrom makes an entry from the archive that r gives.
func (c cache) importFrom(
	name, from string, r io.Reader, progress io.Writer, more func(*Info),
) error {
	task := begin(progress, "unpacking %s as %s", from, name)
	var u *unpacker
	err := c.build(name, "", func(dir string) (info Info, err error) {
		if u, err = unpackAndKeep(dir, r); err != nil {
			return Info{}, err
		}
		if err := check(filepath.Join(dir, "root")); err != nil {
			return Info{}, err
		}
		arch, _ := elfdep.Arch(filepath.Join(dir, "root"), "/bin/sh")
		info = Info{Size: u.size, Files: u.files, Arch: arch, From: from}
		more(&info)
		return info, nil
	})
	if err != nil {
		task.failed()
		return err
	}
	task.done(fmt.Sprintf("%d files, %s, ", u.files,
		units.HumanSizeWithPrecision(float64(u.size), 3)))
	if u.devices > 0 {
		fmt.Fprintf(progress, "kit: left out %d device nodes: step 2 makes its own /dev\n", u.devices)
	}
	return nil
}

// unpackAndKeep unpacks into dir/root and keeps the archive for reset, as a
// gzip whatever it was.
func unpackAndKeep(dir string, r io.Reader) (*unpacker, error) {
	plain, err := decompress(r)
	if err != nil {
		return nil, archiveError(err)
	}
	defer plain.Close()
	kept, err := os.OpenFile(filepath.Join(dir, "archive"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	z, err := gzip.NewWriterLevel(kept, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	both := io.TeeReader(plain, z)
	u, err := unpack(filepath.Join(dir, "root"), both)
	if err == nil {
		// What follows the archive's end holds the checksum of a compressed one.
		_, err = io.Copy(io.Discard, both)
		err = archiveError(err)
	}
	return u, cmp.Or(err, z.Close(), kept.Close())
}

// restore unpacks the kept archive again.
func (c cache) restore(name string) error {
	info, err := c.info(name)
	if err != nil {
		return err
	}
	f, err := os.Open(c.file(name, "archive"))
	if err != nil {
		return err
	}
	defer f.Close()
	return c.build(name, "", func(dir string) (Info, error) {
		_, err := unpackAndKeep(dir, f)
		return info, err
	})
}
