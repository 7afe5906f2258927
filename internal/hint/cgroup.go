package hint

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// cgroupRules are those of step 3.
func cgroupRules() []rule {
	return []rule{
		{"cgroup ", unix.EACCES, notDelegated},
		{"controller ", unix.ENODEV, controllers},
		{"mkdir /sys/fs/cgroup", unix.EEXIST, cgroupTaken},
		{"mkdir /sys/fs/cgroup", unix.EROFS, cgroupsReadOnly},
		{"mkdir /sys/fs/cgroup", unix.EAGAIN, tooManyCgroups},
		{"write devices.", unix.EPERM, devicesKept},
		{"bpf BPF_PROG", unix.EPERM, bpfForbidden},
		{"processes of ", unix.EBUSY, noRoom},
		{"unshare CLONE_NEWCGROUP", unix.EINVAL, oldKernel("cgroup namespaces", "4.6")},
	}
}

// notDelegated says how to get a cgroup of one's own.
func notDelegated() []string {
	return []string{
		"limits take a cgroup that you may write to; without them, step 3 runs without one",
		ownCgroup(),
	}
}

// ownCgroup says who can give one to a user: systemd, if it runs here.
func ownCgroup() string {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		return "let systemd give you one: systemd-run --user --scope -p Delegate=yes kit step 3 ..."
	}
	if secondWSL() {
		return wslCgroups()[0]
	}
	if mode, err := procfs.CgroupMode(); err == nil && mode != "v2" {
		return "there is no systemd here: root can make a cgroup where a limit's controller is " +
			"(/sys/fs/cgroup/memory/x), chown its directory and cgroup.procs to you, and move your " +
			"shell into it"
	}
	return "there is no systemd here: root can make a cgroup, chown its directory, " +
		"cgroup.procs and cgroup.subtree_control to you, and move your shell into it"
}

// controllers says which there are, and which the kernel was told to leave out.
func controllers() []string {
	var hints []string
	mounts, err := procfs.CgroupMounts()
	if err != nil {
		return nil
	}
	if len(mounts) == 0 {
		return mountCgroups()
	}
	for _, m := range mounts {
		if unix.Access(m.Dir, unix.W_OK) == unix.EROFS {
			return cgroupsReadOnly()
		}
		names := m.Controllers
		if m.V2 {
			text, _ := os.ReadFile(m.Dir + "/cgroup.controllers")
			names = strings.Fields(string(text))
		}
		if len(names) > 0 && !strings.HasPrefix(names[0], "name=") {
			hints = append(hints, fmt.Sprintf("%s has: %s", m.Dir, strings.Join(names, " ")))
		}
	}
	text, _ := os.ReadFile("/proc/cgroups")
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 4 && f[3] == "0" {
			hints = append(hints, f[0]+" is off: the kernel was started with cgroup_disable="+f[0]+
				", or leaves it out by itself; cgroup_enable="+f[0]+" on its command line turns it on")
		}
	}
	if os.Getuid() != 0 {
		hints = append(hints, "what systemd delegates to users is in "+
			"/etc/systemd/system/user@.service.d/*.conf: [Service] Delegate=cpu cpuset io memory pids")
	}
	if os.Getuid() == 0 {
		hints = append(hints, "the kernel was built without what is in none of them")
	}
	return hints
}

func cgroupTaken() []string {
	return []string{"there are processes in a cgroup of that name: another user's container has it, " +
		"or one in another state directory (KIT_STATE); choose another --name"}
}

func cgroupsReadOnly() []string {
	return []string{
		"the cgroups are mounted read-only here, as in a container",
		"inside docker: start the outer container with --privileged",
	}
}

func tooManyCgroups() []string {
	return []string{"cgroup.max.descendants or cgroup.max.depth of a cgroup above does not allow more"}
}

func devicesKept() []string {
	return []string{"the cgroup that kit runs in has no access to that device, and so cannot give it"}
}

func bpfForbidden() []string {
	return []string{"device rules are a BPF program, for which root needs CAP_BPF and CAP_NET_ADMIN " +
		"or CAP_SYS_ADMIN in the initial user namespace; inside docker: --privileged"}
}

func noRoom() []string {
	return []string{"the cgroup's processes fork faster than kit can move them: start kit in a " +
		"cgroup of its own"}
}
