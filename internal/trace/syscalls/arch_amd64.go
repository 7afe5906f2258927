package syscalls

import "golang.org/x/sys/unix"

// cloneParams are clone's parameters: their order differs by architecture (clone(2)).
const cloneParams = "flags:clone stack:ptr parent_tid:ptid child_tid:tid tls:tid"

// Arch is the machine's number in audit records and seccomp filters (linux/audit.h).
const Arch = unix.AUDIT_ARCH_X86_64

// X32 tells that the kernel may know x32's calls too, whose numbers have a bit of
// their own.
const X32 = true

// compatArch is that of the 32-bit programs that the kernel may run too.
const compatArch = unix.AUDIT_ARCH_I386
