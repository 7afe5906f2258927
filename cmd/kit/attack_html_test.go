//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/attack"
)

// TestAttackPage: what an attack has seen is text, whatever it looks like.
func TestAttackPage(t *testing.T) {
	evil := `<script>"&'</script>`
	m := matrix{Places: []string{"6", evil}, Attacks: []matrixEntry{{
		Name: evil, Tries: evil, Why: evil,
		Results: map[string]attack.Outcome{
			"6":  {State: attack.Works, Saw: evil},
			evil: {State: attack.Stopped, Call: evil, Errno: evil},
		},
		Evidence: &attack.Evidence{File: evil, Line: 7, Call: evil, Why: evil, Tried: evil},
	}}}
	var out strings.Builder
	require.NoError(t, m.writeHTML(&out))
	require.NotContains(t, out.String(), "<script")
	require.NotContains(t, out.String(), `&'`)
	require.Contains(t, out.String(), `<td class="state stopped" title="`)
	require.Contains(t, out.String(), ":7</code>")
}
