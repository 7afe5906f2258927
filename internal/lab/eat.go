package lab

import (
	"fmt"
	"io"
	"os"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"
)

// Eat uses size bytes of memory: memory that is only asked for takes none until it
// is written to. It says so in a line to out. Then it waits for a signal, unless
// end is set.
func Eat(out io.Writer, size int64, end bool) error {
	memory, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("mmap %d bytes: %w", size, err)
	}
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	_, err = fmt.Fprintf(out, "touched %d bytes (%s)\n", size, units.BytesSize(float64(size)))
	if err != nil {
		return err
	}
	if !end {
		Wait()
	}
	return nil
}
