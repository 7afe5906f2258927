package seccomp

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestNobodyTypesForTheUser: whatever stands in the upper half of the argument.
func TestNobodyTypesForTheUser(t *testing.T) {
	filter, err := Default(nil)
	require.NoError(t, err)
	run := machine(t, filter)
	ioctl := func(request uint64) uint32 {
		return run(made{
			nr: unix.SYS_IOCTL, audit: auditArches()[0], args: [6]uint64{0, request},
		})
	}
	refused := uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.EIO)
	for _, request := range []uint64{unix.TIOCSTI, unix.TIOCLINUX} {
		require.Equal(t, refused, ioctl(request))
		require.Equal(t, refused, ioctl(request|1<<32))
	}
	for _, request := range []uint64{unix.TCGETS, unix.TIOCGWINSZ, 0, 1 << 63} {
		require.Equal(t, uint32(unix.SECCOMP_RET_ALLOW), ioctl(request))
	}
}
