package container

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Try finds out whether this machine lets the caller build a container from
// steps, with these limits: it clones a process the way they would, which ends at once.
func Try(steps []Step, limits Limits) (how string, err error) {
	c := &Container{
		Steps: len(steps), Limits: limits, Rootless: !privileged(), Attr: &syscall.SysProcAttr{},
	}
	// Two may try at once. What a step writes down of it is forgotten at the end.
	c.Name = fmt.Sprintf("kit-try-%d", os.Getpid())
	defer forget(c)
	how = "yes, as root"
	if c.Rootless {
		how = "yes, in a user namespace of your own"
		c.Attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS
		// One uid is all that a user may map without help: their own, as 0.
		c.Attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		// The same for the group.
		c.Attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	for _, s := range steps {
		defer func() {
			if e := s.do(s.After, c); e != nil {
				err = errors.Join(err, e)
			}
		}()
		if err := s.do(s.Before, c); err != nil {
			return "", err
		}
	}
	// Any program does, and this one is there.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", err
	}
	cmd, err := newCommand(roleProbe, nil, self)
	if err != nil {
		self.Close()
		return "", err
	}
	pid, g, err := cmd.start(c.Attr)
	if err != nil {
		return "", err
	}
	g.close()
	_, err = wait(pid)
	return how, err
}
