package procfs

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: the text of a process's files, in which the names of commands and cgroups
// are whatever somebody has chosen.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"cgroup_hybrid", "stat", "status_linux_4.4", "status_thread"} {
		text, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("0 1000 1\n1 100000 65536\n"))
	f.Add([]byte("0 0 4294967295\n"))
	f.Add([]byte("1 () ) R"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if list, err := ParseCgroups(bytes.NewReader(text)); err == nil {
			for _, c := range list {
				again, err := ParseCgroups(strings.NewReader(c.String()))
				require.NoError(t, err)
				require.Equal(t, []Cgroup{c}, again)
			}
		}
		if s, err := ParseStatus(bytes.NewReader(text)); err == nil {
			_ = CapNames(s.CapEff) + CapNames(s.CapBnd)
		}
		if m, err := ParseIDMap(bytes.NewReader(text)); err == nil {
			_ = m.String()
			for _, e := range m {
				if e.Count > 0 {
					_, ok := m.Outside(e.Inside)
					require.True(t, ok)
				}
			}
		}
		_, _ = parseStat(bytes.NewReader(text))
		_ = controllers(string(text))
	})
}
