package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// defaultPath is where the command is looked for inside, as in docker.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An ExecError is a command that could not be started inside the container.
type ExecError struct {
	Command string // as given
	Path    string // where it was found, "" if nowhere
	Err     error
}

func (e *ExecError) Error() string {
	name := e.Path
	if name == "" {
		name = e.Command
	}
	return fmt.Sprintf("execve %s: %v", name, e.Err)
}

func (e *ExecError) Unwrap() error { return e.Err }

// ExitStatus is 127 for a command that was not found, 126 for one that was but
// could not be run, as in a shell and in docker.
func (e *ExecError) ExitStatus() int {
	if e.Path == "" {
		return 127
	}
	return 126
}

// runPayload turns this process into the command, or, with --init, starts it
// and looks after it. Last is the step whose moment of that name is the newest.
func runPayload(c *Container, last Step) (exit int, err error) {
	if err := findAccount(c); err != nil {
		return 125, &Error{Err: err}
	}
	env := environment(c)
	if c.Workdir != "" {
		// The command starts here.
		if err := unix.Chdir(c.Workdir); err != nil {
			return 125, &Error{Err: fmt.Errorf("chdir %s: %w", c.Workdir, err)}
		}
	}
	path, err := lookPath(c.Args[0], env)
	if err != nil {
		e := &ExecError{Command: c.Args[0], Path: path, Err: err}
		return e.ExitStatus(), e
	}
	if err := closeFiles(); err != nil {
		return 125, &Error{Err: err}
	}
	if err := last.do(last.Last, c); err != nil {
		letMove()
		return 125, err
	}
	if c.Init {
		exit, err = runInit(c, path, env)
	} else {
		err = execPayload(path, c.Args, env)
	}
	if e := (*ExecError)(nil); errors.As(err, &e) {
		return e.ExitStatus(), e
	}
	if err != nil {
		return 125, &Error{Err: err}
	}
	return exit, nil
}

// execPayload is where the container's first process becomes the command.
func execPayload(path string, args, env []string) error {
	// From here on this process is the command: same process, other program.
	err := unix.Exec(path, args, env)
	letMove()
	return &ExecError{Command: args[0], Path: path, Err: err}
}

// Become gives up root for the user the command runs as: groups first, the uid
// last, since without uid 0 the others may not be changed any more. It is all
// that the Last moment does until a step has more to do then.
func Become(c *Container) error {
	if c.User == "" {
		return nil
	}
	// The groups of the user's account, in place of ours.
	if err := unix.Setgroups(c.Account.Groups); err != nil && !c.Rootless {
		return fmt.Errorf("setgroups %v: %w", c.Account.Groups, err)
	}
	// Real, effective and saved at once: none is left to go back to.
	if err := unix.Setresgid(c.Account.GID, c.Account.GID, c.Account.GID); err != nil {
		return fmt.Errorf("setresgid %d: %w", c.Account.GID, err)
	}
	// The same for the uid. A uid that is not 0 loses all capabilities here.
	if err := unix.Setresuid(c.Account.UID, c.Account.UID, c.Account.UID); err != nil {
		return fmt.Errorf("setresuid %d: %w", c.Account.UID, err)
	}
	// A change of uid has cleared it.
	return dieWithParent()
}

// findAccount looks the user up in the container's own /etc/passwd and /etc/group.
func findAccount(c *Container) error {
	defaults := &user.ExecUser{Home: "/"}
	found, err := user.GetExecUserPath(c.User, defaults, "/etc/passwd", "/etc/group")
	if err != nil {
		return fmt.Errorf("user %s: %w", c.User, err)
	}
	c.Account = Account{UID: found.Uid, GID: found.Gid, Groups: found.Sgids, Home: found.Home}
	return nil
}

// environment is the command's: four variables, and what --env adds.
func environment(c *Container) []string {
	hostname := c.Hostname
	if hostname == "" {
		hostname = c.Name
	}
	env := []string{"PATH=" + defaultPath, "HOME=" + c.Account.Home, "HOSTNAME=" + hostname}
	return merge(env, c.Env)
}

// merge adds more to env; a name in more replaces the same name in env.
func merge(env, more []string) []string {
	for _, m := range more {
		name, _, _ := strings.Cut(m, "=")
		kept := env[:0]
		for _, e := range env {
			if !strings.HasPrefix(e, name+"=") {
				kept = append(kept, e)
			}
		}
		env = append(kept, m)
	}
	return env
}

// lookPath finds a command inside. A path comes back with an error too when
// there is something that cannot be run.
func lookPath(command string, env []string) (string, error) {
	if strings.Contains(command, "/") {
		if err := executable(command); errors.Is(err, fs.ErrNotExist) {
			return "", err
		} else if err != nil {
			return command, err
		}
		return command, nil
	}
	var found string
	cause := errors.New("not found in PATH")
	for _, dir := range filepath.SplitList(value(env, "PATH")) {
		path := filepath.Join(dir, command)
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && found == "" {
			found, cause = path, err
		}
	}
	return found, cause
}

func executable(path string) error {
	// Look before execve: it gives one errno for many causes.
	info, err := os.Stat(path)
	if err != nil {
		return errors.Unwrap(err)
	}
	if info.IsDir() {
		return unix.EISDIR
	}
	if info.Mode()&0o111 == 0 {
		return unix.EACCES
	}
	return nil
}

func value(env []string, name string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// Prompt is the shell prompt that tells a user of a terminal where they are.
func Prompt(step int, name string) string {
	return "kit:" + strconv.Itoa(step) + ":" + name + ":$PWD# "
}
