package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
)

// overlayExercises are those of step 4: layers.
func overlayExercises() []exercise {
	return []exercise{
		{
			4, "overlay", "a root of layers: an overlay", 4, (*process).checkOverlay,
			"What kind of file system is its /? grep ' / / ' /proc/{pid}/mountinfo",
			"overlay shows a stack of directories as one: what is written goes to the upper one, and " +
				"the lower ones serve any number of containers (overlayfs.rst).",
		},
		{
			4, "upper", "an upper directory of its own", 3, (*process).checkUpper,
			"Where does a file go that it writes? Look for upperdir in /proc/{pid}/mountinfo.",
			"New files and copies are in the upper directory of an overlay, which no other mount may " +
				"use at the same time: what comes of that is undefined (overlayfs.rst).",
		},
		{
			4, "base", "a base that stays as it was", 3, (*process).checkBase,
			"Is a file of the base another one after the container wrote to it? Compare sums.",
			"The first write to a file of a lower directory copies it up, and a deletion leaves a " +
				"whiteout in the upper one: the lower ones are only read (overlayfs.rst).",
		},
	}
}

// layers are the directories of an overlay, as its mount options tell them.
type layers struct {
	mount *mountinfo.Info
	upper string   // "" where it is read-only
	lower []string // the topmost first
}

