//go:build linux

package main

import (
	"math"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
)

// FuzzFlagValues gives any text to what understands the value of a flag. What is taken
// must be something that a kernel can be given.
func FuzzFlagValues(f *testing.F) {
	f.Setenv("KIT_STATE", f.TempDir())
	for _, text := range []string{
		"64m", "1.5g", "-1", "9223372036854775807", "1e300", "0-2,4", "5-1", "65535", "/dev/null:1mb",
		"/dev/null:/dev/x:rw", "/dev/null:rwm", "/etc:/mnt:ro", "/etc:/../..", "127.0.0.1:80:80/udp",
		":::", "nofile=1:2", "nofile=-1", "cap_chown,ALL", "seccomp=/dev/null", "mount:EPERM:2",
		"container:x", "no-new-privileges", "\xff", "", ",", "=", "NaN", "inf",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return // no argument has one
		}
		checkLimitValues(t, text)
		checkPathValues(t, text)
		checkNameValues(t, text)
	})
}

// given makes options of step 3 of which each was given on the command line.
func given(o *limitOptions) *limitOptions {
	o.given = func(string) bool { return true }
	return o
}

func checkLimitValues(t *testing.T, text string) {
	var l container.Limits
	if given(&limitOptions{memory: text, reservation: text}).setMemory(&l) == nil {
		require.True(t, l.Memory == 0 || l.Memory >= minMemory && l.Memory <= 1<<60, l.Memory)
		require.True(t, l.MemoryLow >= 0 && (l.Memory == 0 || l.MemoryLow <= l.Memory), l.MemoryLow)
	}
	if given(&limitOptions{cpus: text, weight: 1, cpuset: "0"}).setCPU(&l) == nil {
		require.True(t, l.CPUs == 0 || l.CPUs >= minCPUs && !math.IsInf(l.CPUs, 0), l.CPUs)
	}
	if checkCPUs(text) == nil {
		require.Empty(t, strings.Trim(text, "0123456789,-"))
	}
	if io, rate, err := parseRate(text); err == nil {
		require.NotZero(t, rate)
		require.NotEmpty(t, io.Path)
	}
	if d, err := parseDevice(text); err == nil {
		require.True(t, strings.HasPrefix(d.Target, "/dev/") && path.Clean(d.Target) == d.Target)
		require.Empty(t, strings.Trim(d.Access, "rwm"))
		kind := d.Mode & unix.S_IFMT
		require.True(t, kind == unix.S_IFBLK || kind == unix.S_IFCHR)
	}
	if list, err := parseUlimits([]string{text}); err == nil {
		require.True(t, list[0].Soft <= list[0].Hard, "%+v", list[0])
	}
	if score, err := parseScore(text); err == nil && score != nil {
		require.True(t, *score >= -1000 && *score <= 1000)
	}
}

func checkPathValues(t *testing.T, text string) {
	if volumes, err := parseVolumes([]string{text}); err == nil {
		v := volumes[0]
		require.True(t, path.IsAbs(v.Source) && path.IsAbs(v.Target) && v.Target != "/")
		require.Equal(t, path.Clean(v.Target), v.Target)
	}
	for _, flag := range []string{"ipc", "pid"} {
		if s, err := parseSharing(flag, text); err == nil {
			require.Zero(t, s.Pid, "no container runs")
		}
	}
	if p, err := parsePort(text); err == nil {
		require.True(t, p.Port > 0 && p.HostPort > 0)
		require.True(t, !p.HostIP.IsValid() || p.HostIP.Is4())
		require.Contains(t, []string{"tcp", "udp"}, p.Protocol)
	}
}

func checkNameValues(t *testing.T, text string) {
	if set, all, err := parseCapabilities("--cap-add", []string{text}); err == nil {
		require.True(t, set != 0 || all)
	}
	_ = setSecurityOpt(&container.Security{}, text)
	o := &injectOption{}
	if o.Set(text) == nil {
		require.True(t, o.list[0].n > 0 && o.list[0].errno > 0 && o.list[0].errno <= maxErrno)
	}
	if checkName(text) == nil {
		require.True(t, len(text) < 64 && utf8.ValidString(text))
	}
}

// FuzzStepArguments gives any words to kit step, up to the point where it would start.
func FuzzStepArguments(f *testing.F) {
	f.Setenv("KIT_STATE", f.TempDir())
	f.Setenv("KIT_CACHE", f.TempDir())
	for _, text := range []string{
		"6\n--memory\n64m\n-p\n80:80\n--\n/bin/sh",
		"2\n-v\n/etc:/mnt\n-v\nls\n-v", "3\n-vv\n-t\n--cpus=1",
		"6\n--net\nnone\n--ip\n1.2.3.4", "4\n--layer\n/etc\n--upper\n/\n--rw",
		"2\n--user\n-1\n--env\n=",
		"namespaces\n--time-offset\n-99999h",
		"6\n--cap-drop\nALL\n--security-opt\nseccomp=unconfined",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return
		}
		o := &options{}
		flags := pflag.NewFlagSet("step", pflag.ContinueOnError)
		flags.SetInterspersed(false)
		o.addTo(flags)
		args, err := o.parse(flags, strings.Split(text, "\n"))
		if err != nil || len(args) == 0 {
			return
		}
		n, err := stepNumber(args[0])
		if err != nil {
			return
		}
		command, err := o.parse(flags, args[1:])
		if err != nil || refuseLaterFlags(flags, n) != nil || o.check() != nil {
			return
		}
		c, err := o.container(n, command)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.Equal(t, n, c.Steps)
		require.NotEmpty(t, c.Args)
		require.NotEmpty(t, c.Name)
	})
}
