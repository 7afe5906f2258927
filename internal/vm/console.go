package vm

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/vm/guest"
)

// A console passes on what the machine writes, until the line with the exit
// status, which it keeps.
type console struct {
	out  io.Writer
	line []byte // the beginning of a line that may become that one
	mid  bool   // the line is another one
	exit int    // -1 before
}

// Write implements io.Writer.
func (c *console) Write(data []byte) (int, error) {
	var pass []byte
	for _, b := range data {
		if c.exit >= 0 {
			break // the kernel's last words
		}
		pass = append(pass, c.next(b)...)
	}
	if _, err := c.out.Write(pass); err != nil {
		return 0, err
	}
	return len(data), nil
}

// next takes a byte and returns what can be passed on by now.
func (c *console) next(b byte) []byte {
	c.line = append(c.line, b)
	if b == '\n' {
		status, ok := strings.CutPrefix(strings.TrimSpace(string(c.line)), guest.ExitMark)
		if n, err := strconv.Atoi(status); ok && !c.mid && err == nil {
			c.exit = n
			return nil
		}
	}
	mark := []byte(guest.ExitMark)
	n := min(len(c.line), len(mark))
	if !c.mid && b != '\n' && bytes.Equal(c.line[:n], mark[:n]) {
		return nil // not yet known
	}
	pass := c.line
	c.line, c.mid = nil, b != '\n'
	return pass
}