// layersOf reads the options of a mount, nil where it is no overlay.
func layersOf(m *mountinfo.Info) *layers {
	if m == nil || m.FSType != "overlay" {
		return nil
	}
	l := &layers{mount: m}
	l.upper, _ = option(m.VFSOptions, "upperdir")
	l.upper = strings.NewReplacer(`\,`, ",", `\:`, ":", `\\`, `\`).Replace(l.upper)
	if lower, ok := option(m.VFSOptions, "lowerdir"); ok {
		l.lower = split(lower)
	}
	for word := range strings.SplitSeq(m.VFSOptions, ",") {
		if dir, ok := strings.CutPrefix(word, "lowerdir+="); ok { // mounted by fsconfig(2)
			l.lower = append(l.lower, unescape(dir))
		}
	}
	return l
}

// split takes the directories of lowerdir= apart: a colon in a name has a backslash before it.
func split(lower string) (dirs []string) {
	dir := ""
	for i := 0; i < len(lower); i++ {
		switch {
		case lower[i] == '\\' && i+1 < len(lower):
			i++
			dir += lower[i : i+1]
		case lower[i] == ':' && dir != "":
			dirs, dir = append(dirs, dir), ""
		case lower[i] != ':': // two stand before layers of data only
			dir += lower[i : i+1]
		}
	}
	return append(dirs, dir)
}

// layered is the verdict of judge on its layers, or that it has none.
func (p *process) layered(judge func(l *layers) verdict, call string) verdict {
	const mount = `mount("overlay", merged, "overlay", 0, "lowerdir=BASE,upperdir=UPPER,` +
		`workdir=WORK"), in a user namespace with "userxattr" too, and make merged the root.`
	missing := "a root that is an overlay"
	if call == "" {
		call, missing = mount, ""
	}
	return p.inRoot(func() verdict {
		if p.seenErr != nil {
			return unknown(p.seenErr)
		}
		m := p.top()
		if m == nil {
			return no("its / is no mount point", "Its / is a plain directory: "+call).unless(missing)
		}
		if l := layersOf(m); l != nil {
			return judge(l)
		}
		return no("its / is of type "+m.FSType,
			fmt.Sprintf("Mount %d, its /, is %s: %s", m.ID, m.FSType, call)).unless(missing)
	}, call)
}

func (p *process) checkOverlay() verdict {
	return p.layered(func(l *layers) verdict {
		return yes("mount %d, with %s below", l.mount.ID, count(len(l.lower), "layer"))
	}, "")
}

func (p *process) checkUpper() verdict {
	const call = "upperdir=DIR,workdir=DIR2, new directories on one file system, for each container."
	return p.layered(func(l *layers) verdict {
		if l.upper == "" {
			return no("it has no upper directory: nothing can be written", "Mount it with "+call)
		}
		for _, dir := range l.lower {
			if below(l.upper, dir) || below(dir, l.upper) {
				return no(fmt.Sprintf("upper %s and lower %s are in each other", l.upper, dir),
					fmt.Sprintf("upperdir=%s is not apart from lowerdir=%s: mkdir one beside it.",
						l.upper, dir))
			}
		}
		if pid := p.sharer(l); pid != 0 {
			return no(fmt.Sprintf("process %d writes to %s, too, by another mount", pid, l.upper),
				fmt.Sprintf("upperdir=%s is in the mounts of process %d as well: %s", l.upper, pid, call))
		}
		return yes("%s, of no other mount that you can see", l.upper)
	}, call)
}

// sharer is a process with another overlay that has the same upper directory, 0 for none.
func (p *process) sharer(l *layers) int {
	done := map[string]bool{p.link("mnt"): true}
	for _, pid := range processes() {
		link, err := os.Readlink(procfs.Path(pid, "ns/mnt"))
		if err != nil || done[link] {
			continue
		}
		done[link] = true
		list, _ := mountsOf(pid)
		if slices.ContainsFunc(list, func(m *mountinfo.Info) bool {
			o := layersOf(m)
			return o != nil && o.upper == l.upper &&
				(m.Major != l.mount.Major || m.Minor != l.mount.Minor)
		}) {
			return pid
		}
	}
	return 0
}

// processes are all that can be seen.
func processes() (list []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

func (p *process) checkBase() verdict {
	const call = "Let the base be the lowerdir, written by nobody, and mount an upperdir above it."
	return p.layered(func(l *layers) verdict {
		if len(l.lower) == 0 || l.upper == "" {
			return no("it has no upper directory above it", call).unless("an upper directory of its own")
		}
		started, err := p.started()
		if err != nil {
			return unknown(err)
		}
		files := 0
		for _, dir := range l.lower {
			changed, n, err := changedAfter(dir, started, maxFiles-files)
			if files += n; err != nil {
				return yes("%s below; their files cannot be looked at from here (%s)",
					count(len(l.lower), "layer"), inspect.Reason(err))
			}
			if changed != "" {
				return no(changed+" has changed since the container was started",
					fmt.Sprintf("Somebody writes to %s past the overlay, maybe another container: %s",
						dir, call))
			}
		}
		found := fmt.Sprintf("none of %s has changed since it was started", count(files, "file"))
		if files >= maxFiles {
			found += "; there are more"
		}
		return yes("%s", found)
	}, call)
}

// maxFiles bounds the search in a large base: about a second.
const maxFiles = 200_000

// changedAfter finds a file that was written or renamed after a time, and how many files it
// has looked at. The error is for a directory that there is not, or that may not be read.
func changedAfter(dir string, when time.Time, limit int) (changed string, files int, err error) {
	if !filepath.IsAbs(dir) {
		return "", 0, fmt.Errorf("%s is not told from /", dir)
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil && path != dir && errors.Is(err, fs.ErrPermission) {
			return nil // said by none of them: what is not readable here is not below either
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if unix.Lstat(path, &st) == nil && time.Unix(st.Ctim.Unix()).After(when) {
			changed = path
			return fs.SkipAll
		}
		if files++; files >= limit {
			return fs.SkipAll
		}
		return nil
	})
	return changed, files, err
}

// started is when the process was, with a second for those who prepare its files as they
// start it.
func (p *process) started() (time.Time, error) {
	ticks, err := procfs.StartTime(p.pid)
	if err != nil {
		return time.Time{}, err
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Time{}, err
	}
	age := time.Duration(now.Nano()) - time.Duration(ticks)*(time.Second/100)
	return time.Now().Add(time.Second - age), nil
}

// below tells that a path is dir or in it.
func below(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// option finds a mount option "key=value".
func option(options, key string) (string, bool) {
	for word := range strings.SplitSeq(options, ",") {
		if value, ok := strings.CutPrefix(word, key+"="); ok {
			return unescape(value), true
		}
	}
	return "", false
}

// unescape undoes what the kernel does to characters that would end an option: \054 for a
// comma (seq_escape in its sources).
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+4 <= len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
