package capsseccomp

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// joinKeyring leaves the session keyring that kit was started with: the keys of
// whoever logged in, disk passwords and Kerberos tickets among them, would come
// along into the container (session-keyring(7)).
func joinKeyring() error {
	// A new keyring, with no name and nothing in it, takes the place of the old one.
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return nil // a kernel without keys, or one that does not let us near them
	}
	if err != nil {
		return fmt.Errorf("keyctl KEYCTL_JOIN_SESSION_KEYRING: %w", err)
	}
	return nil
}
