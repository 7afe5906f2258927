package container

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGateCarriesTheContainerAndItsFiles sends a Container through the gate.
func TestGateCarriesTheContainerAndItsFiles(t *testing.T) {
	ours, theirs, err := newGate()
	require.NoError(t, err)
	defer theirs.Close()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	c := &Container{
		Name: "box", Args: []string{"sh"}, Time: time.Hour,
		Env: []string{"BIG=" + string(make([]byte, 100<<10))}, // more than one message
	}
	c.Hand("pipe", int(write.Fd()))
	sent := make(chan error)
	go func() { sent <- ours.send(c) }()

	got, err := (&gate{fd: int(theirs.Fd())}).receive()
	require.NoError(t, err)
	require.NoError(t, <-sent)
	require.Equal(t, c.Name, got.Name)
	require.Equal(t, c.Time, got.Time)
	require.Equal(t, c.Env, got.Env)
	fd, ok := got.File("pipe")
	require.True(t, ok)
	require.NoError(t, write.Close())
	other := os.NewFile(uintptr(fd), "pipe")
	_, err = other.WriteString("through")
	require.NoError(t, err)
	require.NoError(t, other.Close())
	text, err := io.ReadAll(read)
	require.NoError(t, err)
	require.Equal(t, "through", string(text))
}

// TestGateThatNeverOpens: a parent that gives up is not an error of the child's.
func TestGateThatNeverOpens(t *testing.T) {
	ours, theirs, err := newGate()
	require.NoError(t, err)
	defer theirs.Close()
	ours.close()
	c, err := (&gate{fd: int(theirs.Fd())}).receive()
	require.NoError(t, err)
	require.Nil(t, c)
}
