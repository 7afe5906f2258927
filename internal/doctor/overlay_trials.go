package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// overlayTrials are those of step 4.
func overlayTrials() []trial {
	return []trial{
		{
			id: "overlay", name: "overlay, changes on the disk", step: 4, ns: mounts, deed: overlayDisk,
			loses: "changes on the disk: kit keeps them in memory",
		},
		{
			id: "overlay-memory", name: "overlay, changes in memory", step: 4, ns: mounts,
			deed:  overlayMemory,
			vital: true, loses: "step 4 where the disk cannot hold the changes",
		},
	}
}

func overlayDisk(p *place) (string, error) {
	if _, err := detach(p); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(p.dir, "overlay-")
	if err != nil {
		return "", err
	}
	return fileSystem(dir), tryOverlay(dir)
}

func overlayMemory(p *place) (string, error) {
	if _, err := mountTmpfs(p); err != nil {
		return "", err
	}
	return "", tryOverlay(p.path("merged"))
}

// tryOverlay mounts one, and removes a directory of the lower layer: where marks cannot
// be kept, that is what fails.
func tryOverlay(dir string) error {
	for _, name := range []string{"lower/sub", "upper", "work", "merged"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work",
		strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace(dir))
	if inUserNamespace() {
		options += ",userxattr"
		if err := unix.Setxattr(dir+"/upper", "user.overlay", nil, 0); err != nil {
			return fmt.Errorf("setxattr user.overlay %s: %w", dir, err)
		}
	}
	merged := dir + "/merged"
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay %s: %w", options, err)
	}
	if err := os.WriteFile(merged+"/file", nil, 0o644); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	if err := unix.Rmdir(merged + "/sub"); err != nil {
		return fmt.Errorf("rmdir in an overlay: %w", err)
	}
	if err := unix.Mkdir(merged+"/sub", 0o755); err != nil {
		return fmt.Errorf("mkdir in an overlay: %w", err)
	}
	return nil
}

func inUserNamespace() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(m)), " ") != "0 0 4294967295"
}

// fileSystem is the type of the one that a directory is on.
func fileSystem(dir string) (name string) {
	longest := 0
	all, err := mountinfo.GetMounts(mountinfo.ParentsFilter(dir))
	if err != nil {
		return ""
	}
	for _, m := range all {
		if len(m.Mountpoint) >= longest {
			name, longest = m.FSType, len(m.Mountpoint)
		}
	}
	return name
}
