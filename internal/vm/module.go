package vm

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wanted are the modules that kit's steps, and a machine with a disk, need.
// Those that a kernel has built in, or has not, are left out.
func wanted() []string {
	return []string{
		"virtio_pci", "virtio_mmio", "virtio_blk", "ext4",
		"overlay", "veth", "bridge", "br_netfilter", "tun",
		"nf_tables", "nft_chain_nat", "nft_masq", "nft_nat", "nft_ct", "nft_fib_inet",
	}
}

// A module is a part of the kernel that is loaded into it.
type module struct {
	name string // file name
	data []byte // ELF, not compressed
}

// A moduleSet collects modules behind those that they depend on.
type moduleSet struct {
	files map[string]string // by name
	seen  map[string]bool
	list  []module
}

// findModules returns the modules of those names below dir, in the order in
// which they are to be loaded. A package of a kernel has no modules.dep, which
// depmod(8) makes, so the modules are asked themselves.
func findModules(dir string, names []string) ([]module, error) {
	set := &moduleSet{files: map[string]string{}, seen: map[string]bool{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), ".ko") {
			set.files[moduleName(d.Name())] = path
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := set.add(name); err != nil {
			return nil, err
		}
	}
	return set.list, nil
}

// moduleName is the kernel's name of a module: "nf-tables.ko.xz" is nf_tables.
func moduleName(file string) string {
	name, _, _ := strings.Cut(file, ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func (s *moduleSet) add(name string) error {
	name = moduleName(name)
	path, ok := s.files[name]
	if !ok {
		path, ok = s.files[name+"_generic"] // crc32c is an alias
	}
	if s.seen[name] || !ok {
		return nil
	}
	s.seen[name] = true
	data, err := readModule(path)
	if err != nil {
		return fmt.Errorf("module %s: %w", path, err)
	}
	needs, err := dependencies(data)
	if err != nil {
		return fmt.Errorf("module %s: %w", path, err)
	}
	for _, need := range needs {
		if err := s.add(need); err != nil {
			return err
		}
	}
	s.list = append(s.list, module{name + ".ko", data})
	return nil
}

// readModule reads a module, which distributions compress in different ways.
func readModule(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch filepath.Ext(path) {
	case ".xz":
		return exec.Command("xz", "-dc", path).Output()
	case ".zst":
		return exec.Command("zstd", "-dc", path).Output()
	case ".gz":
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	return data, nil
}

// dependencies are the modules that a module names in its .modinfo section
// (modinfo(8)): those that it needs, and those it would like to be loaded before.
func dependencies(data []byte) (names []string, err error) {
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("no .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for _, field := range strings.Split(string(info), "\x00") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "depends":
			names = append(names, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		case "softdep":
			pre, _, _ := strings.Cut(strings.TrimPrefix(value, "pre:"), "post:")
			if strings.HasPrefix(value, "pre:") {
				names = append(names, strings.Fields(pre)...)
			}
		}
	}
	return names, nil
}
