package report_test

import (
	"strings"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/scene"
)

const (
	dockers = 0xa80425fb
	allCaps = 1<<41 - 1
)

// sample is a small record with scenes of three moments, as step 6 has them.
func sample() []*trace.Event {
	zero, ret := 0, int64(0)
	return []*trace.Event{
		{
			V: 1, Kind: trace.Begin, Argv: []string{"kit", "step", "6", "--", "/bin/true"},
			Kernel: "6.12.1", Cgroup: "hybrid",
		},
		{V: 1, Kind: trace.Still, Scene: sampleScene(scene.Before)},
		{
			V: 1, Kind: trace.Syscall, Seq: 1, T: 1e6, PID: 4127, TID: 4127, Side: trace.Parent, Step: 3,
			Name: "cgroups", Moment: "Before", Class: trace.Lesson, File: "steps/03-cgroups/parent.go",
			Line: 41, Func: "makeCgroup", Code: "if err := unix.Mkdir(dir, 0o755); err != nil {",
			Why:  "A directory is all that a cgroup takes; the kernel fills it with files.",
			Call: "mkdirat", Args: []trace.Arg{{
				Name: "pathname",
				Text: `"/sys/fs/cgroup/pids/kit-1f3a"`,
			}},
			Ret: &ret, Changes: []trace.Change{{
				What:  "cgroup /sys/fs/cgroup/pids/kit-1f3a",
				After: "pids.max tasks",
			}},
		},
		{
			V: 1, Kind: trace.Syscall, Seq: 2, T: 2e6, PID: 4127, TID: 4128, Side: trace.Parent,
			Name: "engine", Class: trace.Runtime, Call: "futex", Ret: &ret,
		},
		{
			V: 1, Kind: trace.Syscall, Seq: 3, T: 3e6, PID: 4130, TID: 4130, NSPID: 1, Side: trace.Child,
			Step: 2, Name: "namespaces", Moment: "Root", Class: trace.Lesson, Call: "mount",
			File: "steps/02-namespaces/mount.go", Line: 30, Code: "err := unix.Mount(path)", Ret: &ret,
			Errno: "EPERM", Injected: true, Meaning: "it was asked for",
		},
		{
			V: 1, Kind: trace.Syscall, Seq: 4, T: 4e6, PID: 4130, TID: 4130, NSPID: 1, Side: trace.Child,
			Step: 6, Name: "caps-seccomp", Moment: "Last", Class: trace.Lesson, Call: "seccomp",
			Ret:  &ret,
			File: "steps/06-caps-seccomp/seccomp.go", Line: 30, Code: "err := unix.Seccomp(prog)",
			Decoded: []trace.Decoded{
				{What: trace.Filter, Lines: []string{
					"841 instructions, for x86_64, i386 (another architecture: KILL_PROCESS)",
					"allows 305 calls; a number that it does not know: ENOSYS",
					"denies 70 with EPERM: _sysctl, acct, add_key, bpf, mount, " +
						strings.Repeat("migrate_pages, name_to_handle_at, ", 15) + "vserver",
					"denies 2 with ENOSYS: clone3, listns",
					"ALLOW or EPERM, by the arguments: clone, personality, socket",
				}},
				{What: trace.Code, Lines: []string{"   0  A = arch", "   1  return ALLOW"}},
			},
		},
		{V: 1, Kind: trace.Still, Scene: sampleScene(scene.Run)},
		{V: 1, Kind: trace.Still, Scene: sampleScene(scene.After)},
		{V: 1, Kind: trace.End, Exit: &zero, Syscalls: map[trace.Class]int{
			trace.Lesson:  3,
			trace.Runtime: 1,
		}},
	}
}

var kinds = []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}

func sampleProcess(role, command string, pid, parent int, caps uint64, own bool) scene.Process {
	r := &inspect.Report{
		Pid: pid, Command: command, State: "sleeping", Pids: []int{pid}, Hostname: "lecture-hall",
		UIDMap: procfs.IDMaps{{Count: 4294967295}},
		Root:   "/", Cwd: "/root", Exe: "/usr/bin/kit", CgroupMode: "hybrid",
		Errors: map[string]string{},
	}
	for i, kind := range kinds {
		ns := inspect.Namespace{
			Kind: kind, Inode: uint64(4026531830 + i), Shared: true,
			Owner: 4026531837,
		}
		if own && kind != "time" && kind != "user" {
			ns.Inode, ns.Shared = uint64(4026532240+i), false
		}
		r.Namespaces = append(r.Namespaces, ns)
	}
	set := inspect.CapSet(caps)
	r.Capabilities = inspect.Capabilities{Effective: set, Permitted: set, Bounding: set}
	if own {
		r.Hostname, r.NoNewPrivs, r.Seccomp = "kit-1f3a", true, inspect.Seccomp{
			Mode:    "filter",
			Filters: 1,
		}
		r.Pids = []int{pid, 1}
	}
	return scene.Process{Role: role, Parent: parent, Report: r}
}

