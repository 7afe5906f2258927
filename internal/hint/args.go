package hint

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// tooLong says how much execve(2) takes here ("Limits on size of arguments and
// environment").
func tooLong() []string {
	const least, most = 128 << 10, 6 << 20
	var stack unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stack); err != nil {
		return nil
	}
	all := max(least, min(stack.Cur/4, most))
	return []string{fmt.Sprintf("the kernel takes %d KiB of arguments and environment here, "+
		"a quarter of the limit on the stack (ulimit -s, --ulimit stack), and 128 KiB in one of them",
		all>>10)}
}
