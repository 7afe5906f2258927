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

// givesPids tells that the root of cgroup v2 hands the controller of tasks down.
func givesPids() bool {
	control, _ := os.ReadFile(unified() + "/cgroup.subtree_control")
	return os.Geteuid() == 0 && strings.Contains(string(control), "pids")
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
	{"controller not enabled", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			_, _ = unix.Open(group+"/rdma.max", unix.O_WRONLY, 0)
		})
	}, "openat", "ENOENT", `controller rdma`},
	{"controller not there", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.subtree_control", "+rdma") })
	}, "write", "ENOENT|EINVAL", `controller rdma|one of|does not take`},
	{"controller in the root only", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			_, _ = unix.Open(group+"/hugetlb.2MB.max", unix.O_WRONLY, 0)
		})
	}, "openat", "ENOENT", `controller hugetlb (is not enabled in /\S+/cgroup.subtree_control|.*v1)`},
	{"inner process", "pids", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			write(group+"/cgroup.subtree_control", "+pids")
		})
	}, "write", "EBUSY", `has 1 process of its own \(\d+\): a cgroup with processes may hand no`},
	{"process in inner", "pids", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.subtree_control", "+pids")
			write(group+"/cgroup.procs", "0")
		})
	}, "write", "EBUSY", `hands controllers down \(pids\): it may have no processes of its own`},
	{"pids nonsense", "pids", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/pids.max", "many") })
	}, "write", "EINVAL", `pids.max takes a number, or max, not "many"`},
	{"too many tasks", "pids", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			write(group+"/pids.max", "1")
			_, _ = syscall.ForkExec("/bin/true", nil, nil)
		})
	}, "clone", "EAGAIN", `the cgroup \S+ has \d+ tasks, and may have 1 \(pids.max\)`},
	{"domain invalid", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			mkdirs(group, "a", "b")
			write(group+"/a/cgroup.type", "threaded")
			write(group+"/b/cgroup.procs", "0")
			_ = os.Remove(group + "/a")
			_ = os.Remove(group + "/b")
		})
	}, "write", "EOPNOTSUPP|ENOTSUP", `/b is "domain invalid" \(cgroup.type\): it takes no processes`},
	{"cgroup in use", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.procs", "0")
			_ = unix.Rmdir(group)
		})
	}, "unlinkat", "EBUSY", `has 1 process: \d+`},
	{"process not there", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.procs", "4194303") })
	}, "write", "ESRCH", `there is no process 4194303`},
	{"freeze nonsense", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) { write(group+"/cgroup.freeze", "7") })
	}, "write", "EINVAL|ERANGE", `cgroup.freeze takes 0 or 1, not "7"`},
	{"too deep", "root", 0, func(d string) {
		inGroup(unified(), d, func(group string) {
			write(group+"/cgroup.max.depth", "0")
			_ = unix.Mkdir(group+"/a", 0o755)
		})
	}, "mkdirat", "EAGAIN", `/cgroup.max.depth is 0`},
}
