package container

import (
	"fmt"
	"os"
)

// RemoveTree removes a directory and all that is in it. Symbolic links go, too,
// and are not followed. It is no error if there is nothing of that name.
func RemoveTree(path string) error {
	// From the leaves to the root: the kernel removes empty directories only.
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return nil
}
