// Package inspect gathers all that makes a process one of a container, or not:
// namespaces and who owns them, ids, capabilities, filters, cgroups, root.
package inspect

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// A Report is what could be found out about a process. Its JSON is an interface:
// keys may be added, none is renamed or left out.
type Report struct {
	Pid     int    `json:"pid"`     // as you see it
	Name    string `json:"name"`    // of the container, "" where it was asked for by pid
	Command string `json:"command"` // the first 15 bytes of its name
	State   string `json:"state"`   // "running", "sleeping", "stopped", "zombie" ...
	Pids    []int  `json:"pids"`    // in each nested PID namespace, yours first

	Hostname   string          `json:"hostname"`
	Namespaces []Namespace     `json:"namespaces"`
	Children   []NextNamespace `json:"children"` // those that its children will be born in

	UIDs   [4]int        `json:"uids"` // real, effective, saved, file system; as you see them
	GIDs   [4]int        `json:"gids"`
	Groups []int         `json:"groups"`
	UIDMap procfs.IDMaps `json:"uid_map"`
	GIDMap procfs.IDMaps `json:"gid_map"`

	Capabilities Capabilities `json:"capabilities"`
	NoNewPrivs   bool         `json:"no_new_privs"`
	Seccomp      Seccomp      `json:"seccomp"`
	Label        string       `json:"label"` // of the security module, "" where there is none

	CgroupMode string   `json:"cgroup_mode"` // "v1", "v2", "hybrid"
	Cgroups    []Cgroup `json:"cgroups"`

	Root      string     `json:"root"`       // its "/", as you see it
	RootMount *RootMount `json:"root_mount"` // null where its "/" is no mount point, as after chroot
	Cwd       string     `json:"cwd"`
	Exe       string     `json:"exe"`

	// Errors says why a value is missing: by its key, or as "namespaces.mnt",
	// "namespaces.mnt.owner".
	Errors map[string]string `json:"errors"`

	self bool // it is the process that looks
}

// Capabilities are names as in capabilities(7), in lower case and without the
// prefix: "net_admin".
type Capabilities struct {
	Effective   CapSet `json:"effective"`
	Permitted   CapSet `json:"permitted"`
	Inheritable CapSet `json:"inheritable"`
	Bounding    CapSet `json:"bounding"`
	Ambient     CapSet `json:"ambient"`
}

// Seccomp tells how system calls are restricted (seccomp(2)).
type Seccomp struct {
	Mode    string `json:"mode"`    // "disabled", "strict", "filter"
	Filters int    `json:"filters"` // how many are stacked; 0 before Linux 5.9
}

// Process reports on a process. It fails where there is no such process, or no
// /proc; whatever else cannot be read is in Errors.
func Process(pid int) (*Report, error) {
	if err := procfs.Mounted(); err != nil {
		return nil, fmt.Errorf("inspect: %w (step 1 gives none): try mount -t proc proc /proc", err)
	}
	status, err := procfs.ReadStatus(pid)
	if errors.Is(err, unix.ESRCH) {
		err = unix.ESRCH // it does not matter which file told
	}
	if err != nil {
		return nil, fmt.Errorf("inspect %d: %w", pid, err)
	}
	r := &Report{Pid: pid, Errors: map[string]string{}, self: pid == os.Getpid()}
	r.addStatus(status)
	r.addNamespaces()
	r.addMaps()
	r.addHostname()
	r.addCgroups()
	r.addFiles()
	return r, nil
}

// note remembers why the value of a key is missing.
func (r *Report) note(key string, err error) {
	if err != nil {
		r.Errors[key] = Reason(err)
	}
}

// Reason puts a failed look at a process into words.
func Reason(err error) string {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		if os.Geteuid() == 0 {
			return "not readable: the process has capabilities that you lack"
		}
		return "not readable: needs root or the same user"
	case errors.Is(err, unix.ESRCH):
		return "gone: the process has ended"
	case errors.Is(err, unix.ENOENT):
		return "there is none"
	}
	return err.Error()
}

func (r *Report) addStatus(s procfs.Status) {
	r.Command, r.State, r.Pids = s.Name, stateName(s.State), s.NSpid
	r.UIDs, r.GIDs, r.Groups = s.Uid, s.Gid, s.Groups
	r.Capabilities = Capabilities{
		Effective: CapSet(s.CapEff), Permitted: CapSet(s.CapPrm), Inheritable: CapSet(s.CapInh),
		Bounding: CapSet(s.CapBnd), Ambient: CapSet(s.CapAmb),
	}
	r.NoNewPrivs = s.NoNewPrivs
	r.Seccomp = Seccomp{Mode: seccompMode(s.Seccomp), Filters: s.SeccompFilters}
	if r.Pids == nil { // before Linux 4.1
		r.Pids = []int{s.Pid}
	}
	if r.Groups == nil {
		r.Groups = []int{}
	}
}

func stateName(state byte) string {
	switch state {
	case 'R':
		return "running"
	case 'S':
		return "sleeping"
	case 'D':
		return "waiting, not to be interrupted"
	case 'T':
		return "stopped"
	case 't':
		return "stopped by a tracer"
	case 'Z':
		return "zombie"
	case 'X':
		return "dead"
	case 'I':
		return "idle"
	}
	return string(state)
}

func seccompMode(mode int) string {
	switch mode {
	case unix.SECCOMP_MODE_DISABLED:
		return "disabled"
	case unix.SECCOMP_MODE_STRICT:
		return "strict"
	case unix.SECCOMP_MODE_FILTER:
		return "filter"
	}
	return fmt.Sprint(mode)
}

func (r *Report) addMaps() {
	var err error
	r.UIDMap, err = procfs.IDMap(r.Pid, "uid_map")
	r.note("uid_map", err)
	r.UIDMap = append(procfs.IDMaps{}, r.UIDMap...) // [] in JSON, never null
	r.GIDMap, err = procfs.IDMap(r.Pid, "gid_map")
	r.note("gid_map", err)
	r.GIDMap = append(procfs.IDMaps{}, r.GIDMap...)
}

// link reads one of the links of the process.
func (r *Report) link(key string) string {
	target, err := os.Readlink(procfs.Path(r.Pid, key))
	r.note(key, err)
	return target
}
