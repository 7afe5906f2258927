package vm

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/cavaliergopher/cpio"

	"github.com/containerkit/kit/internal/vm/guest"
)

// writeInitramfs writes the archive that the kernel unpacks as its first root
// file system: the program that prepares the machine, what it is to do, and the
// modules that this takes.
func (m Machine) writeInitramfs(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := cpio.NewWriter(buffered)
	for _, dir := range []string{"dev", "proc", "sys", "root", guest.ModuleDir} {
		header := &cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
	}
	program, err := os.ReadFile(m.Init)
	if err != nil {
		return err
	}
	if err := checkStatic(program); err != nil {
		return fmt.Errorf("%s: %w", m.Init, err)
	}
	if err := writeFile(w, "init", program); err != nil {
		return err
	}
	config := m.Guest
	modules, err := findModules(m.Modules, wanted())
	if err != nil {
		return err
	}
	for _, module := range modules {
		config.Modules = append(config.Modules, module.name)
		if err := writeFile(w, guest.ModuleDir+"/"+module.name, module.data); err != nil {
			return err
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	if err := writeFile(w, guest.ConfigFile, text); err != nil {
		return err
	}
	return errors.Join(w.Close(), buffered.Flush())
}

// checkStatic refuses a program that needs a dynamic loader: there is none yet.
func checkStatic(program []byte) error {
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return err
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("not a static program: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

func writeFile(w *cpio.Writer, name string, data []byte) error {
	header := &cpio.Header{Name: name, Mode: cpio.TypeReg | 0o755, Size: int64(len(data))}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
