package hint

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// TestEveryRuleGivesAdvice: an error that begins with a rule's call and ends
// with its errno gets hints, also behind a step's name.
func TestEveryRuleGivesAdvice(t *testing.T) {
	for _, r := range rules("") {
		err := &container.Error{Step: "x", Err: fmt.Errorf("%s y: %w", r.call, r.errno)}
		require.NotEmpty(t, For(err), r.call)
		require.NotEmpty(t, For(fmt.Errorf("outer: %w", err)), r.call)
	}
}

func TestNoAdviceWithoutARule(t *testing.T) {
	require.Empty(t, For(errors.New("x")))
	require.Empty(t, For(&container.Error{Err: fmt.Errorf("mount y: %w", unix.EIO)}))
}

func TestAdviceAboutCommands(t *testing.T) {
	hints := For(&container.ExecError{Command: "x", Err: unix.ENOENT})
	require.Contains(t, hints[0], "inside the container")
	hints = For(&container.ExecError{Command: "passwd", Path: "/etc/passwd", Err: unix.EACCES})
	require.Contains(t, hints[0], "no execute bit")
}

func TestAdviceAboutClone(t *testing.T) {
	err := &container.Error{Err: &container.CloneError{Flags: unix.CLONE_NEWUSER, Err: unix.ENOSPC}}
	require.NotEmpty(t, For(err))
}

// TestLayersOf: directories are found in the error as step 4 has put them there.
func TestLayersOf(t *testing.T) {
	lower, upper := layersOf(`mount overlay lowerdir=/a\:b:/c\,d:/e\\,upperdir=/u\,p,workdir=/w,` +
		`userxattr: invalid argument`)
	require.Equal(t, []string{"/a:b", "/c,d", `/e\`}, lower)
	require.Equal(t, "/u,p", upper)
	lower, upper = layersOf("mount overlay")
	require.Empty(t, lower)
	require.Empty(t, upper)
}
