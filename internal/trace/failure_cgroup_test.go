package trace

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// unified is where cgroup v2 is mounted.
func unified() string {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(dir + "/cgroup.procs"); err == nil {
			return dir
		}
	}
	return ""
}

// pure tells that the controllers are those of cgroup v2, and handed down by its root.
func pure() bool {
	control, _ := os.ReadFile(unified() + "/cgroup.subtree_control")
	return strings.Contains(string(control), "memory") && strings.Contains(string(control), "pids")
}

// cgroups tells that the failure is one of this machine's cgroups.
func (f *failure) cgroups() bool {
	return os.Geteuid() == 0 && unified() != "" &&
		(f.who == "any v2" || f.who == "v2" && pure() || f.who == "hybrid" && !pure())
}

// inGroup makes a cgroup for as long as do takes.
func inGroup(top, dir string, do func(group string)) {
	group := top + "/kit-oracle-" + strings.ReplaceAll(filepath.Base(filepath.Dir(dir)), "/", "") +
		strconv.Itoa(os.Getpid())
	if os.Mkdir(group, 0o755) != nil {
		return
	}
	do(group)
	_ = os.WriteFile(top+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0)
	_ = os.Remove(group)
}

var cgroupFailures = []failure{
	{"controller not enabled", "hybrid", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			_, _ = unix.Open(group+"/rdma.max", unix.O_WRONLY, 0)
		})
	}, "openat", "ENOENT", `controller rdma`},
	{"controller not there", "hybrid", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.subtree_control", "+rdma") })
	}, "write", "ENOENT|EINVAL", `controller rdma|one of|does not take`},
	{"controller in the root only", "hybrid", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			_, _ = unix.Open(group+"/hugetlb.2MB.max", unix.O_WRONLY, 0)
		})
	}, "openat", "ENOENT", `controller hugetlb (is not enabled in /\S+/cgroup.subtree_control|.*v1)`},
	{"controller not handed down", "v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			mkdirs(group, "a")
			_, _ = unix.Open(group+"/a/pids.max", unix.O_WRONLY, 0)
			write(group+"/a/cgroup.subtree_control", "+pids")
			_ = os.Remove(group + "/a")
		})
	}, "openat", "ENOENT", `controller pids is not enabled in \S+control, which says ""`},
	{"inner process", "v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			write(group+"/cgroup.subtree_control", "+memory")
		})
	}, "write", "EBUSY", `has 1 process of its own \(\d+\): a cgroup with processes may hand no`},
	{"process in inner", "v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.subtree_control", "+memory")
			write(group+"/cgroup.procs", "0")
		})
	}, "write", "EBUSY", `hands controllers down \(memory\): it may have no processes of its own`},
	{"pids nonsense", "v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/pids.max", "many") })
	}, "write", "EINVAL", `pids.max takes a number, or max, not "many"`},
	{"too many tasks", "v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			write(group+"/pids.max", "1")
			_, _ = syscall.ForkExec("/bin/true", nil, nil)
		})
	}, "clone", "EAGAIN", `the cgroup \S+ has \d+ tasks, and may have 1 \(pids.max\)`},
	{"domain invalid", "any v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			mkdirs(group, "a", "b")
			write(group+"/a/cgroup.type", "threaded")
			write(group+"/b/cgroup.procs", "0")
			_ = os.Remove(group + "/a")
			_ = os.Remove(group + "/b")
		})
	}, "write", "EOPNOTSUPP|ENOTSUP", `/b is "domain invalid" \(cgroup.type\): it takes no processes`},
	{"cgroup in use", "any v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			_ = unix.Rmdir(group)
		})
	}, "unlinkat", "EBUSY", `has 1 process: \d+`},
	{"process not there", "any v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.procs", "4194303") })
	}, "write", "ESRCH", `there is no process 4194303`},
	{"freeze nonsense", "any v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.freeze", "7") })
	}, "write", "EINVAL|ERANGE", `cgroup.freeze takes 0 or 1, not "7"`},
	{"too deep", "any v2", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.max.depth", "0")
			_ = unix.Mkdir(group+"/a", 0o755)
		})
	}, "mkdirat", "EAGAIN", `/cgroup.max.depth is 0`},
}
