package vm

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// qemu is the emulator's name, by GOARCH.
func qemu(arch string) string {
	if arch == "arm64" {
		return "qemu-system-aarch64"
	}
	return "qemu-system-x86_64"
}

// arguments is qemu's command line.
func (m Machine) arguments(initrd string) []string {
	accel, cpu, console := m.accel(), "max", "ttyS0"
	if accel == "kvm" {
		cpu = "host"
	} else if m.Arch == "arm64" {
		cpu = "max,pauth-impdef=on" // the real pointer authentication is slow to emulate
	}
	var args []string
	if m.Arch == "arm64" {
		args, console = []string{"-M", "virt"}, "ttyAMA0"
	}
	disk := func(file, snapshot string) []string {
		return []string{"-drive", fmt.Sprintf("file=%s,if=virtio,format=raw,snapshot=%s",
			strings.ReplaceAll(file, ",", ",,"), snapshot)}
	}
	args = append(args, disk(m.Root, "on")...)
	if m.Disk != "" {
		args = append(args, disk(m.Disk, "off")...)
	}
	command := append([]string{"console=" + console, "panic=-1", "quiet"}, m.Append...)
	return append(args,
		"-accel", accel, "-cpu", cpu, "-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.Memory),
		"-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", "-serial", "stdio",
		"-kernel", m.Kernel, "-initrd", initrd,
		"-append", strings.Join(command, " "))
}

// accel is KVM where that is real: in some virtual machines /dev/kvm can be
// opened, but there is no hardware behind it. An emulated x86 with several
// threads crashes where the kernel patches its own code.
func (m Machine) accel() string {
	if m.Arch == runtime.GOARCH && haveKVM() {
		return "kvm"
	}
	if m.Arch == "amd64" {
		return "tcg,thread=single"
	}
	return "tcg,thread=multi"
}

func haveKVM() bool {
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	kvm.Close()
	if runtime.GOARCH != "amd64" {
		return true
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	flags := strings.Fields(string(info))
	for _, f := range flags {
		if f == "vmx" || f == "svm" {
			return err == nil
		}
	}
	return false
}
