package oracle

import (
	"strings"

	"golang.org/x/sys/unix"
)

// layers are the directories in the options of an overlay, by option.
func (c *Call) layers() map[string][]string {
	if c.fsType() != "overlay" {
		return nil
	}
	dirs := map[string][]string{}
	for option := range strings.SplitSeq(escaped(c.text("data"), ','), "\x00") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "lowerdir":
			dirs[key] = strings.Split(escaped(value, ':'), "\x00")
		case "upperdir", "workdir":
			dirs[key] = []string{value}
		}
	}
	for key, list := range dirs {
		for i := range list {
			list[i] = strings.NewReplacer(`\\`, `\`, `\`, "").Replace(list[i])
		}
		dirs[key] = list
	}
	return dirs
}

// escaped puts a 0 where a separator stands that no backslash precedes.
func escaped(s string, separator byte) string {
	out := []byte(s)
	for i := 0; i < len(out); i++ {
		switch out[i] {
		case '\\':
			i++
		case separator:
			out[i] = 0
		}
	}
	return string(out)
}

// missingLayer names a directory of an overlay that is not there.
func missingLayer(c *Call) string {
	for _, key := range []string{"lowerdir", "upperdir", "workdir"} {
		for _, dir := range c.layers()[key] {
			switch p := c.look(unix.AT_FDCWD, dir, true); {
			case p.err == unix.ENOENT && dir != "":
				return key + ": there is no " + p.path + p.way()
			case p.err == unix.EACCES:
				return key + ": " + p.path + " may not be searched: " + c.bits(&p.stat)
			case p.err == unix.ENOTDIR || p.err == 0 && !p.is(unix.S_IFDIR):
				return key + ": " + p.path + " is not a directory"
			}
		}
	}
	return ""
}

// badLayers says which rule for upper and work is broken
// (Documentation/filesystems/overlayfs.rst).
func badLayers(c *Call) string {
	dirs := c.layers()
	if dirs == nil {
		return ""
	}
	upper, work := first(dirs["upperdir"]), first(dirs["workdir"])
	switch {
	case len(dirs["lowerdir"]) == 0 && !strings.Contains(c.text("data"), "lowerdir+"):
		return "the option lowerdir is missing"
	case upper == "" && len(dirs["lowerdir"]) == 1:
		return "an overlay without upperdir needs two directories in lowerdir"
	case upper == "":
		return ""
	case work == "":
		return "upperdir wants a workdir beside it"
	}
	u, w := c.look(unix.AT_FDCWD, upper, true), c.look(unix.AT_FDCWD, work, true)
	um, _ := c.mountOf(u)
	wm, _ := c.mountOf(w)
	switch {
	case u.err != 0 || w.err != 0:
		return ""
	case um.ID != wm.ID:
		return "upperdir and workdir must be in one mount: they are in those at " + um.Mountpoint +
			" and " + wm.Mountpoint
	case w.within(u), u.within(w):
		return "upperdir and workdir must be different, and none below the other"
	case um.FSType == "overlay":
		return "upperdir is itself in an overlay, at " + um.Mountpoint + ", which cannot keep its marks"
	case um.has("ro") || um.superHas("ro"):
		return "upperdir is in the mount at " + um.Mountpoint + ", which is read-only"
	}
	return ""
}

// layersTaken tells an upper or work directory that another overlay uses.
func layersTaken(c *Call) string {
	dirs := c.layers()
	for _, key := range []string{"upperdir", "workdir"} {
		dir := first(dirs[key])
		for _, m := range c.mountTable() {
			if dir != "" && m.FSType == "overlay" && m.superHas(key+"="+dir) {
				return key + " " + dir + " is in use by the overlay at " + m.Mountpoint
			}
		}
	}
	return ""
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
