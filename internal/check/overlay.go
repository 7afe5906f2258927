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

	"github.com/containerkit/kit/internal/procfs"
)

// overlayExercises are those of step 4: layers.
func overlayExercises() []exercise {
	return []exercise{
		{4, "overlay", "a root of layers: an overlay", 4, (*process).checkOverlay},
		{4, "upper", "an upper directory of its own", 3, (*process).checkUpper},
		{4, "base", "a base that stays as it was", 3, (*process).checkBase},
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
	if lower, ok := option(m.VFSOptions, "lowerdir"); ok {
		l.lower = split(lower)
	}
	for word := range strings.SplitSeq(m.VFSOptions, ",") {
		if dir, ok := strings.CutPrefix(word, "lowerdir+="); ok { // mounted by fsconfig(2)
			l.lower = append(l.lower, dir)
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

// layers are those of its root, or the verdict where it has none.
func (p *process) layers() (*layers, verdict) {
	if v, missing := p.noRoot(); missing {
		return nil, v
	}
	if p.seenErr != nil {
		return nil, unknown(p.seenErr)
	}
	if l := layersOf(p.top()); l != nil {
		return l, verdict{}
	}
	what := "its / is no mount point"
	if m := p.top(); m != nil {
		what = fmt.Sprintf("its / is of type %s", m.FSType)
	}
	return nil, after(what, "a root that is an overlay")
}

func (p *process) checkOverlay() verdict {
	l, v := p.layers()
	if l != nil {
		return yes("mount %d, %s below", l.mount.ID, count(len(l.lower), "layer"))
	}
	return no(v.got,
		fmt.Sprintf("What kind of file system is its /? grep ' / / ' /proc/%d/mountinfo", p.pid),
		"overlay shows a stack of directories as one: what is written goes to the upper one, and "+
			"the lower ones serve any number of containers (overlayfs.rst).",
		fmt.Sprintf(`%s: mount("overlay", merged, "overlay", 0, `+
			`"lowerdir=BASE,upperdir=UPPER,workdir=WORK"), and make merged the root; in a user `+
			`namespace with "userxattr" too.`, upperFirst(v.got)))
}

func upperFirst(text string) string {
	return strings.ToUpper(text[:1]) + text[1:]
}

func (p *process) checkUpper() verdict {
	l, v := p.layers()
	if l == nil {
		return v
	}
	const question = "Where does a file go that it writes? Look for upperdir in its mountinfo."
	const mechanism = "Copies and new files of an overlay are in its upper directory, which no " +
		"other mount may use at the same time: what comes of that is undefined (overlayfs.rst)."
	if l.upper == "" {
		return no("it has no upperdir: nothing can be written", question, mechanism,
			"Mount it with upperdir=DIR,workdir=DIR2, both empty, on one file system and its own.")
	}
	for _, dir := range l.lower {
		if below(l.upper, dir) || below(dir, l.upper) {
			return no(fmt.Sprintf("upper %s and lower %s are in each other", l.upper, dir), question,
				mechanism, fmt.Sprintf("upperdir=%s is not apart from lowerdir=%s: mkdir one beside it.",
					l.upper, dir))
		}
	}
	if pid := p.sharer(l); pid != 0 {
		return no(fmt.Sprintf("process %d writes to %s, too, by another mount", pid, l.upper),
			question, mechanism, fmt.Sprintf("upperdir=%s is in the mounts of process %d as well: "+
				"mkdir one for each container.", l.upper, pid))
	}
	return yes("%s, of no other mount that you can see", l.upper)
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
	l, v := p.layers()
	if l == nil {
		return v
	}
	const question = "Is a file of the base another one after the container wrote it? Compare sums."
	const mechanism = "The first write to a file of a lower directory copies it up, and a deletion " +
		"leaves a whiteout in the upper one: the lower ones are only read (overlayfs.rst)."
	if len(l.lower) == 0 || l.upper == "" {
		return no("nothing keeps the container's files apart from those of the base", question,
			mechanism, "Give it an upperdir: see the exercise before.")
	}
	started, err := p.started()
	if err != nil {
		return unknown(err)
	}
	files := 0
	for _, dir := range l.lower {
		changed, n, err := changedAfter(dir, started, maxFiles-files)
		files += n
		if err != nil {
			return yes("%s below; they cannot be looked at by their names from here (%s)",
				count(len(l.lower), "layer"), reason(err))
		}
		if changed != "" {
			return no(fmt.Sprintf("%s has changed since the container was started", changed), question,
				mechanism, fmt.Sprintf("Somebody writes to %s directly, a mount of it or another "+
					"container: let lowerdir be written by nobody.", dir))
		}
	}
	found := fmt.Sprintf("none of %s has changed since the container was started",
		count(files, "file"))
	if files >= maxFiles {
		found += "; there are more"
	}
	return yes("%s", found)
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
