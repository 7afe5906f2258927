package rootfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/containerkit/kit/internal/elfdep"
)

// makeBusybox makes a root file system from the machine's static busybox: one
// program, and a link for each of its applets. The cache must be locked.
func (c cache) makeBusybox(name string, progress io.Writer) error {
	program, err := findBusybox()
	if err != nil {
		return err
	}
	applets, err := listApplets(program)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "kit: making %s from %s (%d applets)\n", name, program, len(applets))
	return c.build(name, "", func(dir string) (Info, error) {
		return fillBusybox(dir, program, applets)
	})
}

// findBusybox refuses a busybox that needs libraries.
func findBusybox() (string, error) {
	program := find(binDirs(), "busybox")
	if program == "" {
		program = find(binDirs(), "busybox.static")
	}
	hint := "apt install busybox-static"
	if program == "" {
		return "", hinted(errors.New("this machine has no busybox"), hint)
	}
	files, _, err := elfdep.Closure("/", []string{program})
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if strings.Contains(path.Base(file), ".so") {
			return "", hinted(fmt.Errorf("%s is not static: it needs %s", program, file), hint)
		}
	}
	return filepath.EvalSymlinks(program)
}

// listApplets gives their paths, as in bin/ls.
func listApplets(program string) ([]string, error) {
	out, err := exec.Command(program, "--list-full").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list-full: %w", program, err)
	}
	return strings.Fields(string(out)), nil
}

func fillBusybox(dir, program string, applets []string) (Info, error) {
	root := filepath.Join(dir, "root")
	for _, bin := range []string{"bin", "sbin", "usr/bin", "usr/sbin"} {
		if err := os.MkdirAll(filepath.Join(root, bin), 0o755); err != nil {
			return Info{}, err
		}
	}
	if err := writeSources(dir, []string{program}); err != nil {
		return Info{}, err
	}
	size, err := copyRegular(filepath.Join(root, "bin/busybox"), program)
	if err != nil {
		return Info{}, err
	}
	for _, applet := range applets {
		if !filepath.IsLocal(applet) || applet == "bin/busybox" || applet == "linuxrc" {
			continue
		}
		link := filepath.Join(root, applet)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return Info{}, err
		}
		if err := os.Symlink("/bin/busybox", link); err != nil {
			return Info{}, err
		}
	}
	if err := finish(dir); err != nil {
		return Info{}, err
	}
	arch, _ := elfdep.Arch(root, "/bin/busybox")
	size += kitStamp().size
	return Info{Size: size, Files: len(applets) + 2, Arch: arch, From: "busybox"}, nil
}
