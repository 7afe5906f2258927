// Package hint turns errors into advice, from live facts: what is mounted here,
// what the kernel allows, which library is missing. It is called in the process
// in which the error happened, so that it sees what that process saw.
package hint

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/vm"
)

// For returns what a user can do about err, a line each.
func For(err error) []string {
	var clone *container.CloneError
	if errors.As(err, &clone) {
		return forClone(clone)
	}
	var exec *container.ExecError
	if errors.As(err, &exec) {
		return forExec(exec)
	}
	var missing *vm.MissingError
	if errors.As(err, &missing) {
		return forMachine(missing)
	}
	var ungrouped *cgroup.MissingError
	if errors.As(err, &ungrouped) {
		return noCgroup(ungrouped)
	}
	var failed *container.Error
	if errors.As(err, &failed) {
		return forCall(failed.Err)
	}
	return nil
}

// Untraced returns what a user can do about a trace that there cannot be.
func Untraced(err error) []string {
	self, unknown := procfs.ReadStatus(os.Getpid())
	if unknown != nil || self.TracerPid != 0 || !errors.Is(err, unix.EPERM) {
		return nil // one tracer is all that a process can have
	}
	return noTracing()
}

// A rule gives the advice for one errno of one call.
type rule struct {
	call  string     // what the error begins with
	errno unix.Errno // 0: any
	hints func() []string
}

// rules are all that there are. Text is the error, for those who look for paths in it.
func rules(text string) []rule {
	return append([]rule{
		{"mount proc", unix.EPERM, maskedProc},
		{"mount / private", unix.EINVAL, rootIsNoMount},
		{"mount / private", unix.EPERM, mountForbidden},
		{"mount / private", unix.EACCES, mountForbidden},
		{"pivot_root /:", unix.EBUSY, pivotToItself},
		{"pivot_root /:", unix.EINVAL, pivotToItself},
		{"pivot_root", unix.EINVAL, pivotInvalid},
		{"mount_setattr", unix.EINVAL, noIDMap},
		{"mount_setattr", unix.ENOSYS, oldKernel("mount_setattr", "5.12")},
		{"open_tree", unix.ENOSYS, oldKernel("open_tree", "5.2")},
		{"open_tree", unix.EPERM, foreignMounts},
		{"setresuid", unix.EINVAL, unmapped},
		{"setresgid", unix.EINVAL, unmapped},
		{"unshare CLONE_NEWTIME", unix.EINVAL, oldKernel("time namespaces", "5.6")},
		{"mknod", unix.EPERM, noDevices},
		{"--publish", unix.EACCES, lowPort},
		{"setns", unix.EPERM, foreignNamespace},
		{"open /proc/", unix.EACCES, foreignNamespace},
		{"user namespace", unix.EPERM, needsRoot},
		{"gate: recvfrom", unix.EPIPE, childKilled},
	}, slices.Concat(overlayRules(text), cgroupRules(), netRules(), securityRules(),
		primitiveRules())...)
}

// forCall looks the failed call up. Errors begin with the call, and end with
// its errno.
func forCall(err error) []string {
	for _, r := range rules(err.Error()) {
		if strings.HasPrefix(err.Error(), r.call) && (r.errno == 0 || errors.Is(err, r.errno)) {
			return r.hints()
		}
	}
	return nil
}
