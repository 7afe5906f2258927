//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/doctor"
	"github.com/containerkit/kit/internal/ktest"
)

// examined runs a script that makes a condition and then execs "$@", kit doctor --json, and
// returns what that has found.
func examined(t *testing.T, script string, env ...string) doctor.Report {
	t.Helper()
	kit, err := exec.LookPath("kit")
	require.NoError(t, err)
	cmd := exec.Command("/bin/sh", "-ec", script, "sh", kit, "doctor", "--json")
	cmd.Env = append(os.Environ(), env...)
	return reported(t, finish(t, cmd))
}

func reported(t *testing.T, r result) (report doctor.Report) {
	t.Helper()
	require.Contains(t, []int{0, 1}, r.exit, "%s%s", r.out, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &report), "%s%s", r.out, r.err)
	require.Equal(t, report.OK, r.exit == 0)
	require.Equal(t, 1, report.V)
	return report
}

// primitive finds what was said of one primitive. As "" is whichever there is.
func primitive(t *testing.T, r doctor.Report, id, as string) doctor.Check {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c doctor.Check) bool {
		return c.ID == id && (as == "" || c.As == as)
	})
	require.GreaterOrEqual(t, i, 0, "%s as %s", id, as)
	return r.Checks[i]
}

// failsWith wants a failure, and texts in its error or its hints.
func failsWith(t *testing.T, c doctor.Check, texts ...string) {
	t.Helper()
	require.Equal(t, doctor.Fails, c.State, "%+v", c)
	said := c.Error + "\n" + strings.Join(c.Hints, "\n")
	for _, text := range texts {
		require.Contains(t, said, text)
	}
	require.NotEmpty(t, c.Hints, "%+v", c)
	require.NotEmpty(t, c.Loses)
}

// TestDoctorHere: whoever runs the tests can run the steps, and nothing is left.
func TestDoctorHere(t *testing.T) {
	ktest.Clean(t)
	r := examined(t, `exec "$@"`)
	require.True(t, r.OK)
	require.Equal(t, os.Geteuid() == 0, r.Machine.Root)
	for i, s := range r.Steps {
		require.Equal(t, i+1, s.N)
		require.Equal(t, doctor.Works, s.State, "%+v", s)
		require.NotNil(t, s.Hints)
		require.NotNil(t, s.Lacks)
	}
	for _, c := range r.Checks {
		require.NotEqual(t, c.State == doctor.Fails, c.Error == "", "%+v", c)
		require.NotEmpty(t, c.Loses, "%+v", c)
		require.Equal(t, c.State == doctor.Fails, len(c.Hints) > 0, "%+v", c)
		require.NotContains(t, strings.Join(c.Hints, " "), "none of the usual reasons", "%+v", c)
	}
	for _, id := range []string{"userns", "mnt", "pid", "uts", "ipc", "cgroupns", "net", "time"} {
		require.Equal(t, doctor.Works, primitive(t, r, id, doctor.AsUser).State)
		if r.Machine.Root && id != "userns" {
			require.Equal(t, doctor.Works, primitive(t, r, id, doctor.AsRoot).State)
		}
	}
}

// TestDoctorAgrees: kit steps says of each step what the doctor says, and what fails is
// what kit step says itself.
func TestDoctorAgrees(t *testing.T) {
	ktest.RequireTool(t, "unshare", "mount")
	root := ktest.Rootfs(t)
	ktest.Clean(t)
	kit, err := exec.LookPath("kit")
	require.NoError(t, err)
	script := `mount -t tmpfs none /proc/tty; exec unshare -Urm "$@"`
	in := func(args ...string) result {
		return finish(t, exec.Command("unshare",
			append([]string{"-Urm", "/bin/sh", "-ec", script, "sh", kit}, args...)...))
	}
	r := reported(t, in("doctor", "--json"))
	told := in("steps")
	step := in(untraced(2, root, "true")...)
	require.Equal(t, 125, step.exit, step.err)
	require.Contains(t, step.err, "kit: "+r.Steps[1].Error+"\n")
	for _, s := range r.Steps {
		require.Contains(t, told.out, "  on this machine: "+verdict(s)+"\n")
	}
	for _, hint := range r.Steps[1].Hints {
		require.Contains(t, step.err, "hint: "+hint+"\n")
	}
}

// A pain is a condition that stops people, and what the doctor must say of it.
type pain struct {
	name   string
	unshar string // flags of unshare for the place that it is made in
	script string // what makes it there
	tools  string
	user   bool // root is not stopped by it

	check, as string
	says      []string
	steps     []bool // which work; nil: not told
}

// unprivileged takes the power of root away that would be as good as the host's.
const unprivileged = `exec setpriv --bounding-set=-sys_admin --inh-caps=-all "$@"`

