package ktest

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Lacks skips the test for the lack of something that kit doctor tries, by the id of its
// check, with the doctor's reason. Where the doctor says that it works, the test fails.
func Lacks(t testing.TB, id string) {
	t.Helper()
	// Its exit status tells of the steps.
	out, _ := exec.Command(Kit(t), "doctor", "--json").Output()
	var report struct {
		Checks []struct {
			ID, As, State, Found, Error string
			Hints                       []string
		}
	}
	require.NoError(t, json.Unmarshal(out, &report))
	as := "user"
	if os.Geteuid() == 0 {
		as = "root"
	}
	for _, c := range report.Checks {
		if c.ID == id && (c.As == "" || c.As == as) && c.State != "works" {
			t.Skip(strings.Join(append([]string{id + ": " + c.Found + c.Error}, c.Hints...), "; "))
		}
	}
	t.Fatalf("kit doctor says that %s works here", id)
}
