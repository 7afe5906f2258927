package script

import (
	"fmt"
	"strings"

	"github.com/containerkit/kit/internal/container"
)

// path is where commands are looked for inside, as in the engine.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// chroot is step 1.
func (s *script) chroot() {
	s.section("Step 1, chroot: a root directory of its own")
	words := append([]string{"env", "-i", "PATH=" + path, "HOME=/root"}, environment(s.c)...)
	line := quote(words...) + ` HOSTNAME="$NAME" ${TERM:+TERM="$TERM"} chroot`
	if s.c.User != "" {
		user, group, _ := strings.Cut(s.c.User, ":")
		line += " " + quote("--userspec="+user+":"+group)
	}
	line += ` "$ROOT"`
	if s.c.Workdir != "" {
		line += ` /bin/sh -c 'cd "$0" && exec "$@"' ` + quote(s.c.Workdir)
	}
	s.do(s.reason("01-chroot/chroot.go", "unix.Chroot("))
	s.do("The command chroot then moves us there. " + s.reason("01-chroot/chroot.go", "unix.Chdir("))
	s.do("", line+` "$@"`)
}

// container is step 2 and what comes on top of it.
func (s *script) container() {
	s.do("", `[ "$(id -u)" = 0 ] || { echo "$0: not root" >&2; exit 1; }`)
	if s.c.Steps >= 3 {
		s.trap()
		s.cgroups()
	}
	if s.c.Steps >= 4 {
		s.room()
	}
	s.network()
	s.child = true
	s.detach()
	if s.c.Steps >= 4 {
		s.overlay()
	}
	s.pivot()
	s.furnish()
	if s.c.Steps >= 3 {
		s.showCgroups()
	}
	s.nameServers()
	if s.c.Steps >= 6 {
		s.mask()
	}
	s.become()
	s.child = false
	s.start()
}

// trap removes at the end what the kernel does not remove by itself.
func (s *script) trap() {
	s.do("", "")
	s.do("At the end: remove what the kernel does not remove by itself, the newest first.",
		"undo=", "later() {", "\tundo=\"$1", "$undo\"", "}",
		`trap 'set +e; eval "$undo"' EXIT`,
		"trap 'exit 129' HUP", "trap 'exit 130' INT", "trap 'exit 143' TERM")
}

// start clones the child.
func (s *script) start() {
	s.section("The child: what it does in its new namespaces")
	fmt.Fprintf(&s.host, "child=$(cat <<'CHILD'\n%sCHILD\n)\n", s.inside.String())
	s.section("Start it")
	s.do("The child gets no more of our environment than it needs. A process keeps its PID: the new " +
		"PID namespace is for its children, and the first of them is PID 1. It does not outlive us.")
	line := `env -i PATH="$PATH" ${TERM:+TERM="$TERM"}`
	for _, name := range s.pass {
		line += fmt.Sprintf(` %s="$%s"`, name, name)
	}
	for _, word := range [][]string{s.nsenter(), s.unshare()} {
		if len(word) > 0 {
			line += " \\\n\t" + strings.Join(word, " ")
		}
	}
	line += " \\\n\t" + s.firstChild()
	if s.c.Steps >= 3 {
		s.do("It enters its cgroups first: what is started from there is born in them.")
		line = "(\n" + s.enter() + "\texec " + strings.ReplaceAll(line, "\n", "\n\t") + "\n)"
	}
	s.do("", line)
}

// firstChild is the command in the new namespaces. The shell that runs it waits for it,
// and not unshare --fork: some versions of that lose the status of a command which was
// killed.
func (s *script) firstChild() string {
	const child = `setpriv --pdeathsig KILL sh -euc "$0" sh "$@"; exit $?`
	return "sh -c '" + child + `' "$child" "$@"`
}

// nsenter joins namespaces of others.
func (s *script) nsenter() (words []string) {
	join := func(kind, file string) {
		if len(words) == 0 {
			words = []string{"nsenter"}
		}
		words = append(words, "--"+kind+"="+file)
	}
	if pid := s.c.IPC.Pid; pid != 0 {
		join("ipc", fmt.Sprintf("/proc/%d/ns/ipc", pid))
	}
	if pid := s.c.PID.Pid; pid != 0 {
		join("pid", fmt.Sprintf("/proc/%d/ns/pid", pid))
	}
	switch s.net() {
	case container.NetBridge:
		join("net", `"$NETNS"`)
	case container.NetContainer:
		join("net", fmt.Sprintf("/proc/%d/ns/net", s.c.Net.Pid))
	}
	return words
}

// unshare makes new namespaces.
func (s *script) unshare() []string {
	words := []string{"unshare", "--mount", "--uts"}
	if s.c.IPC.Own() {
		words = append(words, "--ipc")
	}
	if s.c.PID.Own() {
		words = append(words, "--pid")
	}
	if s.net() == container.NetNone {
		words = append(words, "--net")
	}
	if s.c.Steps >= 3 {
		words = append(words, "--cgroup")
	}
	if s.c.Time != 0 {
		seconds := int64(s.c.Time.Seconds())
		words = append(words, "--time", fmt.Sprintf("--monotonic=%d", seconds),
			fmt.Sprintf("--boottime=%d", seconds))
	}
	return words
}
