package rootfs

import "path/filepath"

// Containers is the directory in which containers have directories of their own,
// for what they write. It need not be there.
func Containers() (string, error) {
	c, err := findCache()
	if err != nil {
		return "", err
	}
	return filepath.Join(c.dir, "containers"), nil
}
