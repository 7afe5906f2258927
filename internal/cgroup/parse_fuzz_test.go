package cgroup

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzFiles gives any text to what reads the files of a cgroup: what comes out must be
// something that can be printed as JSON.
func FuzzFiles(f *testing.F) {
	f.Add("some avg10=0.00 avg60=1.50 avg300=0.00 total=7\n" +
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
	f.Add("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n")
	f.Add("8:0 Read 4096\n8:0 Write 1\nTotal 4097\n")
	f.Add("usage_usec 5\nuser_usec 3\n")
	f.Add("max 100000\n")
	f.Add("50000 0\n")
	f.Add("9223372036854771712")
	f.Add("nan nan")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		printable(t, stall(text))
		printable(t, ioStat(text))
		printable(t, blkio(text, text))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600))
		printable(t, flat(dir, "file"))
		for _, v2 := range []bool{false, true} {
			for _, r := range resources(v2) {
				for _, name := range []string{r.limitFile, r.useFile, "cpu.cfs_period_us"} {
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
				}
				printable(t, r.read(Place{V2: v2, Dir: dir, Path: "/"}))
			}
		}
	})
}

func printable(t *testing.T, value any) {
	t.Helper()
	_, err := json.Marshal(value)
	require.NoError(t, err)
}
