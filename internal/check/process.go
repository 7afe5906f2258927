package check

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/inspect"
	"github.com/containerkit/kit/internal/procfs"
)

// A process is the one that is checked, beside the one that checks: whatever they share is
// the host's.
type process struct {
	pid      int
	them, me *inspect.Report

	root    int // its "/", as an O_PATH descriptor
	rootErr error
	rootID  place
	myRoot  place

	seen    []*mountinfo.Info // the mounts that it sees
	seenErr error
	all     []*mountinfo.Info // those of its whole mount namespace; seen where they are not readable
	host    []*mountinfo.Info // those of the checker's

	groups    *groups // looked up when first asked for
	groupsErr error
	net       *network // the same
}

// look gathers what several exercises need. The error is for no process, or no /proc.
func look(pid int) (p *process, err error) {
	p = &process{pid: pid, root: -1}
	if p.them, err = inspect.Process(pid); err != nil {
		return nil, err
	}
	if p.me, err = inspect.Process(os.Getpid()); err != nil {
		return nil, err
	}
	if p.myRoot, err = placeAt("/"); err != nil {
		return nil, err
	}
	p.root, p.rootErr = unix.Open(procfs.Path(pid, "root"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if p.rootErr == nil {
		p.rootID, p.rootErr = placeOf(p.root)
	}
	p.host, err = mountinfo.GetMounts(nil)
	if err != nil {
		p.close()
		return nil, err
	}
	p.seen, p.seenErr = mountsOf(pid)
	p.all = p.seen
	if p.own("mnt") {
		if all, err := p.joinMounts(); err == nil {
			p.all = all
		}
	}
	return p, nil
}

func (p *process) close() {
	if p.root >= 0 {
		unix.Close(p.root)
	}
}

func mountsOf(pid int) ([]*mountinfo.Info, error) {
	text, err := os.ReadFile(procfs.Path(pid, "mountinfo"))
	if err != nil {
		return nil, err
	}
	return mountinfo.GetMountsFromReader(bytes.NewReader(text), nil)
}

// top is the mount that is the process's "/", nil where its "/" is no mount point.
func (p *process) top() (found *mountinfo.Info) {
	for _, m := range p.seen {
		if m.Mountpoint == "/" {
			found = m
		}
	}
	return found
}

// namespace is that of the process of a kind. It has no inode where it may not be read.
func (p *process) namespace(kind string) inspect.Namespace {
	i := slices.IndexFunc(p.them.Namespaces, func(n inspect.Namespace) bool { return n.Kind == kind })
	if i < 0 {
		return inspect.Namespace{Kind: kind}
	}
	return p.them.Namespaces[i]
}

// own tells that the process is in another namespace of a kind than the checker.
func (p *process) own(kind string) bool {
	n := p.namespace(kind)
	return n.Inode != 0 && !n.Shared
}

// link is like "mnt:[4026531841]".
func (p *process) link(kind string) string {
	return fmt.Sprintf("%s:[%d]", kind, p.namespace(kind).Inode)
}

// ownRoot tells that its root directory is not the checker's.
func (p *process) ownRoot() bool {
	return p.rootErr == nil && !p.rootID.sameFile(p.myRoot)
}

// readable returns the verdict on a namespace that may not be read, and ok where it may.
func (p *process) readable(kind string) (v verdict, ok bool) {
	for _, key := range []string{"namespaces", "namespaces." + kind} {
		if why, missing := p.them.Errors[key]; missing {
			return hidden(why), false
		}
	}
	if p.namespace(kind).Inode == 0 {
		return verdict{none: true, got: "this kernel has no " + kind + " namespaces"}, false
	}
	return verdict{}, true
}

// first is a child of the process that is PID 1 of a PID namespace: often the one that was
// meant. 0 where there is none.
func (p *process) first() int {
	for _, pid := range children(p.pid) {
		s, err := procfs.ReadStatus(pid)
		if err == nil && len(s.NSpid) > len(p.them.Pids) && s.NSpid[len(s.NSpid)-1] == 1 {
			return pid
		}
	}
	return 0
}

// rather tells of the child that was meant.
func (p *process) rather() string {
	if pid := p.first(); pid != 0 {
		return fmt.Sprintf("; its child %d is PID 1 of another one: check that", pid)
	}
	return ""
}

func children(pid int) (list []int) {
	tasks, _ := os.ReadDir(procfs.Path(pid, "task"))
	for _, t := range tasks {
		text, _ := os.ReadFile(procfs.Path(pid, "task/"+t.Name()+"/children"))
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}
