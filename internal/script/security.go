package script

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/sys/capability"

	"github.com/containerkit/kit/internal/container"
)

// mask is the Inside moment of step 6: parts of /proc and /sys through which a root
// could reach the host.
func (s *script) mask() {
	if s.c.Security.Unmasked {
		return
	}
	s.section("Step 6, caps-seccomp: what no namespace divides")
	s.do("These show the whole machine: a file is covered by /dev/null, a directory by nothing.",
		"for path in "+strings.Join(masked(), " \\\n\t")+"; do",
		"	if [ -d $path ]; then mount -t tmpfs -o ro,size=0 tmpfs $path",
		"	elif [ -e $path ]; then mount --bind /dev/null $path; fi", "done")
	s.do("These are the kernel's settings: they may be read, and not written.",
		"for path in "+strings.Join(readOnly(), " ")+"; do",
		"	[ -e $path ] || continue", "	mount --bind $path $path",
		"	mount -o remount,bind,ro,nosuid,nodev,noexec $path", "done")
}

// masked are the paths that Docker hides, as in step 6.
func masked() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
		"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
}

// readOnly are those that may be read.
func readOnly() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// privileges is the Last moment of step 6, in the words of setpriv(1).
func (s *script) privileges() (words []string) {
	if s.c.Steps < 6 {
		return nil
	}
	sec := s.c.Security
	s.why("seccomp: no shell command loads a filter. docker does (--security-opt seccomp=FILE), and " +
		"bwrap --seccomp FD takes one that is compiled already; kit step 6 has docker's default.")
	bounding := "-all"
	for _, name := range capabilities(sec) {
		bounding += ",+" + name
	}
	s.why("Root in pieces: what is not in the bounding set, no execve gives back.")
	words = append(words, "--bounding-set="+bounding, "--inh-caps=-all", "--ambient-caps=-all")
	if sec.NoNewPrivs {
		s.why("No set-uid program and no file capability gives more.")
		words = append(words, "--no-new-privs")
	}
	if sec.OOMScore != nil {
		s.do("Who is killed first when memory runs out.",
			fmt.Sprintf("echo %d >/proc/self/oom_score_adj", *sec.OOMScore))
	}
	for _, u := range sec.Ulimits {
		s.do("A limit of this process, which its children inherit.",
			fmt.Sprintf("prlimit --pid $$ --%s=%s:%s", u.Name, amount(u.Soft), amount(u.Hard)))
	}
	return words
}

// capabilities are the names of a set, as setpriv(1) has them: net_admin.
func capabilities(sec container.Security) (names []string) {
	for _, c := range capability.ListKnown() {
		if sec.Capabilities&(1<<uint(c)) != 0 {
			names = append(names, c.String())
		}
	}
	return names
}

// amount is the value of a limit of getrlimit(2).
func amount(n uint64) string {
	if n == ^uint64(0) {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
