//go:build linux

package guest

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// terminal opens the console as what it is behind its name: a serial line, which
// can be a controlling terminal, as /dev/console cannot.
func (c Config) terminal() (*os.File, error) {
	active, err := os.ReadFile("/sys/class/tty/console/active")
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(active))
	if len(names) == 0 {
		return nil, fmt.Errorf("console: %w", unix.ENODEV)
	}
	tty, err := os.OpenFile("/dev/"+names[len(names)-1], os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	size := &unix.Winsize{Row: c.Rows, Col: c.Columns}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, size); err != nil {
		return nil, fmt.Errorf("ioctl TIOCSWINSZ: %w", err)
	}
	return tty, nil
}
