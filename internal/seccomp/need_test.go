package seccomp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAllows asks a filter about calls by name.
func TestAllows(t *testing.T) {
	filter, err := Parse([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["execve", "openat2"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["read"], "action": "SCMP_ACT_TRAP"},
		{"names": ["close"], "action": "SCMP_ACT_LOG"}]}`), nil)
	require.NoError(t, err)
	for name, want := range map[string][2]bool{ // allows, kills
		"execve": {true, false}, "close": {true, false}, "read": {false, true},
		"write": {false, false}, "statmount": {false, false}, "none-such": {true, false},
	} {
		require.Equal(t, want, [2]bool{Allows(filter, name, 0), Kills(filter, name)}, name)
	}
	filter, err = Parse([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["exit_group"], "action": "SCMP_ACT_ALLOW",
			"args": [{"index": 0, "value": 1, "op": "SCMP_CMP_LE"}]}]}`), nil)
	require.NoError(t, err)
	require.True(t, Allows(filter, "exit_group", 1))
	require.False(t, Allows(filter, "exit_group", 126))
	require.False(t, Allows(filter, "exit_group", 1<<32))
	filter, err = Default(nil)
	require.NoError(t, err)
	require.True(t, Allows(filter, "execve", 0))
	require.False(t, Allows(filter, "mount", 0))
}
