package rootfs

import (
	"errors"
	"fmt"
	"os"

	"github.com/containerkit/kit/internal/elfdep"
)

// check refuses a directory from which nothing can run here: an empty one, or
// one of another architecture. It reads the header of one program.
func check(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return pathCause(err)
	}
	defer d.Close()
	if names, _ := d.Readdirnames(1); len(names) == 0 {
		return hinted(errors.New("is an empty directory"), hintKinds)
	}
	for _, p := range []string{
		"/bin/sh", "/bin/bash", "/bin/busybox", "/usr/bin/env", "/bin/true", "/sbin/init",
	} {
		if _, err := elfdep.Resolve(dir, p); err != nil {
			continue
		}
		if err := elfdep.CheckArch(dir, p); err != nil {
			return hinted(fmt.Errorf("its %w", err),
				"take one that is made for this machine, or register an emulator: "+
					"apt install qemu-user-static")
		}
		return nil
	}
	return nil
}
