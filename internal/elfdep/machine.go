package elfdep

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Arch names the architecture of the program at p below root in the words of
// uname(1), "" when it is no ELF file. It reads the file's header only.
func Arch(root, p string) (string, error) {
	file, err := Resolve(root, p)
	if err != nil {
		return "", err
	}
	head, err := readHead(root + file)
	if err != nil {
		return "", err
	}
	m, ok := machineOf(head)
	if !ok {
		return "", nil
	}
	return archName(m), nil
}

// CheckArch fails when the program at p below root is of an architecture that
// this machine cannot run. It reads the file's header only.
func CheckArch(root, p string) error {
	file, err := Resolve(root, p)
	if err != nil {
		return err
	}
	head, err := readHead(root + file)
	if err != nil {
		return err
	}
	if err := runs(root, head); err != nil {
		return fmt.Errorf("%s %w", p, err)
	}
	return nil
}

// machineOf reads e_machine, whose place is the same in every ELF file
// (elf(5)).
func machineOf(head []byte) (elf.Machine, bool) {
	if len(head) < 20 || string(head[:4]) != elf.ELFMAG {
		return elf.EM_NONE, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	return elf.Machine(order.Uint16(head[18:])), true
}

// runs fails for an ELF header of another architecture that no handler of
// binfmt_misc takes care of.
func runs(root string, head []byte) error {
	m, ok := machineOf(head)
	if !ok || native(m) {
		return nil
	}
	h, ok := findHandler(binfmtDir, head)
	if !ok {
		return fmt.Errorf("is for %s, this machine is %s", archName(m), archName(own()))
	}
	if h.fixed {
		return nil
	}
	if _, err := Resolve(root, h.interpreter); err != nil {
		return fmt.Errorf("is for %s, which runs here by %s, but that is not inside",
			archName(m), h.interpreter)
	}
	return nil
}

// own is the architecture kit was built for.
func own() elf.Machine {
	switch runtime.GOARCH {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	}
	return elf.EM_NONE
}

// native includes the 32-bit programs that most kernels run as well.
func native(m elf.Machine) bool {
	switch own() {
	case elf.EM_X86_64:
		return m == elf.EM_X86_64 || m == elf.EM_386
	case elf.EM_AARCH64:
		return m == elf.EM_AARCH64 || m == elf.EM_ARM
	}
	return true
}

// archName gives the word of uname(1).
func archName(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "x86_64"
	case elf.EM_AARCH64:
		return "aarch64"
	case elf.EM_386:
		return "i386"
	case elf.EM_RISCV:
		return "riscv64"
	}
	return strings.ToLower(strings.TrimPrefix(path.Base(m.String()), "EM_"))
}
