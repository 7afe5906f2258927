package doctor

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// securityTrials are those of step 6.
func securityTrials() []trial {
	return []trial{
		{
			id: "bounding", name: "capabilities to give", step: 6, who: anybody, deed: bounding,
			loses: "steps as root that need what is lacking",
		},
		{
			id: "capdrop", name: "capabilities dropped", step: 6, who: anybody, deed: dropAll,
			vital: true, loses: "step 6",
		},
		{
			id: "nnp", name: "no_new_privs", step: 6, who: oneself, deed: noNewPrivs,
			vital: true, loses: "step 6",
		},
		{
			id: "seccomp", name: "seccomp filter", step: 6, who: oneself, deed: loadFilter,
			vital: true, loses: "step 6; --security-opt seccomp=unconfined goes without",
		},
		{
			id: "keyring", name: "session keyring", step: 6, who: oneself, deed: joinKeyring,
			loses: "a keyring of the container's own: that of whoever started kit is seen",
		},
	}
}

// needed are what kit's own deeds as root take, and what a container keeps.
func needed() (bits uint64) {
	for _, c := range []int{
		unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP,
		unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL,
		unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW,
		unix.CAP_MKNOD, unix.CAP_AUDIT_WRITE, unix.CAP_SETFCAP,
	} {
		bits |= 1 << c
	}
	return bits
}

// bounding compares what we may have with what there is.
func bounding(*place) (string, error) {
	s, err := procfs.ReadStatus(0)
	if err != nil {
		return "", err
	}
	all, have := uint64(0), 0
	for n := 0; n < 64 && unix.Prctl(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0) == nil; n++ {
		all |= 1 << n
		have += int(s.CapBnd >> n & 1)
	}
	lacking := all &^ s.CapBnd
	found := fmt.Sprintf("all %d", have)
	if lacking != 0 {
		found = fmt.Sprintf("%d; lacks %s", have, procfs.CapNames(lacking))
	}
	if lacking&needed() != 0 {
		return found, fmt.Errorf("bounding set: lacks %s: %w",
			procfs.CapNames(lacking&needed()), unix.EPERM)
	}
	return found, nil
}

// dropAll is what step 6 does, down to nothing.
func dropAll(*place) (string, error) {
	for n := uintptr(0); unix.Prctl(unix.PR_CAPBSET_READ, n, 0, 0, 0) == nil; n++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, n, 0, 0, 0); err != nil {
			return "", fmt.Errorf("prctl PR_CAPBSET_DROP %d: %w", n, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return "", fmt.Errorf("capset 0: %w", err)
	}
	return "", nil
}

func noNewPrivs(*place) (string, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return "", fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
	}
	return "", nil
}

// loadFilter loads one that answers one call with an errno that it never has, and calls.
func loadFilter(*place) (string, error) {
	if _, err := noNewPrivs(nil); err != nil {
		return "", err
	}
	const answer = unix.EXDEV
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_ABS}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ, Jf: 1, K: unix.SYS_ACCT},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ERRNO | uint32(answer)},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return "", fmt.Errorf("seccomp: %w", errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_ACCT, 0, 0, 0); errno != answer {
		return "", fmt.Errorf("seccomp: the filter does not act: %w", unix.EINVAL)
	}
	text, _ := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	return strings.TrimSpace(string(text)), nil
}

func joinKeyring(*place) (string, error) {
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return "", fmt.Errorf("keyctl KEYCTL_JOIN_SESSION_KEYRING: %w", err)
	}
	return "", nil
}
