//go:build linux

package main

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/container"
)

// TestParse: -v is docker's volume where a SRC:DST follows, else verbosity;
// what comes behind the command is the command's.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		in        []string
		rest      []string
		verbosity int
		volumes   []string
	}{
		{[]string{"-v", "/a:/b", "2"}, []string{"2"}, 0, []string{"/a:/b"}},
		{[]string{"-v", "a:b", "-v", "c:d", "-v", "x"}, []string{"x"}, 1, []string{"a:b", "c:d"}},
		{[]string{"--volume", "a:b", "-v", "c:d"}, []string{}, 0, []string{"a:b", "c:d"}},
		{[]string{"-v", "--", "a:b"}, []string{"a:b"}, 1, nil},
		{[]string{"-vv", "ls", "-v", "a:b"}, []string{"ls", "-v", "a:b"}, 2, nil},
		{[]string{"--", "-v", "a:b"}, []string{"-v", "a:b"}, 0, nil},
	} {
		o := &options{}
		flags := pflag.NewFlagSet("step", pflag.ContinueOnError)
		flags.SetInterspersed(false)
		o.addTo(flags)
		rest, err := o.parse(flags, c.in)
		require.NoError(t, err)
		require.Equal(t, c.rest, rest, c.in)
		require.Equal(t, c.verbosity, o.verbosity, c.in)
		require.Equal(t, c.volumes, o.volumes, c.in)
	}
}

func TestParseVolumes(t *testing.T) {
	got, err := parseVolumes([]string{"/:/mnt/root:ro"})
	require.NoError(t, err)
	require.Equal(t, []container.Volume{{Source: "/", Target: "/mnt/root", ReadOnly: true}}, got)
	for _, bad := range []string{"/", ":/x", "/:", "/:x", "/:/", "/:/x:rx", "/nosuch:/x", "a:b:c:d"} {
		_, err := parseVolumes([]string{bad})
		require.ErrorContains(t, err, "--volume "+bad, bad)
	}
}
