package oracle

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/trace/syscalls"
)

// TestTable: each row is about calls that are in the table of system calls, and about
// an errno that there is, and no two are about the same.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table {
		require.NotEmpty(t, unix.ErrnoName(r.errno), r.calls)
		require.False(t, r.calls != "*" && r.manual == "", r.calls)
		require.True(t, len(r.checks) > 0 || r.manual != "", r.calls)
		require.NotEmpty(t, strings.Fields(r.calls))
		for call := range strings.FieldsSeq(r.calls) {
			key := call + " " + unix.ErrnoName(r.errno)
			require.False(t, seen[key] && !strings.Contains(newMounts, call), key)
			seen[key] = true
			if call == "*" {
				continue
			}
			require.True(t, known(call), call)
		}
	}
}

// known tells a call that the table of system calls has parameters for. Some are not
// there on every machine.
func known(call string) bool {
	number := slices.Index(syscalls.Names(), call)
	if number < 0 {
		return slices.Contains([]string{
			"open", "mkdir", "rmdir", "fork", "vfork", "chown", "lchown", "mknod", "readlink",
		}, call)
	}
	found := syscalls.Find(number)
	return found.Name == call && !strings.HasPrefix(found.Params, "a0:hex") || found.Params == ""
}

// TestRefusals: the same for what is refused over netlink.
func TestRefusals(t *testing.T) {
	for _, r := range refusals {
		require.NotEmpty(t, unix.ErrnoName(r.errno))
		require.NotEmpty(t, r.cause)
	}
}

// TestLacks: a capability that a process has is not the reason for an EPERM.
func TestLacks(t *testing.T) {
	ktest.Root(t)
	pid := os.Getpid()
	if own, err := os.Readlink("/proc/self/ns/user"); err != nil || own != initialUser {
		t.Skip("not in the initial user namespace")
	}
	require.Empty(t, Lacks(pid, "CAP_CHOWN", "user"))
	require.Empty(t, Lacks(pid, "CAP_CHOWN", "mnt"))
	require.Equal(t, "it needs CAP_NONE in "+initialUser, Lacks(pid, "CAP_NONE", "user"))
	require.Equal(t, "it needs CAP_NONE in "+initialUser+", the owner of the mnt namespace",
		Lacks(pid, "CAP_NONE", "mnt"))
	require.Equal(t, "it needs CAP_NONE in the initial user namespace",
		Lacks(pid, "CAP_NONE", "initial"))
}

// TestLinkInUse: the name that a new link cannot have is told.
func TestLinkInUse(t *testing.T) {
	if _, err := os.Stat("/proc/self/net/dev"); err != nil {
		t.Skip("no network")
	}
	pid := os.Getpid()
	require.Regexp(t, `^a link lo is in net:\[\d+\] already$`,
		Refusal(pid, "RTM_NEWLINK", `veth "lo" peer x`, unix.EEXIST))
	require.Equal(t, "such a route is there already", Refusal(pid, "RTM_NEWROUTE", "", unix.EEXIST))
	require.Empty(t, Refusal(pid, "RTM_NEWROUTE", "", unix.EIO))
}

func TestRecord(t *testing.T) {
	require.Equal(t, "overlayfs: missing 'lowerdir'",
		record("3,1339,5140900,-;overlayfs: missing 'lowerdir'\n SUBSYSTEM=x\n"))
	require.Empty(t, record("6,1340,5140901,-;eth0: link is up\n"))
}
