package inspect

import (
	"encoding/json"
	"fmt"

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

// UnmarshalJSON implements json.Unmarshaler: for a record that is read again.
func (s *CapSet) UnmarshalJSON(text []byte) error {
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		return err
	}
	*s = 0
	for _, name := range names {
		bit := 0
		for bit < 64 && procfs.CapList(1 << bit)[0] != name {
			bit++
		}
		if bit == 64 {
			return fmt.Errorf("capability %q: there is no such", name)
		}
		*s |= 1 << bit
	}
	return nil
}
