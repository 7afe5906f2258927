//go:build linux

package main

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// defaultCapabilities are those that a container of docker's has.
const defaultCapabilities uint64 = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE |
	1<<unix.CAP_FSETID | 1<<unix.CAP_FOWNER | 1<<unix.CAP_MKNOD | 1<<unix.CAP_NET_RAW |
	1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_SETFCAP | 1<<unix.CAP_SETPCAP |
	1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_KILL | 1<<unix.CAP_AUDIT_WRITE

// capabilities are what the flags leave of held, by docker's rules: ALL added is
// all but those dropped; ALL dropped is those added; otherwise those added come on
// top of the default ones that are not dropped.
func (o *securityOptions) capabilities(held uint64) (uint64, error) {
	add, allAdded, err := parseCapabilities("--cap-add", o.add)
	if err != nil {
		return 0, err
	}
	drop, allDropped, err := parseCapabilities("--cap-drop", o.drop)
	if err != nil {
		return 0, err
	}
	if lacking := add &^ held; lacking != 0 {
		return 0, fmt.Errorf("--cap-add %s: kit does not have it, and cannot give it",
			strings.Join(capabilityNames(lacking), ","))
	}
	switch {
	case allAdded:
		return held &^ drop, nil
	case allDropped:
		return add, nil
	}
	return defaultCapabilities&held&^drop | add, nil
}

// heldBy are the capabilities that the container can be given: all where its root
// is that of a new user namespace, else those that we have ourselves.
func heldBy(c *container.Container) uint64 {
	last, err := capability.LastCap()
	if err != nil {
		last = capability.CAP_CHECKPOINT_RESTORE
	}
	all := uint64(1)<<(last+1) - 1
	self, err := procfs.ReadStatus(unix.Getpid())
	const root = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_CHROOT // else kit makes one
	if err != nil || self.CapEff&root != root || c.UserNS == container.UserNSRemap {
		return all
	}
	return all & self.CapPrm & self.CapBnd
}

// parseCapabilities understands names with and without CAP_, in any case, and ALL,
// also several in one flag, as podman does.
func parseCapabilities(flag string, names []string) (set uint64, all bool, err error) {
	if len(names) == 0 {
		return 0, false, nil
	}
	for name := range strings.SplitSeq(strings.Join(names, ","), ",") {
		short := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "cap_")
		if short == "all" {
			all = true
			continue
		}
		n := slices.IndexFunc(capability.ListKnown(), func(c capability.Cap) bool {
			return c.String() == short
		})
		if n < 0 {
			return 0, false, fmt.Errorf("%s %s: there is no such capability; near: %s",
				flag, name, strings.Join(nearest(short), ", "))
		}
		c := capability.ListKnown()[n]
		if last, err := capability.LastCap(); err == nil && c > last {
			return 0, false, fmt.Errorf("%s %s: this kernel does not know it yet", flag, name)
		}
		set |= 1 << c
	}
	return set, all, nil
}

// capabilityNames are the names of a set, as CAP_CHOWN.
func capabilityNames(set uint64) []string {
	names := make([]string, 0, bits.OnesCount64(set))
	for _, name := range procfs.CapList(set) {
		names = append(names, "CAP_"+strings.ToUpper(name))
	}
	return names
}

// nearest are the capabilities whose names are most like the one that was given:
// those with a word of it, else those that take the fewest typing errors.
func nearest(name string) []string {
	const enough = 3
	distance := func(c capability.Cap) int {
		if len(name) > 2 && strings.Contains(c.String(), name) {
			return 0
		}
		return typos(name, c.String())
	}
	list := slices.Clone(capability.ListKnown())
	slices.SortStableFunc(list, func(a, b capability.Cap) int { return distance(a) - distance(b) })
	var names []string
	for _, c := range list[:enough] {
		names = append(names, strings.ToUpper(c.String()))
	}
	return names
}

// typos is how many characters must be typed, deleted or replaced to make b out of
// a (Levenshtein's distance).
func typos(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
