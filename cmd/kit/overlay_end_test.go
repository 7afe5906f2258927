//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/steps"
)

// remembered is a container as it was written down.
func remembered(t testing.TB, name string) *container.Container {
	t.Helper()
	all, err := state.List()
	require.NoError(t, err)
	for _, s := range all {
		if s.Name == name {
			c := &container.Container{}
			require.NoError(t, json.Unmarshal(s.Container, c))
			return c
		}
	}
	require.FailNow(t, "not written down", name)
	return nil
}

// TestKilledKitLeavesADirectory and nothing else: no mount. What was written down
// is enough to remove it.
func TestKilledKitLeavesADirectory(t *testing.T) {
	root := overBase(t)
	for kind, flags := range overlayKinds() {
		for _, keep := range []bool{false, true} {
			beside := ktest.PublicDir(t)
			t.Run(kind, func(t *testing.T) {
				ktest.Clean(t)
				flags := append(flags, "--name", "victim")
				if keep {
					flags = append(flags, "--upper", filepath.Join(beside, "upper"))
				}
				script := "mkdir -p /a/b && chmod 0 /a/b && ln -s /etc /a/link; echo ready; exec cat"
				kit := start(t, untraced(4, root, script, flags...)...)
				family := descendants(t, kit.Process.Pid)
				require.NoError(t, kit.Process.Kill())
				require.Equal(t, 137, kit.exit(t))
				require.Eventually(t, func() bool { return alive(family) == nil },
					5*time.Second, time.Millisecond)
				containers := filepath.Join(os.Getenv("KIT_CACHE"), "containers")
				require.Equal(t, []string{"victim"}, entries(t, containers))

				c := remembered(t, "victim")
				if os.Geteuid() != 0 {
					c.Rootless = true
				}
				for range 2 { // the second time there is nothing any more
					for _, step := range slices.Backward(steps.All[:c.Steps]) {
						if step.After != nil {
							require.NoError(t, step.After(c))
						}
					}
				}
				require.Empty(t, entries(t, containers))
				require.DirExists(t, filepath.Join(root, "etc"), "no link was followed")
				left := entries(t, beside)
				if keep {
					require.Equal(t, []string{"upper"}, left)
				} else {
					require.Empty(t, left)
				}
				require.NoError(t, state.Remove("victim", stateKit(t, "victim")))
			})
		}
	}
}

// stateKit is the pid of the kit that wrote a container down.
func stateKit(t testing.TB, name string) int {
	t.Helper()
	all, err := state.List()
	require.NoError(t, err)
	for _, s := range all {
		if s.Name == name {
			return s.KitPid
		}
	}
	return 0
}

// TestNameOfAKilledContainer is used again before anybody has cleaned up.
func TestNameOfAKilledContainer(t *testing.T) {
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	script := "ls /made 2>/dev/null; echo >/made; echo ready; exec cat"
	args := untraced(4, root, script, "--name", "again")
	kit := start(t, args...)
	family := descendants(t, kit.Process.Pid)
	require.NoError(t, kit.Process.Kill())
	require.Equal(t, 137, kit.exit(t))
	require.Eventually(t, func() bool { return alive(family) == nil }, 5*time.Second, time.Millisecond)

	kit = start(t, args...)
	require.NotContains(t, string(kit.out.seen), "/made")
	// One of the same name, of which another state directory does not know.
	other := os.Getenv("KIT_STATE") + "-other"
	t.Setenv("KIT_STATE", other)
	refused(t, 125, ": file exists",
		untraced(4, root, "true", "--name", "again")...)
	containers := filepath.Join(os.Getenv("KIT_CACHE"), "containers")
	require.Equal(t, []string{"again"}, entries(t, containers))
	require.Zero(t, kit.end(t))
	require.Empty(t, entries(t, containers))
}

// TestUpperIsForOne container at a time, and no layer of another's.
func TestUpperIsForOne(t *testing.T) {
	root, layer := ktest.Rootfs(t), ktest.PublicDir(t)
	beside := ktest.PublicDir(t)
	upper := filepath.Join(beside, "upper")
	ktest.Clean(t)
	kit := start(t, untraced(4, root, "echo ready; exec cat",
		"--name", "first", "--upper", upper, "--layer", layer)...)
	for _, flags := range [][]string{{"--upper", upper}, {"--layer", upper}, {"--upper", layer}} {
		refused(t, 125, "overlay: upper directory "+flags[1]+": container first: device or resource busy",
			untraced(4, root, "true", flags...)...)
	}
	require.Empty(t, inside(t, 4, root, "true", "--layer", layer))
	require.Zero(t, kit.end(t))
	require.Empty(t, inside(t, 4, root, "true", "--upper", upper))
	require.Equal(t, []string{"upper"}, entries(t, beside))
}

// TestFailedOverlayLeavesNothing fails at the mount, and after it.
func TestFailedOverlayLeavesNothing(t *testing.T) {
	root, layers := ktest.Rootfs(t), ktest.PublicDir(t)
	ktest.Clean(t)
	containers := filepath.Join(os.Getenv("KIT_CACHE"), "containers")
	var many []string
	for _, c := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		dir := filepath.Join(layers, strings.Repeat(c, 200))
		require.NoError(t, os.Mkdir(dir, 0o755))
		many = append(many, "--layer", dir)
	}
	for kind, flags := range overlayKinds() {
		if kind == "plain" {
			refused(t, 125, "argument list too long", untraced(4, root, "true", many...)...)
		} else {
			require.Empty(t, inside(t, 4, root, "true", append(flags, many...)...), "short names there")
		}
		flags = append(flags, "-w", "/no/such")
		refused(t, 125, "chdir /no/such", untraced(4, root, "true", flags...)...)
		require.Empty(t, entries(t, containers))
	}
}
