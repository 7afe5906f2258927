package inspect

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCapSetIsReadAgain: what is written as names is the same set when it is read.
func TestCapSetIsReadAgain(t *testing.T) {
	for _, set := range []CapSet{0, 1, 0xa80425fb, 1<<41 - 1, 1 << 63} {
		text, err := json.Marshal(set)
		require.NoError(t, err)
		var again CapSet
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, set, again)
	}
	require.ErrorContains(t, json.Unmarshal([]byte(`["magic"]`), new(CapSet)), `capability "magic"`)
}
