//go:build linux

package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// descendants lists a process and all below it, as the host numbers them.
func descendants(t testing.TB, pid int) []int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	require.NoError(t, err)
	pids := []int{pid}
	for _, task := range tasks {
		list, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + task.Name() + "/children")
		for _, field := range strings.Fields(string(list)) {
			child, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, descendants(t, child)...)
		}
	}
	return pids
}

// payload waits for processes of a name below a kit, and returns them.
func payload(t testing.TB, kit int, name string) []int {
	t.Helper()
	var found []int
	require.Eventually(t, func() bool {
		found = nil
		for _, pid := range descendants(t, kit) {
			if command(pid) == name {
				found = append(found, pid)
			}
		}
		return len(found) > 0
	}, 10*time.Second, 2*time.Millisecond, "no process %s below %d", name, kit)
	return found
}

// command is the name of a process, or "" where it has ended.
func command(pid int) string {
	comm, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return strings.TrimSpace(string(comm))
}

// status is one line of /proc/PID/status.
func status(t testing.TB, pid int, field string) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err)
	for _, line := range strings.Split(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, field+":\t"); ok {
			return value
		}
	}
	require.FailNow(t, "no such field", field)
	return ""
}

func killAll(pids []int) error {
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

// alive tells which of the processes have not ended. A zombie has.
func alive(pids []int) (left []int) {
	for _, pid := range pids {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X") {
			left = append(left, pid)
		}
	}
	return left
}
