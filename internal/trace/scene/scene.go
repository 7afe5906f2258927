// Package scene looks at what the kernel knows of a set of processes at one moment:
// their namespaces, ids, rights and filters, mounts, cgroups and networks. It is what
// the pictures of a report are drawn from.
package scene

import (
	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/inspect"
)

// Moment tells when a scene was taken.
type Moment string

// The moments.
const (
	Before Moment = "before" // the first call of the record
	Run    Moment = "run"    // the command is about to begin
	After  Moment = "after"  // all has been cleaned up
)

// A Scene is what there is at one moment. Its JSON form belongs to that of the
// trace: keys may be added, none renamed.
type Scene struct {
	Moment    Moment    `json:"moment"`
	Processes []Process `json:"processes"` // the observer, kit's own and the command's, by pid
	Mounts    []Mounts  `json:"mounts"`    // one for each mount namespace of theirs
	Cgroups   []Cgroup  `json:"cgroups"`   // theirs and those above, parents first
	Networks  []Network `json:"networks"`  // one for each network namespace of theirs
	Errors    []string  `json:"errors"`    // what could not be looked at, and why
}

// A Process is all that kit inspect tells of it.
type Process struct {
	Role   string `json:"role"`   // host (the observer), kit, command
	Parent int    `json:"parent"` // its pid
	*inspect.Report
}

// Mounts are those of one mount namespace, as one process sees it.
type Mounts struct {
	Namespace string  `json:"namespace"` // mnt:[4026531841]
	Mounts    []Mount `json:"mounts"`    // in the order of mountinfo: parents first
}

// A Mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type Mount struct {
	ID          int    `json:"id"`
	Parent      int    `json:"parent"`
	Device      string `json:"device"` // major:minor
	Root        string `json:"root"`   // the directory in that file system
	Target      string `json:"target"`
	Type        string `json:"type"`
	Source      string `json:"source"`
	Options     string `json:"options"`     // of the mount
	Super       string `json:"super"`       // of the file system
	Propagation string `json:"propagation"` // "private", "shared:3 master:2", ...
}

// A Cgroup is one directory of a hierarchy.
type Cgroup struct {
	Hierarchy string         `json:"hierarchy"` // "v2", or v1's controllers: "cpu,cpuacct"
	Dir       string         `json:"dir"`       // where you find it
	Path      string         `json:"path"`      // from the hierarchy's root
	Procs     []int          `json:"procs"`     // those of the scene that are right in it
	Limits    []cgroup.Limit `json:"limits"`    // where it has them
}

// A Network is a network namespace.
type Network struct {
	Namespace string   `json:"namespace"` // net:[4026531840]
	Links     []Link   `json:"links"`
	Routes    []string `json:"routes"` // as ip route prints them
	Rules     []string `json:"rules"`  // of kit's nftables table, one a line
}

// A Link is a network interface (netdevice(7)).
type Link struct {
	Index         int      `json:"index"`
	Name          string   `json:"name"`
	Kind          string   `json:"kind"` // veth, bridge, loopback, ...
	MAC           string   `json:"mac"`
	MTU           int      `json:"mtu"`
	Up            bool     `json:"up"`
	Master        string   `json:"master"`         // the bridge it is a port of
	Peer          int      `json:"peer"`           // of a veth: the other end's index
	PeerNamespace string   `json:"peer_namespace"` // net:[...], "" where it is here or not known
	Addresses     []string `json:"addresses"`      // 10.77.0.2/16
}
