package state

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/procfs"
)

// TestAdopt: of several that would clean up, one does, and the name is taken meanwhile.
func TestAdopt(t *testing.T) {
	use(t)
	_, err := Adopt("a")
	require.ErrorIs(t, err, os.ErrNotExist)
	stale := State{Name: "a", Pid: ended(t), StartTime: 1, KitPid: ended(t), KitStart: 1, Step: 4}
	require.NoError(t, save(stale))
	require.NoError(t, Free("a"))
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			var old State
			old, errs[i] = Adopt("a")
			if errs[i] == nil && old.Pid != stale.Pid {
				errs[i] = os.ErrInvalid
			}
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.EqualError(t, err, (&TakenError{"a", os.Getpid()}).Error())
	}
	require.Equal(t, 1, won)
	require.Error(t, Claim(own("a")))
	require.Error(t, Free("a"))
	s, err := Find("a")
	require.NoError(t, err)
	require.Equal(t, 4, s.Step)
	require.False(t, s.Stale() || s.Orphan())
	require.NoError(t, Remove("a", os.Getpid()))
	require.NoError(t, Free("a"))
}

// TestOrphan: the processes of kit end one after the other, the outer one first.
func TestOrphan(t *testing.T) {
	use(t)
	s := own("a")
	require.NoError(t, Claim(s))
	s, err := Find("a")
	require.NoError(t, err)
	require.False(t, s.Orphan() || s.Stale())
	s.Pid, s.OuterPid, s.OuterStart = ended(t), ended(t), 1
	require.True(t, s.Orphan() && !s.Stale(), "the parent is about to end")
	s.KitPid, s.KitStart = ended(t), 1
	require.True(t, s.Stale() && !s.Orphan())
	s.Pid = os.Getpid()
	s.StartTime, err = procfs.StartTime(s.Pid)
	require.NoError(t, err)
	require.True(t, s.Orphan() && !s.Stale(), "and so is the container")
	s.OuterPid, s.OuterStart = 0, 0
	require.True(t, s.Orphan() && !s.Stale())
}

// TestTheNameOfAnEndingContainer is taken until its kit has cleaned up.
func TestTheNameOfAnEndingContainer(t *testing.T) {
	use(t)
	ending := State{Name: "a", Pid: ended(t), StartTime: 1, KitPid: os.Getpid()}
	require.NoError(t, save(ending))
	require.EqualError(t, Claim(own("a")), (&TakenError{"a", os.Getpid()}).Error())
	known, err := Known(own("a"))
	require.NoError(t, err)
	require.False(t, known, "another run of kit's")
	s, err := Find("a")
	require.NoError(t, err)
	known, err = Known(s)
	require.NoError(t, err)
	require.True(t, known)
}

// TestCreatedStays when the record is written anew.
func TestCreatedStays(t *testing.T) {
	use(t)
	old := own("a")
	require.NoError(t, Claim(old))
	s, err := Find("a")
	require.NoError(t, err)
	s.Created = s.Created.AddDate(-1, 0, 0)
	require.NoError(t, save(s))
	require.NoError(t, save(old))
	again, err := Find("a")
	require.NoError(t, err)
	require.Equal(t, s.Created, again.Created)
}

// TestSweep leaves alone what it does not know.
func TestSweep(t *testing.T) {
	dir := use(t)
	removed, err := Sweep()
	require.NoError(t, err)
	require.Empty(t, removed)
	require.NoError(t, Claim(own("a")))
	for _, name := range []string{"a.net", "b.net", "..net", "c", ".d"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	for _, name := range []string{".half", "._", "note", "e.net"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	removed, err = Sweep()
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, ".half"), filepath.Join(dir, "b.net")}, removed)
}
