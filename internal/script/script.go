// Package script writes a container down in other words: as shell commands that build
// the same one, and as a command line of docker's.
//
// The shell script works when root runs it. It has the order of a step's moments: what
// the host's side prepares, what happens in the new namespaces, and a trap that removes
// what the kernel would leave. The comments are those of the steps' source.
package script

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/procfs"
)

// A script collects lines: those of the host's side, and those of the child, which
// run in the new namespaces.
type script struct {
	c      *container.Container
	trees  []procfs.CgroupMount
	child  bool // lines are the child's
	host   strings.Builder
	inside strings.Builder
	pass   []string // variables that the child gets, too

	missing []string // reasons that the steps' source does not give any more
}

// Shell writes c as a shell script for root. The comments name argv, the command line
// that asked for it. It fails, before anything is written, for what has no shell form.
func Shell(w io.Writer, c *container.Container, argv []string) error {
	if err := refuse(c); err != nil {
		return err
	}
	trees, err := procfs.CgroupMounts()
	if err != nil {
		return err
	}
	s := write(c, trees)
	_, err = fmt.Fprintf(w, "%s%s", s.head(argv), s.host.String())
	return err
}

// write puts the script together, for a machine with these cgroups.
func write(c *container.Container, trees []procfs.CgroupMount) *script {
	s := &script{c: c, trees: trees, pass: []string{"ROOT", "NAME"}}
	if c.Steps == 1 {
		s.chroot()
	} else {
		s.container()
	}
	return s
}

// refuse tells what a script cannot do.
func refuse(c *container.Container) error {
	switch {
	case c.UserNS == container.UserNSRemap:
		return fmt.Errorf("--userns remap: a shell has no command to map the owners of a mount")
	case c.TTY:
		return fmt.Errorf("--tty: a script has no terminal to give; run it under script(1)")
	}
	for _, v := range c.Volumes {
		top, _, _ := strings.Cut(below(v.Target), "/")
		if c.Steps >= 2 && (top == "dev" || top == "proc" || top == "sys") {
			return fmt.Errorf("--volume %s: the script mounts over /%s after the volumes", v.Target, top)
		}
	}
	for _, dir := range append([]string{c.Root, c.Layers.Upper}, c.Layers.Lower...) {
		if c.Steps >= 4 && strings.ContainsAny(dir, `:,\`) {
			return fmt.Errorf("directory %s: mount(8) cannot be given one with : , or \\", dir)
		}
	}
	return nil
}

// head is how every script begins.
func (s *script) head(argv []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# %s\n#\n# Run it as root: sh FILE [command [args...]]\nset -eu\n\n",
		oneLine("Made by: "+quote(argv...)))
	fmt.Fprintf(&b, "ROOT=%s # the directory that becomes /\n", quote(s.c.Root))
	name := "kit-$$"
	if s.c.Named {
		name = quote(s.c.Name)
	}
	fmt.Fprintf(&b, "NAME=%s\n", name)
	fmt.Fprintf(&b, "[ $# -gt 0 ] || set -- %s\n", quote(s.c.Args...))
	return b.String()
}

// why writes a comment, in lines of 80 columns.
func (s *script) why(text string) {
	out := s.out()
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 80 {
			fmt.Fprintln(out, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(out, line)
}

// do writes commands, with the reason above them.
func (s *script) do(why string, commands ...string) {
	if why != "" {
		s.why(why)
	}
	for _, c := range commands {
		fmt.Fprintln(s.out(), c)
	}
}

func (s *script) section(title string) { fmt.Fprintf(s.out(), "\n## %s\n\n", title) }

func (s *script) out() *strings.Builder {
	if s.child {
		return &s.inside
	}
	return &s.host
}

// later has a command run at the end, which removes what has just been made.
func (s *script) later(command string) { s.do("", "later "+quote(command)) }

// quote makes words of a shell command line.
func quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		plain := w != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"+
			"0123456789_-+=.,:/@%") == ""
		if !plain {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}

// oneLine keeps what came from the command line inside a comment.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// below is a path of the container as it is seen in $ROOT.
func below(path string) string { return strings.TrimPrefix(filepath.Clean(path), "/") }
