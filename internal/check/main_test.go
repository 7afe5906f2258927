package check

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// The first thread is the one of main.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if task := os.Getenv("CHECK_TASK"); task != "" {
		perform(task)
		os.Exit(1)
	}
	os.Exit(ktest.WithKit(m))
}

// perform does half of what a container needs, in a new user namespace, and sleeps.
func perform(task string) {
	root := os.Getenv("CHECK_ROOT")
	switch task {
	case "no-chdir": // the working directory stays outside
		must(unix.Chroot(root))
	case "no-exec": // the program, too
		must(unix.Chroot(root))
		must(unix.Chdir("/"))
		must(unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&[]byte("sleep\x00")[0])), 0, 0, 0))
		must(unix.Pause())
	case "leak": // a directory of the host stays open
		_, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(err)
		must(unix.Chroot(root))
		must(unix.Chdir("/"))
	case "thread": // another thread than the first one
		unshareApart()
		must(unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&[]byte("sleep\x00")[0])), 0, 0, 0))
		must(unix.Pause())
	case "filter": // one that lets everything pass
		must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		allow := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
		program := unix.SockFprog{Len: 1, Filter: &allow[0]}
		must(unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
			uintptr(unsafe.Pointer(&program)), 0, 0))
	}
	sleep, err := exec.LookPath("sleep")
	must(err)
	must(unix.Exec(sleep, []string{"sleep", "60"}, os.Environ()))
}

// unshareApart changes one thread only, which is not the first one, and keeps it.
func unshareApart() {
	done := make(chan bool)
	go func() {
		runtime.LockOSThread()
		must(unix.Unshare(unix.CLONE_NEWUTS))
		must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		done <- true
		must(unix.Pause())
	}()
	<-done
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
