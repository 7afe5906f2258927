package procfs

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/moby/sys/capability"
)

// CapNames names the capabilities of a set (capabilities(7)), in lower case and
// without the prefix: "none", "all 41", "chown, kill" or, where that is shorter,
// "all 41 but sys_resource". All are those that the running kernel knows.
func CapNames(mask uint64) string {
	all := allCaps()
	list := strings.Join(CapList(mask), ", ")
	switch {
	case mask == 0:
		return "none"
	case mask == all:
		return fmt.Sprintf("all %d", bits.OnesCount64(all))
	case mask&^all != 0:
		return list
	}
	but := fmt.Sprintf("all %d but ", bits.OnesCount64(all)) + strings.Join(CapList(all&^mask), ", ")
	if len(but) < len(list) {
		return but
	}
	return list
}

// CapList names the capabilities of a set, the lowest bit first. One that has no
// name yet is "cap_N".
func CapList(mask uint64) []string {
	list := make([]string, 0, bits.OnesCount64(mask))
	for ; mask != 0; mask &= mask - 1 {
		n := bits.TrailingZeros64(mask)
		name := capability.Cap(n).String()
		if name == "unknown" {
			name = fmt.Sprintf("cap_%d", n)
		}
		list = append(list, name)
	}
	return list
}

// allCaps is the set of those that the running kernel knows.
func allCaps() uint64 {
	last, err := capability.LastCap()
	if err != nil {
		last = capability.CAP_CHECKPOINT_RESTORE // the last one since Linux 5.9
	}
	return 1<<(last+1) - 1
}
