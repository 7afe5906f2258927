//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/containerkit/kit/internal/ktest"
)

// TestMain makes this test binary the kit command of all tests: it is found in
// PATH under that name, and starts itself again as the real one does.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "kit" {
		ktest.OwnNetwork()
	}
	testscript.Main(m, map[string]func(){"kit": main})
}

// TestScripts runs the scripts that specify the command line.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	})
}