func pains() []pain {
	none := []bool{false, false, false, false, false, false}
	all := []bool{true, true, true, true, true, true}
	return []pain{
		{
			name: "masked proc", unshar: "-Urm", tools: "mount",
			script: `mount -t tmpfs none /proc/tty; exec unshare -Urm "$@"`,
			check:  "proc", as: doctor.AsUser,
			says:  []string{"operation not permitted", "/proc/tty", "systempaths=unconfined"},
			steps: []bool{true, false, false, false, false, false},
		},
		{
			name: "no user namespaces", unshar: "-Ur", tools: "setpriv",
			script: "echo 0 >/proc/sys/user/max_user_namespaces; " + unprivileged,
			check:  "userns", as: doctor.AsUser,
			says:  []string{"user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces="},
			steps: none,
		},
		{
			name: "no network namespaces", unshar: "-Ur", tools: "setpriv",
			script: `echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"`,
			check:  "net", as: doctor.AsRoot,
			says:  []string{"user.max_net_namespaces is 0", "sysctl -w user.max_net_namespaces="},
			steps: []bool{true, true, true, true, false, false},
		},
		{
			name: "no proc", unshar: "-Urm", script: `mount -t tmpfs none /proc; exec "$@"`,
			tools: "mount", check: "proc-here",
			says: []string{"no proc file system there", "mount -t proc proc /proc"}, steps: none,
		},
		{
			name: "chroot", unshar: "-Urm", tools: "mount chroot",
			script: `d=$HOME/new; mkdir $d
				for e in /*; do
					if [ -L $e ]; then cp -P $e $d$e
					elif [ -d $e ]; then mkdir $d$e; mount --rbind $e $d$e; fi
				done
				exec chroot $d /bin/sh -c '` + unprivileged + `' sh "$@"`,
			check: "userns", says: []string{"kit runs inside a chroot", "outside of the chroot"},
			steps: none,
		},
		{
			name: "nobody", unshar: "-U", script: `exec "$@"`, check: "userns",
			says:  []string{"does not exist in this user namespace", "/proc/self/uid_map"},
			steps: none,
		},
		{
			name: "bounding set", unshar: "-Ur", tools: "setpriv",
			script: `exec setpriv --bounding-set=-net_admin,-setfcap "$@"`,
			check:  "bounding", as: doctor.AsRoot,
			says:  []string{"lacks", "net_admin", "setfcap", "--cap-add", "--privileged"},
			steps: nil,
		},
		{
			name: "forward policy", unshar: "-Urmn", tools: "nft",
			script: `nft add table ip filter
				nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'
				exec "$@"`,
			check: "firewall", steps: all,
			says: []string{"chain ip filter FORWARD drops", "nft insert rule", "kit0", "DOCKER-USER"},
		},
		{
			name: "no route", unshar: "-Urmn", script: `exec "$@"`, check: "uplink", steps: all,
			says: []string{"network is unreachable", "no default route"},
		},
		{
			name: "sysctls read-only", unshar: "-Urm", tools: "mount",
			script: `mount --rbind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys; exec "$@"`,
			check:  "forward", as: doctor.AsRoot,
			says: []string{"read-only file system", "--sysctl net.ipv4.ip_forward=1"},
		},
		{
			name: "resolver on lo", unshar: "-Urm", tools: "mount",
			script: `echo nameserver 127.0.0.53 >$HOME/resolv; mkdir -p $HOME/none
				mount --bind $HOME/resolv /etc/resolv.conf
				[ ! -d /run/systemd ] || mount --bind $HOME/none /run/systemd
				umask 077; exec "$@"`,
			check: "dns", says: []string{"127.0.0.53", "no container reaches", "--dns"}, steps: all,
		},
		{
			name: "no cgroups", unshar: "-Urm", tools: "mount",
			script: `mount -t tmpfs none /sys/fs/cgroup; exec "$@"`, check: "cgroups",
			says: []string{"none are mounted", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"}, steps: all,
		},
		{
			name: "WSL 1", unshar: "-Urm", tools: "mount",
			script: `echo 4.4.0-19041-Microsoft >$HOME/release
				mount --bind $HOME/release /proc/sys/kernel/osrelease
				exec "$@"`,
			check: "kernel", says: []string{"WSL 1", "wsl --set-version"},
		},
		{
			name: "WSL 2 without systemd", unshar: "-Urm", tools: "mount", user: true,
			script: `echo 5.15.90.1-microsoft-standard-WSL2 >$HOME/release
				mount --bind $HOME/release /proc/sys/kernel/osrelease
				mount -t tmpfs none /sys/fs/cgroup; exec "$@"`,
			check: "cgroups", says: []string{"cgroup_no_v1=all", "systemd=true", "wsl --shutdown"},
		},
		{
			name: "overlay on overlay", unshar: "-Urm", tools: "mount",
			script: `cd $HOME; mkdir -p l u w m; mount -t overlay none \
					-o userxattr,lowerdir=l,upperdir=u,workdir=w m
				export KIT_CACHE=$HOME/m; "$@"; code=$?; chmod 700 w/work; exit $code`,
			check: "overlay", as: doctor.AsRoot, steps: all,
			says: []string{"mount overlay", "KIT_CACHE"},
		},
		{
			name: "cache nowhere", unshar: "-Urm", script: `export KIT_CACHE=/proc/none; exec "$@"`,
			check: "cache", says: []string{"cache: ", "KIT_CACHE=DIR"}, steps: all,
		},
	}
}

// TestDoctorPains makes each condition in a place of its own.
func TestDoctorPains(t *testing.T) {
	for _, p := range pains() {
		t.Run(p.name, func(t *testing.T) {
			ktest.RequireTool(t, append(strings.Fields(p.tools), "unshare")...)
			if p.user {
				ktest.User(t)
			}
			ktest.Clean(t)
			script := "exec unshare " + p.unshar + " /bin/sh -ec '" +
				strings.ReplaceAll(p.script, "'", `'\''`) + `' sh "$@"`
			r := examined(t, script, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
			failsWith(t, primitive(t, r, p.check, p.as), p.says...)
			for i, works := range p.steps {
				require.Equal(t, works, r.Steps[i].State == doctor.Works, "%+v", r.Steps[i])
			}
			removeAll(t, os.Getenv("HOME"))
		})
	}
}

// removeAll empties a directory that a script has written to.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "KIT_") {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
}
