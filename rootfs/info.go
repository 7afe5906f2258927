package rootfs

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Info is what kit rootfs ls tells of a root file system.
type Info struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // bytes of its regular files when it was made
	Files  int    `json:"files"`  // regular files, links and directories, likewise
	Arch   string `json:"arch"`   // of its /bin/sh, as uname -m says, "" if unknown
	From   string `json:"from"`   // "host", "busybox", or what it was imported from
	Path   string `json:"path"`   // the directory that becomes "/"
	Digest string `json:"digest"` // of the imported file, "sha256:..."
	Stamp  string `json:"stamp"`  // size, time and inode of the imported file
}

func writeInfo(dir string, info Info) error {
	info.Path = ""
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "about.json"), append(text, '\n'), 0o644)
}

func (c cache) info(name string) (info Info, err error) {
	text, err := os.ReadFile(c.file(name, "about.json"))
	if err != nil {
		return Info{}, err
	}
	err = json.Unmarshal(text, &info)
	info.Name, info.Path = name, c.root(name).Dir
	return info, err
}

// list gives the entries by name.
func (c cache) list() (infos []Info, err error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, "roots"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		info, err := c.info(e.Name())
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}
