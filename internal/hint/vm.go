package hint

import "github.com/containerkit/kit/internal/vm"

// forMachine says how to get what a virtual machine needs.
func forMachine(e *vm.MissingError) []string {
	if e.What != "kernel" {
		return []string{
			"Debian, Ubuntu: apt install --no-install-recommends qemu-system-x86 e2fsprogs " +
				"(qemu-system-arm on arm64); Fedora: dnf install qemu-system-x86-core e2fsprogs",
		}
	}
	return []string{
		"Ubuntu lets only root read its kernel: sudo chmod a+r /boot/vmlinuz-$(uname -r)",
		"or unpack one, without installing it: apt-get download $(apt-cache pkgnames linux-image-6 " +
			"| grep 'cloud-amd64$' | sort -V | tail -n 1), " +
			"dpkg -x linux-image-*.deb DIR, and kit vm --kernel DIR",
	}
}
