//go:build linux

package main

import (
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

// denying is a seccomp profile that denies some calls, with docker's words and errnos.
func denying(calls string) string {
	return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [` + calls + `]}`
}

const (
	noNamespaces = `{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [
		{"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}]},
		{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
		{"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}`
	noMounts  = `{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}`
	noPtrace  = `{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}`
	noKeyctl  = `{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}`
	noPidfds  = `{"names": ["pidfd_open"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`
	noClone3  = `{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`
	noSetattr = `{"names": ["mount_setattr"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`
)

// TestDoctorInOuterContainer: kit's own step 6 is the container that kit doctor runs in.
func TestDoctorInOuterContainer(t *testing.T) {
	root := ktest.HostRootfs(t)
	const whole = "--security-opt=systempaths=unconfined"
	none := []bool{false}
	for _, c := range []struct {
		name, profile string
		flags         []string
		says          map[string][]string // of a check
		steps         []bool              // the first of them
	}{
		{"as docker", "", nil, map[string][]string{
			"userns": {"a seccomp filter denies clone, unshare, mount", "seccomp=unconfined"},
			"filter": {"clone, clone3, unshare, setns, mount, keyctl", "devcontainer.json"},
		}, none},
		{"paths covered", denying(noPidfds), nil, map[string][]string{
			"proc": {"/proc/", "covered", "systempaths=unconfined"},
		}, []bool{true, false}},
		{"no namespaces", denying(noNamespaces), []string{whole}, map[string][]string{
			"userns": {"a seccomp filter denies clone, unshare", "seccomp=unconfined"},
		}, none},
		{"no mounts", denying(noMounts), []string{whole}, map[string][]string{
			"tmpfs":   {"mount / private: operation not permitted", "seccomp=unconfined"},
			"private": {"mount / private: operation not permitted", "seccomp=unconfined"},
		}, []bool{true, false}},
		{"less", denying(strings.Join([]string{
			noPtrace, noKeyctl, noPidfds, noClone3, noSetattr,
		}, ",")), []string{whole}, map[string][]string{
			"ptrace":  {"a seccomp filter denies ptrace", "--cap-add SYS_PTRACE"},
			"keyring": {"Seccomp: 2", "seccomp=unconfined"},
			"pidfd":   {"function not implemented", "since Linux 5.3"},
			"clone3":  {"function not implemented", "a seccomp filter hides it", "seccomp=unconfined"},
			"kernel":  {"mount_setattr", "since Linux 5.12", "a seccomp filter hides it"},
		}, []bool{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			flags := c.flags
			if c.profile != "" {
				file := filepath.Join(t.TempDir(), "profile.json")
				require.NoError(t, os.WriteFile(file, []byte(c.profile), 0o600))
				flags = append(flags, "--security-opt=seccomp="+file)
			}
			ktest.Clean(t)
			r := reported(t, runKit(t, untraced(6, root, "exec kit doctor --json", flags...)...))
			require.False(t, r.Machine.Root)
			for id, texts := range c.says {
				failsWith(t, primitive(t, r, id, ""), texts...)
			}
			for i, works := range c.steps {
				require.Equal(t, works, r.Steps[i].State == doctor.Works, "%+v", r.Steps[i])
			}
		})
	}
}

// TestStepAsksDoctor: where a step's error has no hint of its own, the doctor tries what
// the step takes; nothing that has not to do with it is told.
func TestStepAsksDoctor(t *testing.T) {
	root := ktest.HostRootfs(t)
	file := filepath.Join(t.TempDir(), "profile.json")
	require.NoError(t, os.WriteFile(file, []byte(denying(
		`{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}`)), 0o600))
	ktest.Clean(t)
	const script = "kit step 1 --trace=off -- true && exec kit step 2 --trace=off -- true"
	r := runKit(t, untraced(6, root, script,
		"--security-opt=systempaths=unconfined", "--security-opt=seccomp="+file)...)
	require.Equal(t, 125, r.exit, r.err)
	require.Contains(t, r.err, "kit: namespaces: sethostname")
	require.Contains(t, r.err, "\nhint: UTS namespace does not work here\nhint: the kernel refuses: "+
		"sethostname: operation not permitted")
	require.NotContains(t, r.err, "bridge")
}

// TestForeignMounts: root of a user namespace without mounts of its own is told how to get
// them.
func TestForeignMounts(t *testing.T) {
	ktest.User(t)
	ktest.RequireTool(t, "unshare")
	ktest.Clean(t)
	args := untraced(5, ktest.Rootfs(t), "true")
	r := finish(t, exec.Command("unshare", append([]string{"-Urn", "kit"}, args...)...))
	require.Equal(t, 125, r.exit, r.err)
	require.Contains(t, r.err, "hint: start this shell with mounts and a network of its own: "+
		"unshare -Urmn")
	r = finish(t, exec.Command("unshare", append([]string{"-Urnm", "kit"}, args...)...))
	require.Zero(t, r.exit, r.err)
}

// TestDoctorHierarchies: other machines' cgroups, as far as this one's mounts can show them.
func TestDoctorHierarchies(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "unshare", "mount")
	for _, c := range []struct {
		name, script, version string
	}{
		{
			// Not a mount of its own, which would change the options that all mounts share.
			"v2", `mount --bind $(findmnt -nrt cgroup2 -o TARGET | head -n 1) /sys/fs/cgroup`, "v2",
		},
		{"v1", `for d in $(findmnt -nrt cgroup2 -o TARGET); do mount -t tmpfs none $d; done`, "v1"},
		{"none", `mount -t tmpfs none /sys/fs/cgroup`, ""},
		{
			"read-only", `for d in $(findmnt -nrt cgroup,cgroup2 -o TARGET); do
				mount -o remount,ro,bind $d; done`, "*",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			here := examined(t, `exec "$@"`)
			if c.version == "v1" && here.Machine.Cgroup == "v2" {
				t.Skip("there is nothing but v2 here")
			}
			if c.version == "v2" && here.Machine.Cgroup == "v1" {
				t.Skip("there is nothing but v1 here")
			}
			ktest.Clean(t)
			r := examined(t, `exec unshare -m /bin/sh -ec '`+c.script+`; exec "$@"' sh "$@"`)
			own := primitive(t, r, "cgroup", "")
			switch c.version {
			case "":
				failsWith(t, own, "none are mounted", "mount -t cgroup2")
			case "*":
				failsWith(t, own, "read-only file system", "--privileged")
			default:
				require.Equal(t, c.version, r.Machine.Cgroup)
				require.Equal(t, doctor.Works, own.State)
				v2 := c.version == "v2"
				require.Equal(t, v2, primitive(t, r, "into-cgroup", "").State == doctor.Works)
			}
			// What another hierarchy has cannot be limited, and that is said.
			if c.version == "v2" && here.Machine.Cgroup == "hybrid" {
				require.Contains(t, r.Steps[2].Lacks, "memory")
				require.Contains(t, r.Steps[2].Hints[0], "/sys/fs/cgroup has: ")
			}
		})
	}
}

// TestDoctorWithoutHelpers: what a user needs to be installed, or to be given.
func TestDoctorWithoutHelpers(t *testing.T) {
	ktest.User(t)
	ktest.Clean(t)
	r := examined(t, `PATH=/none exec "$@"`, "DBUS_SESSION_BUS_ADDRESS=unix:path=/none")
	failsWith(t, primitive(t, r, "subid", ""), "newuidmap: not installed", "apt install uidmap")
	failsWith(t, primitive(t, r, "wayout", ""), "neither pasta nor slirp4netns", "apt install passt")
	failsWith(t, primitive(t, r, "systemd", ""), "session bus: ")
	failsWith(t, primitive(t, r, "vm", ""), "not installed", "apt install", "qemu-system")
	require.True(t, r.OK)
}

// TestDoctorGivenHelpers: a helper that is there and may not be used.
func TestDoctorGivenHelpers(t *testing.T) {
	ktest.User(t)
	ktest.RequireTool(t, "newuidmap")
	ktest.Clean(t)
	r := examined(t, `exec "$@"`)
	c := primitive(t, r, "subid", "")
	if c.State == doctor.Fails {
		failsWith(t, c, "no ids for", "usermod --add-subuids 100000-165535")
	} else {
		require.Regexp(t, `^\d+ from \d+ on$`, c.Found)
	}
	if _, err := exec.LookPath("pasta"); err != nil {
		return
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err == nil {
		f.Close()
		require.Equal(t, "pasta", primitive(t, r, "wayout", "").Found)
		return
	}
	failsWith(t, primitive(t, r, "wayout", ""), "/dev/net/tun may not be used", "chmod 0666")
}

// TestDoctorTellsAll: the table has each primitive and each step, and what it says of
// failures; the exit status is that of the steps.
func TestDoctorTellsAll(t *testing.T) {
	ktest.RequireTool(t, "unshare", "setpriv")
	ktest.Clean(t)
	kit, err := exec.LookPath("kit")
	require.NoError(t, err)
	r := finish(t, exec.Command("unshare", "-Ur", "/bin/sh", "-ec",
		"echo 0 >/proc/sys/user/max_user_namespaces; "+unprivileged, "sh", kit, "doctor"))
	require.Equal(t, 1, r.exit, r.err)
	require.Empty(t, r.err)
	require.Contains(t, r.out, "\nstep 1, chroot: no: clone ")
	require.Contains(t, r.out, "  FAILS  user namespace with maps\n")
	require.Contains(t, r.out, "hint: as root of the host: sysctl -w user.max_user_namespaces=")
	require.Contains(t, r.out, "  -      new /proc                     takes a user namespace\n")
	require.Contains(t, r.out, "\nThese steps do not work here: 1, 2, 3, 4, 5, 6\n")
	ids := []string{}
	for _, c := range examined(t, `exec "$@"`).Checks {
		require.Contains(t, r.out, c.Name)
		if !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
		}
	}
	require.Greater(t, len(ids), 45)
}
