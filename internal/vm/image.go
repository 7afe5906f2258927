package vm

import (
	"fmt"
	"os/exec"
)

// Image makes an ext4 image of size MiB with the files of dir, which belong to
// root in it where the caller is root, and to whom they belong otherwise.
func Image(path, dir string, size int) error {
	cmd := exec.Command("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-d", dir,
		"-O", "^has_journal", path, fmt.Sprintf("%dM", size))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs %s: %w: %s", path, err, out)
	}
	return nil
}
