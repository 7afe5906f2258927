package seccomp

import (
	"encoding/json"
	"slices"

	"github.com/moby/profiles/seccomp"
)

// Unknown are the names in a profile that Parse accepts which are no system call of
// any machine, as far as kit and Docker's own profile know. Like Docker, Parse passes
// them over, since a profile may be written for a newer kernel; but they may be slips.
func Unknown(text []byte) (unknown []string) {
	var p seccomp.Seccomp
	if json.Unmarshal(text, &p) != nil {
		return nil
	}
	known := map[string]bool{}
	for _, r := range table {
		known[r.name] = true
	}
	for _, s := range seccomp.DefaultProfile().Syscalls { // of other machines, too
		for _, name := range names(s) {
			known[name] = true
		}
	}
	for _, s := range p.Syscalls {
		for _, name := range names(s) {
			if !known[name] && !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}
