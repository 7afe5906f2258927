//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/cgroup"
	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
	"github.com/containerkit/kit/internal/state"
	"github.com/containerkit/kit/rootfs"
	"github.com/containerkit/kit/steps"
)

func newCleanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what killed runs of kit have left behind",
		Long: `Remove what killed runs of kit have left behind: cgroups, directories, addresses,
rules and records. Says what it has removed. Containers that run are not touched.
Where kit was not killed, it has cleaned up itself, and there is nothing to do.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			directory, err := rootfs.Containers()
			if err != nil {
				return failed(fmt.Errorf("clean: %w", err))
			}
			if err := thawOrphans(); err != nil {
				return failed(fmt.Errorf("clean: %w", err))
			}
			r := container.Clean(directory, steps.All)
			lines, err := removeCgroups()
			tell(append(r.Lines, lines...))
			note(r.Notes)
			if err := errors.Join(r.Err, err); err != nil || r.Exit != 0 {
				return &statusError{125, err}
			}
			return nil
		},
	}
}

// thawOrphans lets containers end whose kit was killed: what v1 has frozen does not
// even die.
func thawOrphans() error {
	all, err := state.List()
	for _, s := range all {
		if dirs, err := cgroupsOf(s); err == nil && s.Orphan() {
			_, _ = cgroup.Thaw(dirs, patience)
		}
	}
	return err
}

// tell writes lines to standard output.
func tell(lines []string) {
	for _, line := range lines {
		fmt.Println(line)
	}
}

// removeCgroups removes containers' cgroups that no record tells of, in which nobody
// is.
func removeCgroups() (lines []string, err error) {
	mounts, err := procfs.CgroupMounts()
	if err != nil {
		return nil, err
	}
	used, err := usedCgroups()
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		_ = filepath.WalkDir(m.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || !strings.HasPrefix(d.Name(), "kit-") {
				return nil // what others have closed to us is not ours
			}
			if !slices.Contains(used, path) && forsaken(path) && unix.Rmdir(path) == nil {
				lines = append(lines, "removed cgroup "+path)
			}
			return fs.SkipDir
		})
	}
	return lines, nil
}

// usedCgroups are the cgroups of the containers that are known.
func usedCgroups() (dirs []string, err error) {
	all, err := state.List()
	for _, s := range all {
		var c container.Container
		if json.Unmarshal(s.Container, &c) == nil {
			dirs = append(dirs, c.Cgroups...)
		}
	}
	return dirs, err
}

// forsaken tells that nobody is in a cgroup, or about to be: kit makes it a moment
// before the container, which is long where hundreds start at once. Its record may be
// where we do not look (KIT_STATE).
func forsaken(dir string) bool {
	const moment = time.Minute
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil || len(procs) > 0 {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && time.Since(info.ModTime()) > moment
}
