package attack

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// kernel are the attacks on what no namespace divides: all see the same kernel.
func kernel() []*Attack {
	return []*Attack{
		{
			Name: "keys", Tries: "read a key of the host's session", Stop: 6,
			By: []Call{{"keyctl", "JOIN_SESSION"}},
			Why: "The container gets a session keyring of its own, with nothing in it; and the " +
				"filter refuses keyctl, since no namespace divides the keyrings.",
			Run: readKey,
		},
		{
			Name: "proc-sys", Tries: "write a setting of the kernel's", Stop: 6,
			By: []Call{{"mount", `"", "/proc/sys"`}},
			Why: "/proc/sys is mounted read-only. Few of its files belong to a namespace, and root " +
				"owns all of them.",
			Run: writeSetting,
		},
		{
			Name: "proc-files", Tries: "read what /proc tells of the machine", Stop: 6,
			By:  []Call{{"mount", "/proc/timer_list"}},
			Why: "Such files are covered by /dev/null.",
			Run: readProcFiles,
		},
		{
			Name: "module", Tries: "ask to load a kernel module", Stop: 6,
			By: []Call{{"prctl", "PR_CAPBSET_DROP, CAP_SYS_MODULE"}},
			Why: "init_module needs CAP_SYS_MODULE. The module is an empty one: where the kernel " +
				"looks at it, it says ENOEXEC, and nothing is loaded.",
			Run: loadModule,
		},
		{
			Name: "kernel-log", Tries: "read the kernel's log", Stop: 6, By: []Call{{"seccomp", ""}},
			Why: "The filter refuses syslog without CAP_SYSLOG: the log has addresses, and other " +
				"people's programs and devices.",
			Run: readLog,
		},
	}
}

// keyName is the description of the key in the host's session keyring.
const keyName = "kit-attack"

func readKey(t *Target) (string, error) {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", keyName, 0)
	if err != nil {
		return "", fmt.Errorf("keyctl KEYCTL_SEARCH %s: %w", keyName, err)
	}
	buf := make([]byte, 100)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
	if err != nil {
		return "", fmt.Errorf("keyctl KEYCTL_READ %s: %w", keyName, err)
	}
	return t.tells(string(buf[:n]), "the session keyring")
}

// writeSetting writes back the value that is there.
func writeSetting(*Target) (string, error) {
	const path = "sys/vm/swappiness"
	value, err := readProc(path)
	if err != nil {
		return "", err
	}
	proc, err := openProc()
	if err != nil {
		return "", err
	}
	defer unix.Close(proc)
	fd, err := unix.Openat(proc, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open /proc/%s to write: %w", path, err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		return "", fmt.Errorf("write /proc/%s: %w", path, err)
	}
	return "wrote to /proc/" + path + " (what it was)", nil
}

// readProcFiles looks for one that has something in it.
func readProcFiles(*Target) (string, error) {
	var all []error
	for _, path := range []string{"timer_list", "keys", "kcore"} {
		text, err := readProc(path)
		if err == nil && text == "" {
			err = fmt.Errorf("read /proc/%s: it is empty", path)
		}
		if err == nil {
			return fmt.Sprintf("/proc/%s: %d lines and more", path, strings.Count(text, "\n")), nil
		}
		all = append(all, err)
	}
	return "", all[0]
}

// loadModule offers the kernel a module of no bytes.
func loadModule(*Target) (string, error) {
	err := unix.InitModule(nil, "")
	if err == nil || errors.Is(err, unix.ENOEXEC) || errors.Is(err, unix.EINVAL) {
		return "init_module: the kernel takes modules from here", nil
	}
	return "", fmt.Errorf("init_module: %w", err)
}

func readLog(*Target) (string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, buf)
	if err != nil {
		return "", fmt.Errorf("syslog SYSLOG_ACTION_READ_ALL: %w", err)
	}
	return fmt.Sprintf("%d bytes of the kernel's log", n), nil
}
