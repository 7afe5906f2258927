package attack

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// processes are the attacks on processes of the host.
func processes() []*Attack {
	clone := []Call{{"clone", "CLONE_NEWPID"}}
	return []*Attack{
		{
			Name: "processes", Tries: "see the host's processes", Stop: 2, By: clone,
			Why: "A process of another PID namespace has no number here, and /proc has none either.",
			Run: seeProcesses,
		},
		{
			Name: "signal", Tries: "end a process of the host's", Stop: 2, By: clone,
			Why: "A signal goes to a number, and the host's processes have none in this PID namespace.",
			Run: endVictim, Watch: victimEnds,
		},
		{
			Name: "ptrace", Tries: "trace a process of the host's", Stop: 2, By: clone,
			Why: "ptrace takes a number, and the host's processes have none in this PID namespace.",
			Run: ptrace,
		},
		{
			Name: "exe", Tries: "replace the program that started it", Stop: 2, By: clone,
			Why: "The parent lies in another PID namespace: there is no /proc/PID/root that leads to " +
				"its files. kit runs from a read-only mount besides (CVE-2019-5736).",
			Run: replaceParent, Watch: kitReplaced,
		},
	}
}

// seeProcesses looks for the victim in /proc.
func seeProcesses(t *Target) (string, error) {
	cmdline, err := readProc(t.victim() + "/cmdline")
	if err != nil {
		return "", err
	}
	return "process " + t.victim() + ": " +
		strings.ReplaceAll(strings.TrimRight(cmdline, "\x00"), "\x00", " "), nil
}

// endVictim sends SIGTERM to the victim, whose number no process inside can have.
func endVictim(t *Target) (string, error) {
	if err := unix.Kill(t.Victim, unix.SIGTERM); err != nil {
		return "", fmt.Errorf("kill %d SIGTERM: %w", t.Victim, err)
	}
	return "kill " + t.victim() + " SIGTERM: it ended", nil
}

func victimEnds(h *Host) (func() error, error) {
	return func() error {
		if h.victimLives() {
			return fmt.Errorf("kill %d: the host's process still runs", h.target.Victim)
		}
		return nil
	}, nil
}

// ptrace attaches to the victim, and lets it go.
func ptrace(t *Target) (string, error) {
	if err := unix.PtraceSeize(t.Victim); err != nil {
		return "", fmt.Errorf("ptrace PTRACE_SEIZE %d: %w", t.Victim, err)
	}
	return "ptrace PTRACE_SEIZE " + t.victim() + ": its memory can be read and written", nil
}

// replaceParent looks for the program file of its parent, which is kit, and puts
// another in its place: the next container would be started by that.
func replaceParent(t *Target) (string, error) {
	proc, err := openProc()
	if err != nil {
		return "", err
	}
	defer unix.Close(proc)
	parent := strconv.Itoa(os.Getppid())
	buf := make([]byte, 4096)
	n, err := unix.Readlinkat(proc, parent+"/exe", buf)
	if err != nil {
		return "", fmt.Errorf("readlink /proc/%s/exe: %w", parent, err)
	}
	if !strings.HasPrefix(string(buf[:n]), t.Dir+"/") {
		return "", fmt.Errorf("%w: %s is the machine's", ErrUnsafe, buf[:n])
	}
	file := parent + "/root" + string(buf[:n])
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC
	// The kernel keeps a running program from being written to (ETXTBSY), but not
	// from being replaced.
	fd, err := unix.Openat(proc, file+".new", flags, 0o755)
	if err != nil {
		return "", fmt.Errorf("open /proc/%s.new: %w", file, err)
	}
	unix.Close(fd)
	if err := unix.Renameat(proc, file+".new", proc, file); err != nil {
		return "", fmt.Errorf("rename /proc/%s: %w", file, err)
	}
	return "replaced " + string(buf[:n]), nil
}

// kitReplaced looks at the copy of kit that has started the container.
func kitReplaced(h *Host) (func() error, error) {
	return func() error {
		info, err := os.Stat(h.kit)
		if err == nil && info.Size() > 0 {
			return fmt.Errorf("stat kit: it is as it was")
		}
		return h.copyKit(h.kit, 0o755)
	}, nil
}
