package probe

import (
	"errors"
	"math"
	"os"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// A machine is what the kernel says about itself and about us.
type machine struct {
	sysctl    func(name string) string // "" where there is none: "user.max_user_namespaces"
	missing   func(flags uintptr) string
	root      bool     // CAP_SYS_ADMIN in our user namespace
	inner     bool     // our user namespace is not the first one
	proc      bool     // /proc is there
	chrooted  bool     // "/" is not that of our mount namespace
	unmapped  bool     // our uid or gid does not exist in our own user namespace
	barred    []string // the system calls that a filter denies us
	container string   // the file that tells that we are in one: "/.dockerenv"
	label     string   // of the security module, "" for none
}

func thisMachine() machine {
	m := machine{sysctl: sysctl, missing: missingKind, proc: procfs.Mounted() == nil}
	if s, err := procfs.ReadStatus(0); err == nil {
		m.root = s.CapEff&(1<<unix.CAP_SYS_ADMIN) != 0
		if s.Seccomp == unix.SECCOMP_MODE_FILTER {
			m.barred = Filtered("clone", "unshare", "mount")
		}
	}
	m.chrooted = chrooted()
	// Only the first one has all ids there can be.
	if ids, err := procfs.IDMap(0, "uid_map"); err == nil {
		_, all := ids.Outside(math.MaxUint32 - 1)
		m.inner = !all
	}
	m.unmapped = !mapped("uid_map", os.Geteuid()) || !mapped("gid_map", os.Getegid())
	for _, path := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(path); err == nil {
			m.container = path
		}
	}
	if text, err := os.ReadFile("/proc/self/attr/current"); err == nil {
		m.label = strings.TrimRight(string(text), "\n\x00")
	}
	return m
}

func sysctl(name string) string {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// missingKind returns the first kind among flags that the kernel does not have.
func missingKind(flags uintptr) string {
	for _, k := range kinds() {
		_, err := os.Lstat("/proc/self/ns/" + k.name)
		if flags&k.flag != 0 && errors.Is(err, os.ErrNotExist) {
			return k.name
		}
	}
	return ""
}

type kind struct {
	name string
	flag uintptr
}

func kinds() []kind {
	return []kind{
		{"user", unix.CLONE_NEWUSER},
		{"mnt", unix.CLONE_NEWNS},
		{"pid", unix.CLONE_NEWPID},
		{"uts", unix.CLONE_NEWUTS},
		{"ipc", unix.CLONE_NEWIPC},
		{"net", unix.CLONE_NEWNET},
		{"cgroup", unix.CLONE_NEWCGROUP},
		{"time", unix.CLONE_NEWTIME},
	}
}

func mapped(file string, id int) bool {
	m, err := procfs.IDMap(0, file)
	if err != nil {
		return true // nobody knows
	}
	_, ok := m.Outside(uint32(id))
	return ok
}

// chrooted tells that "/" is not the root of our mount namespace: it is no
// mount point, or another process of the same namespace, the first one, has
// another root.
func chrooted() bool {
	mounts, err := mountinfo.GetMounts(mountinfo.SingleEntryFilter("/"))
	if err == nil && len(mounts) == 0 {
		return true
	}
	ours, err1 := os.Readlink("/proc/self/ns/mnt")
	theirs, err2 := os.Readlink("/proc/1/ns/mnt")
	if err1 != nil || err2 != nil || ours != theirs {
		return false
	}
	here, err1 := os.Stat("/")
	there, err2 := os.Stat("/proc/1/root/")
	return err1 == nil && err2 == nil && !os.SameFile(here, there)
}
