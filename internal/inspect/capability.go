package inspect

import (
	"encoding/json"

	"github.com/containerkit/kit/internal/procfs"
)

// A CapSet is a set of capabilities: bit N is capability N. Its JSON is the list
// of their names.
type CapSet uint64

// String is like "all 41 but sys_resource".
func (s CapSet) String() string { return procfs.CapNames(uint64(s)) }

// MarshalJSON implements json.Marshaler.
func (s CapSet) MarshalJSON() ([]byte, error) {
	return json.Marshal(procfs.CapList(uint64(s)))
}
