package hint

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

func securityRules() []rule {
	return []rule{
		{"write /proc/self/oom_score_adj", unix.EACCES, needsResource},
		{"prlimit", unix.EPERM, needsResource},
		{"prctl PR_CAPBSET_DROP", unix.EPERM, capabilityLacking},
		{"capset", unix.EPERM, capabilityLacking},
		{"seccomp", unix.EACCES, filterForbidden},
		{"seccomp", unix.EINVAL, noSeccomp},
		{"seccomp", unix.ENOSYS, noSeccomp},
		{"keyctl", unix.EDQUOT, keyQuota},
		{"setgroups", unix.EPERM, deniedByFilter},
		{"setresgid", unix.EPERM, deniedByFilter},
		{"setresuid", unix.EPERM, deniedByFilter},
	}
}

// deniedByFilter is for calls that come between the filter and the command.
func deniedByFilter() []string {
	self, err := procfs.ReadStatus(os.Getpid())
	if err != nil || self.Seccomp == 0 {
		return []string{"to become another user needs CAP_SETUID and CAP_SETGID; kit has " +
			procfs.CapNames(self.CapPrm)}
	}
	return []string{
		"the seccomp profile applies already: it must allow what starts the command, too",
		"execve always; capset, prctl, setgroups, setresgid and setresuid without no-new-privileges",
	}
}

// needsResource is for what only CAP_SYS_RESOURCE may do: raise a hard limit, or
// make a process less likely to be killed.
func needsResource() []string {
	const what = "raising a hard limit, or lowering an oom score, needs CAP_SYS_RESOURCE on the host: "
	if inUserNamespace() {
		return []string{what + "this root is that of a user namespace only"}
	}
	return []string{what + "kit does not have it here"}
}

// capabilityLacking names what was to be kept and is not there.
func capabilityLacking() []string {
	self, err := procfs.ReadStatus(os.Getpid())
	if err != nil {
		return nil
	}
	return []string{"nobody can keep a capability that they do not have; kit has " +
		procfs.CapNames(self.CapPrm)}
}

// filterForbidden is for a filter that may not be loaded.
func filterForbidden() []string {
	return []string{
		"without no_new_privs, loading a filter needs CAP_SYS_ADMIN (seccomp(2))",
		"leave out --security-opt no-new-privileges=false",
	}
}

// noSeccomp tells whether it is the kernel that lacks filters.
func noSeccomp() []string {
	actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil {
		return []string{"this kernel was built without seccomp filters (CONFIG_SECCOMP_FILTER)"}
	}
	return []string{
		"this kernel takes no such filter; it knows the actions " + strings.TrimSpace(string(actions)),
	}
}

// keyQuota says how many keys a user may have.
func keyQuota() []string {
	most, err := os.ReadFile("/proc/sys/kernel/keys/maxkeys")
	if err != nil {
		return nil
	}
	return []string{"each container has a keyring, and a user may have " +
		strings.TrimSpace(string(most)) + " keys (/proc/sys/kernel/keys/maxkeys)"}
}
