package doctor

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/rootfs"
)

// A place is a directory on the disk where kit has its own ones, which goes again. It
// is locked as long as it is in use.
type place struct {
	dir  string
	lock *os.File
	err  error // why it is not in kit's cache
}

const placePrefix = "doctor-"

// newPlace makes one, in the cache or else among temporary files, and removes those of
// doctors that were killed.
func newPlace() (*place, error) {
	containers, err := rootfs.Containers()
	cache := filepath.Dir(containers)
	if err == nil {
		err = os.MkdirAll(cache, 0o700)
	}
	p := &place{}
	if err == nil {
		sweep(cache)
		if p.dir, err = os.MkdirTemp(cache, placePrefix); err == nil {
			return p, p.furnish()
		}
	}
	p.err = err
	for _, dir := range []string{"", "/dev/shm"} {
		if p.dir, err = os.MkdirTemp(dir, "kit-"+placePrefix); err == nil {
			return p, p.furnish()
		}
	}
	return nil, err
}

// furnish makes the directories.
func (p *place) furnish() (err error) {
	defer func() {
		if err != nil {
			p.remove()
		}
	}()
	if p.lock, err = os.Open(p.dir); err != nil {
		return err
	}
	if err := unix.Flock(int(p.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	for _, dir := range []string{
		"merged", "cache", "state",
	} {
		if err := os.MkdirAll(p.path(dir), 0o755); err != nil {
			return err
		}
	}
	// Root of a container whose ids are mapped is nobody here, and has to get in; where
	// state is kept, nobody else may.
	for dir, mode := range map[string]os.FileMode{"": 0o755, "state": 0o700} {
		if err := os.Chmod(p.path(dir), mode); err != nil {
			return err
		}
	}
	return nil
}

// newRoot makes the smallest root file system that there can be.
func (p *place) newRoot() (dir string, err error) {
	if dir, err = os.MkdirTemp(p.dir, "root-"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "true"), trueProgram(), 0o755)
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) remove() {
	_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // overlay leaves a directory of mode 0
		}
		return nil
	})
	_ = os.RemoveAll(p.dir)
	if p.lock != nil {
		p.lock.Close()
	}
}

// sweep removes places that nobody holds the lock of.
func sweep(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, placePrefix+"*"))
	for _, dir := range left {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			(&place{dir: dir, lock: f}).remove()
			continue
		}
		f.Close()
	}
}

// trueProgram is an executable that does nothing but end, with status 0 (elf(5)).
func trueProgram() []byte {
	const base, head = 0x10000, 64 + 56
	machine, code := elf.EM_X86_64, []byte{
		0xb8, 60, 0, 0, 0, // mov eax, SYS_exit
		0x31, 0xff, // xor edi, edi
		0x0f, 0x05, // syscall
	}
	if runtime.GOARCH == "arm64" {
		machine, code = elf.EM_AARCH64, []byte{
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, SYS_exit
			0x00, 0x00, 0x80, 0xd2, // mov x0, 0
			0x01, 0x00, 0x00, 0xd4, // svc 0
		}
	}
	size := uint64(head + len(code))
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Entry: base + head,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: base,
	}
	var program []byte
	for _, part := range []any{header, segment, code} {
		// Everything in it has a fixed size.
		program, _ = binary.Append(program, binary.LittleEndian, part)
	}
	return program
}
