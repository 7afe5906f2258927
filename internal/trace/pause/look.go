package pause

import (
	"fmt"
	"os"
	"strings"

	"github.com/containerkit/kit/internal/trace/state"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// look gives commands for another terminal that show what the call is about, in a
// process that waits there for as long as somebody looks.
func (w waiting) look() []string {
	pid := w.PID
	inspect := fmt.Sprintf("kit inspect %d", pid)
	switch {
	case w.isClone(), w.changes&syscalls.Namespaces != 0:
		return []string{fmt.Sprintf("lsns -p %d", pid), inspect}
	case w.Call == "execve" || w.Call == "execveat":
		return []string{inspect, fmt.Sprintf("ls -l /proc/%d/ns", pid)}
	case w.changes&syscalls.Mounts != 0:
		return []string{fmt.Sprintf("findmnt -N %d", pid), fmt.Sprintf("cat /proc/%d/mountinfo", pid)}
	case w.changes&syscalls.Root != 0:
		return []string{fmt.Sprintf("ls -l /proc/%d/root /proc/%d/cwd", pid, pid)}
	case w.changes&syscalls.Hostname != 0:
		return []string{w.enter("u") + "hostname", "hostname"}
	case w.arg("op") == "PR_SET_PDEATHSIG":
		return []string{inspect}
	case w.changes&syscalls.Status != 0:
		return []string{fmt.Sprintf("grep -E 'id|Cap|No|Sec' /proc/%d/status", pid), inspect}
	case w.changes&syscalls.Netlink != 0 && len(w.Decoded) > 0:
		return w.lookNet()
	}
	if file := w.lookFile(); file != "" {
		return []string{file}
	}
	return []string{fmt.Sprintf("ls -l /proc/%d/fd", pid), inspect}
}

// lookFile shows the file or the cgroup that the call writes, makes or removes.
func (w waiting) lookFile() string {
	switch {
	case w.changes&syscalls.File != 0:
		fd, path := w.descriptor()
		if !state.Tells(w.TID, fd, path) {
			return ""
		}
		return "cat " + w.ours(path)
	case w.changes&syscalls.Directory != 0:
		_, theirs := w.path()
		return "ls -d " + w.ours(theirs) + "*"
	}
	return ""
}

// ours is how we call a file that the process calls path.
func (w waiting) ours(path string) string {
	if strings.HasPrefix(path, "/proc/") && !strings.HasPrefix(path, "/proc/sys/") {
		return path
	}
	mine, err := os.Readlink("/proc/self/ns/mnt")
	if err == nil && mine == w.link("ns/mnt") && w.link("root") == "/" {
		return path
	}
	return state.Proc(w.PID, "root") + path
}

func (w waiting) lookNet() []string {
	enter := w.enter("n")
	if w.speaksNetfilter() {
		return []string{enter + "nft list ruleset"}
	}
	return []string{enter + "ip addr", enter + "ip route"}
}

// enter is how to get into a namespace of the process: nothing where it is ours. Who
// is not root has to be root of its user namespace first.
func (w waiting) enter(flag string) string {
	kind := map[string]string{"n": "net", "u": "uts"}[flag]
	mine, err := os.Readlink("/proc/self/ns/" + kind)
	if err == nil && mine == w.link("ns/"+kind) {
		return ""
	}
	if mine, err = os.Readlink("/proc/self/ns/user"); err == nil && mine != w.link("ns/user") {
		flag = "U --preserve-credentials -" + flag
	}
	return fmt.Sprintf("nsenter -t %d -%s ", w.PID, flag)
}
