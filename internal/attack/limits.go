package attack

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/lab"
)

// How much the attacks on the machine's resources use at most.
const (
	forks   = 200
	memory  = 200 << 20 // bytes
	burners = 8         // threads: on a busy machine one alone gets little
	burn    = 400 * time.Millisecond
	burns   = 6    // times at most
	fair    = 0.35 // CPUs: with --cpus 0.2 nobody gets more
)

// limits are the attacks on what the machine has a limited amount of.
func limits() []*Attack {
	return []*Attack{
		{
			Name: "fork", Tries: "start 200 processes", Stop: 3, By: []Call{{"write", "pids.max"}},
			Why:   "The cgroup counts its processes: beyond the limit fork fails with EAGAIN.",
			Flags: map[int][]string{3: {"--pids-limit", "60"}},
			Run:   forkBomb,
		},
		{
			Name: "memory", Tries: "use 200 MiB of memory", Stop: 3, By: []Call{{"write", "/memory."}},
			Why: "The cgroup counts the pages of its processes: beyond the limit the OOM killer " +
				"ends one of them.",
			Flags: map[int][]string{3: {"--memory", "64m"}},
			Run:   eatMemory,
		},
		{
			Name: "cpu", Tries: "use more than a fifth of a CPU", Stop: 3,
			By:    []Call{{"write", "/cpu.cfs_quota_us"}, {"write", "/cpu.max"}},
			Why:   "The cgroup has 20 ms of CPU time in every 100 ms; then its processes wait.",
			Flags: map[int][]string{3: {"--cpus", "0.2"}},
			Run:   burnCPU,
		},
	}
}

// forkBomb starts processes that do nothing, and ends them again.
func forkBomb(*Target) (string, error) {
	runtime.LockOSThread()
	parent := uintptr(os.Getpid())
	var pids []int
	defer func() {
		for _, pid := range pids {
			unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}()
	for len(pids) < forks {
		pid, errno := lab.Idle(uintptr(unix.SIGCHLD), parent)
		if errno != 0 {
			return "", fmt.Errorf("fork, after %d processes: %w", len(pids), errno)
		}
		pids = append(pids, pid)
	}
	return fmt.Sprintf("%d processes", forks), nil
}

// eatMemory writes to every page of a mapping. Where it is one too many, it is killed.
func eatMemory(*Target) (string, error) {
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	pages, err := unix.Mmap(-1, 0, memory, prot, flags)
	if err != nil {
		return "", fmt.Errorf("mmap: %w", err)
	}
	for i := 0; i < len(pages); i += os.Getpagesize() {
		pages[i] = 1
	}
	return fmt.Sprintf("%d MiB", memory>>20), unix.Munmap(pages)
}

// burnCPU keeps some threads busy, and asks how much time they got. The machine may be
// busy with something else, so it tries again.
func burnCPU(*Target) (string, error) {
	runtime.GOMAXPROCS(burners)
	most := 0.0
	for range burns {
		got, err := burnOnce()
		if err != nil {
			return "", err
		}
		if got >= fair {
			return fmt.Sprintf("used %.2f CPUs", got), nil
		}
		most = max(most, got)
	}
	return "", fmt.Errorf("used %.2f CPUs, of all that there are", most)
}

func burnOnce() (cpus float64, err error) {
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	start := time.Now()
	done := make(chan bool)
	for range burners {
		go func() {
			for time.Since(start) < burn {
			}
			done <- true
		}()
	}
	for range burners {
		<-done
	}
	if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	return float64(used) / float64(time.Since(start)), nil
}