func sampleScene(m scene.Moment) *scene.Scene {
	s := &scene.Scene{
		Moment: m,
		Processes: []scene.Process{
			sampleProcess("host", "kit", 4120, 4000, allCaps&^(1<<24), false),
			sampleProcess("kit", "kit", 4127, 4120, allCaps&^(1<<24), false),
		},
		Mounts:   []scene.Mounts{hostMounts()},
		Cgroups:  hostCgroups(),
		Networks: []scene.Network{hostNetwork()},
		Errors:   []string{},
	}
	if m != scene.Run {
		return s
	}
	s.Processes = append(s.Processes, sampleProcess("command", "true", 4130, 4127, dockers, true))
	s.Mounts = append(s.Mounts, commandMounts())
	s.Cgroups = append(s.Cgroups, scene.Cgroup{
		Hierarchy: "pids", Dir: "/sys/fs/cgroup/pids/kit-1f3a", Path: "/kit-1f3a", Procs: []int{4130},
		Limits: []cgroup.Limit{{
			Resource: "pids", File: "pids.max", Limit: number(20), SetAt: "/kit-1f3a", Use: number(3),
		}},
	}, scene.Cgroup{
		Hierarchy: "memory", Dir: "/sys/fs/cgroup/memory/kit-1f3a", Path: "/kit-1f3a",
		Procs: []int{4130},
		Limits: []cgroup.Limit{{
			Resource: "memory", File: "memory.limit_in_bytes", Limit: number(64 << 20),
			SetAt: "/kit-1f3a",
			Use:   number(13 << 20),
		}, {Resource: "cpu", File: "cpu.cfs_quota_us", Use: number(0.012)}},
	})
	s.Networks[0].Links = append(s.Networks[0].Links,
		scene.Link{
			Index: 7, Name: "kit0", Kind: "bridge", MTU: 1500, Up: true,
			Addresses: []string{"10.77.0.1/16"},
		},
		scene.Link{
			Index: 9, Name: "kit-1f3a", Kind: "veth", MTU: 1500, Up: true, Master: "kit0", Peer: 8,
			PeerNamespace: "net:[4026532243]",
		})
	s.Networks[0].Rules = []string{"chain nat: ip saddr 10.77.0.0/16 oifname != \"kit0\" masquerade"}
	s.Networks = append(s.Networks, scene.Network{
		Namespace: "net:[4026532243]",
		Links: []scene.Link{
			{
				Index: 1, Name: "lo", Kind: "loopback", MTU: 65536, Up: true,
				Addresses: []string{"127.0.0.1/8", "::1/128"},
			},
			{
				Index: 8, Name: "eth0", Kind: "veth", MTU: 1500, Up: true, Peer: 9, MAC: "02:42:0a:4d:00:02",
				PeerNamespace: "net:[4026531833]", Addresses: []string{"10.77.0.2/16"},
			},
		},
		Routes: []string{
			"default via 10.77.0.1 dev eth0",
			"10.77.0.0/16 dev eth0 proto kernel scope link src 10.77.0.2",
		},
	})
	return s
}

func number(n float64) *float64 { return &n }

func hostNetwork() scene.Network {
	return scene.Network{
		Namespace: "net:[4026531833]",
		Links: []scene.Link{
			{
				Index: 1, Name: "lo", Kind: "loopback", MTU: 65536, Up: true,
				Addresses: []string{"127.0.0.1/8", "::1/128"},
			},
			{
				Index: 2, Name: "ens3", Kind: "device", MTU: 1500, Up: true,
				Addresses: []string{"192.0.2.17/24"},
			},
		},
		Routes: []string{
			"default via 192.0.2.1 dev ens3 proto dhcp src 192.0.2.17 metric 1024",
			"192.0.2.0/24 dev ens3",
		},
		Rules: []string{},
	}
}

func hostCgroups() []scene.Cgroup {
	procs := []int{4120, 4127}
	return []scene.Cgroup{
		{Hierarchy: "v2", Dir: "/sys/fs/cgroup/unified", Path: "/", Procs: procs},
		{Hierarchy: "pids", Dir: "/sys/fs/cgroup/pids", Path: "/", Procs: procs},
		{Hierarchy: "memory", Dir: "/sys/fs/cgroup/memory", Path: "/", Procs: procs},
	}
}

func mount(id, parent int, target, kind, source, options, propagation string) scene.Mount {
	return scene.Mount{
		ID: id, Parent: parent, Device: "0:" + source, Root: "/", Target: target, Type: kind,
		Source: source, Options: options, Super: "rw", Propagation: propagation,
	}
}

func hostMounts() scene.Mounts {
	return scene.Mounts{Namespace: "mnt:[4026531832]", Mounts: []scene.Mount{
		mount(22, 1, "/", "ext4", "/dev/vda1", "rw,relatime", "shared:1"),
		mount(23, 22, "/proc", "proc", "proc", "rw,nosuid,nodev,noexec", "shared:5"),
		mount(24, 22, "/sys", "sysfs", "sysfs", "rw,nosuid,nodev,noexec", "shared:6"),
		mount(25, 24, "/sys/fs/cgroup", "tmpfs", "tmpfs", "ro,nosuid,nodev,noexec", "shared:9"),
		mount(26, 25, "/sys/fs/cgroup/unified", "cgroup2", "cgroup2", "rw,noexec", "shared:10"),
		mount(27, 22, "/dev", "devtmpfs", "udev", "rw,nosuid,relatime", "shared:2"),
	}}
}

func commandMounts() scene.Mounts {
	return scene.Mounts{Namespace: "mnt:[4026532242]", Mounts: []scene.Mount{
		mount(622, 500, "/", "overlay", "overlay", "rw,relatime", "private"),
		mount(623, 622, "/proc", "proc", "proc", "rw,nosuid,nodev,noexec", "private"),
		mount(640, 623, "/proc/sys", "proc", "proc", "ro,nosuid,nodev,noexec,relatime", "private"),
		mount(624, 622, "/dev", "tmpfs", "tmpfs", "rw,nosuid,relatime", "private"),
		mount(625, 624, "/dev/pts", "devpts", "devpts", "rw,nosuid,noexec,relatime", "private"),
		mount(626, 622, "/sys", "sysfs", "sysfs", "ro,nosuid,nodev,noexec,relatime", "private"),
		mount(627, 626, "/sys/fs/cgroup/"+strings.Repeat("long/", 8)+"end",
			"cgroup2", "cgroup2", "ro", "private"),
	}}
}
