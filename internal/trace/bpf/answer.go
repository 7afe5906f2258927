package bpf

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Answers tells whether the filter may answer a system call of an architecture
// (AUDIT_ARCH_*) with an errno, and whether it does so whatever the call's arguments are.
func (p Program) Answers(audit, nr uint32, errno unix.Errno) (may, always bool) {
	results := p.results(audit, nr)
	may = slices.Contains(results, unix.SECCOMP_RET_ERRNO|uint32(errno))
	return may, may && len(results) == 1
}
