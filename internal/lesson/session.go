package lesson

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A Session is what a reader types, and sees: a block of the language console.
//
//	```console root 2
//	$ kit step 2 --name box --trace=off
//	kit:2:box:/# hostname
//	box
//	```
//
// A line that begins with a prompt is a command, and those below it are what it
// prints. A command goes on in lines that begin with "> ". Behind the language stand
// "root" where root is needed, "like" where numbers are others each time,
// "with:runc" where that tool is needed, and the number of the terminal, 1 where none is
// given.
type Session struct {
	Root     bool
	Like     bool
	Tools    []string
	Terminal int
	Commands []Command
}

// A Command is one of a session.
type Command struct {
	Prompt string   // "$", or that of a shell in a container: "kit:2:box:/#"
	Line   string   // what is typed; more lines than one where it goes on
	Output []string // what comes: "..." is for any text, and alone for any lines
}

// Inside tells that the command is typed in a container.
func (c *Command) Inside() bool { return c.Prompt != "$" }

// prompt is the host's, or a container's (PS1).
var prompt = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\$|kit:[0-9]+:[^ :]+:[^ ]*#) (.*)$`)
})

// Session reads a block of the language console.
func (b *Block) Session() (*Session, error) {
	s := &Session{Terminal: 1}
	for _, word := range strings.Fields(b.Info) {
		n, err := strconv.Atoi(word)
		tool, isTool := strings.CutPrefix(word, "with:")
		switch {
		case isTool:
			s.Tools = append(s.Tools, tool)
		case word == "root":
			s.Root = true
		case word == "like":
			s.Like = true
		case err == nil && n > 0:
			s.Terminal = n
		default:
			return nil, fmt.Errorf("console %s: none of root, like, with:TOOL, the number of a terminal",
				word)
		}
	}
	for line := range strings.Lines(b.Code) {
		if err := s.add(strings.TrimRight(line, "\n")); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add takes in the next line.
func (s *Session) add(line string) error {
	if m := prompt().FindStringSubmatch(line); m != nil {
		s.Commands = append(s.Commands, Command{Prompt: m[1], Line: m[2]})
		return nil
	}
	if len(s.Commands) == 0 {
		return fmt.Errorf("console: %q stands before the first command", line)
	}
	last := &s.Commands[len(s.Commands)-1]
	if more, ok := strings.CutPrefix(line, "> "); ok && len(last.Output) == 0 {
		last.Line += "\n" + more
		return nil
	}
	last.Output = append(last.Output, line)
	return nil
}
