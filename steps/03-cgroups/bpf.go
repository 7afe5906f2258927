package cgroups

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// What the kernel asks a device program about (struct bpf_cgroup_dev_ctx in
// linux/bpf.h): three words, of which the first has two halves.
const (
	ctxType   = 0 // its lower half: block or char; its upper half: the access
	ctxMajor  = 4
	ctxMinor  = 8
	typeMask  = 0xffff
	accessAt  = 16
	typeBlock = 1
	typeChar  = 2
)

// filterDevices has the kernel ask a small program of ours whenever a process of
// the cgroup opens or makes a device: v2 has no files for this.
func filterDevices(dir string, list []rule) error {
	// The kernel checks the program, and compiles it. (First the library finds out
	// what this kernel understands.)
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "kit_devices", Type: ebpf.CGroupDevice, License: "MIT", Instructions: assemble(list),
	})
	if err != nil {
		return fmt.Errorf("bpf BPF_PROG_LOAD: %w", err)
	}
	// Once attached, the cgroup holds it, and takes it along when it goes.
	defer program.Close()
	// The cgroup that is to ask.
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	// It was only the way to the cgroup.
	defer unix.Close(fd)
	// What bpf(2) wants to know; other programs may be asked, too.
	attach := struct{ cgroup, program, kind, flags uint32 }{
		uint32(fd), uint32(program.FD()), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI,
	}
	// From here on all devices but those of the rules are refused: EPERM.
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_ATTACH,
		uintptr(unsafe.Pointer(&attach)), unsafe.Sizeof(attach))
	if errno != 0 {
		return fmt.Errorf("bpf BPF_PROG_ATTACH %s: %w", dir, errno)
	}
	return nil
}

// assemble writes the rules as a program: it returns 1 at the first rule that
// fits, and 0 where none does. R1 leads to what is asked about.
func assemble(list []rule) asm.Instructions {
	program := asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, ctxType, asm.Word),
		asm.Mov.Reg32(asm.R3, asm.R2),
		asm.And.Imm32(asm.R2, typeMask), // R2: block or char
		asm.RSh.Imm32(asm.R3, accessAt), // R3: the access that is wanted
		asm.LoadMem(asm.R4, asm.R1, ctxMajor, asm.Word),
		asm.LoadMem(asm.R5, asm.R1, ctxMinor, asm.Word),
	}
	for i, r := range list {
		program = append(program, r.assemble(label(i), label(i+1))...)
	}
	return append(program, asm.Mov.Imm32(asm.R0, 0).WithSymbol(label(len(list))), asm.Return())
}

func label(rule int) string { return fmt.Sprintf("rule%d", rule) }

// assemble writes one rule, which begins at the label own, and jumps to next as
// soon as it does not fit.
func (r rule) assemble(own, next string) asm.Instructions {
	kind := int32(typeChar)
	if r.kind == 'b' {
		kind = typeBlock
	}
	program := asm.Instructions{
		asm.JNE.Imm(asm.R2, kind, next).WithSymbol(own),
		asm.Mov.Reg32(asm.R0, asm.R3),
		asm.And.Imm32(asm.R0, ^accessBits(r.access)), // what is wanted and not allowed
		asm.JNE.Imm(asm.R0, 0, next),
	}
	if r.major >= 0 {
		program = append(program, asm.JNE.Imm(asm.R4, int32(r.major), next))
	}
	if r.minor >= 0 {
		program = append(program, asm.JNE.Imm(asm.R5, int32(r.minor), next))
	}
	return append(program, asm.Mov.Imm32(asm.R0, 1), asm.Return())
}

// accessBits are the letters of an access as the kernel counts them.
func accessBits(access string) (bits int32) {
	for i, letter := range "mrw" { // BPF_DEVCG_ACC_MKNOD, _READ, _WRITE
		if strings.ContainsRune(access, letter) {
			bits |= 1 << i
		}
	}
	return bits
}
