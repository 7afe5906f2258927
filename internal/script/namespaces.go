package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerkit/kit/internal/container"
)

// detach is the Child moment of step 2.
func (s *script) detach() {
	const file = "02-namespaces/namespaces.go"
	s.section("Step 2, namespaces: mounts of its own")
	s.do(s.reason(file, `unix.Mount("", "/"`), "mount --make-rprivate /")
}

// pivot is the Root moment of step 2.
func (s *script) pivot() {
	const mount, file = "02-namespaces/mount.go", "02-namespaces/namespaces.go"
	s.section("Step 2: a root of its own")
	s.do(s.reason(mount, "unix.Mount(c.Root, c.Root"), `mount --rbind "$ROOT" "$ROOT"`)
	s.do(s.reason(mount, "unix.Chdir(c.Root)"), `cd "$ROOT"`)
	s.bindVolumes()
	s.do(s.reason(file, "unix.PivotRoot("), "pivot_root . .")
	s.do("From here on all commands are those of the new root.", "PATH="+path)
	s.do(s.reason("02-namespaces/kernelfs.go", `unix.Mount("proc"`), "mkdir -p /proc",
		"mount -t proc -o nosuid,nodev,noexec proc /proc")
	s.do(s.reason(file, "unix.Unmount("), "umount -l .")
	s.do(s.reason(file, `unix.Chdir("/")`), "cd /")
}

// furnish is the Inside moment of step 2.
func (s *script) furnish() {
	const dev = "02-namespaces/dev.go"
	s.section("Step 2: what programs expect to find")
	s.do(s.reason("02-namespaces/kernelfs.go", `unix.Mount("sysfs"`), "mkdir -p /sys",
		"mount -t sysfs -o ro,nosuid,nodev,noexec sysfs /sys")
	s.do(s.reason(dev, `unix.Mount("tmpfs", "/dev"`), "mkdir -p /dev",
		"mount -t tmpfs -o nosuid,mode=755,size=64k tmpfs /dev")
	s.do(s.reason(dev, "unix.Mknod(n.path, unix.S_IFCHR"),
		"mknod -m 666 /dev/null c 1 3", "mknod -m 666 /dev/zero c 1 5",
		"mknod -m 666 /dev/full c 1 7", "mknod -m 666 /dev/random c 1 8",
		"mknod -m 666 /dev/urandom c 1 9", "mknod -m 666 /dev/tty c 5 0")
	for _, d := range s.c.Devices {
		s.do("", deviceNode(d))
	}
	s.do(s.reason(dev, "unix.Symlink("), "ln -s /proc/self/fd /dev/fd",
		"ln -s /proc/self/fd/0 /dev/stdin", "ln -s /proc/self/fd/1 /dev/stdout",
		"ln -s /proc/self/fd/2 /dev/stderr", "ln -s pts/ptmx /dev/ptmx")
	s.do(s.reason(dev, `unix.Mount("devpts"`), "mkdir /dev/pts /dev/shm /dev/mqueue",
		"mount -t devpts -o nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts")
	s.do(s.reason(dev, `unix.Mount("shm"`),
		"mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=64m shm /dev/shm")
	s.do(s.reason(dev, `unix.Mount("mqueue"`),
		"mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue")
	name := `"$NAME"`
	if s.c.Hostname != s.c.Name {
		name = quote(s.c.Hostname)
	}
	s.do(s.reason("02-namespaces/namespaces.go", "unix.Sethostname("),
		"echo "+name+" >/proc/sys/kernel/hostname", "HOSTNAME="+name)
}

func deviceNode(d container.Device) string {
	kind := "c"
	if d.Mode&0o170000 == 0o060000 {
		kind = "b"
	}
	return fmt.Sprintf("mkdir -p \"$(dirname %s)\"; mknod -m %o %s %s %d %d", quote(d.Target),
		d.Mode&0o777, quote(d.Target), kind, d.Major, d.Minor)
}

// bindVolumes mounts volumes while the host's paths can still be named. The engine
// looks the targets up under the new root; a shell has to do it from here.
func (s *script) bindVolumes() {
	for _, v := range s.c.Volumes {
		target := quote("./" + below(v.Target))
		s.do("The host's "+oneLine(v.Source)+" shows up inside as "+oneLine(v.Target)+
			". (kit looks the target up from inside, so that no link there leads out; here trust the "+
			"root file system.)",
			fmt.Sprintf("if [ -d %s ]; then mkdir -p %s; else mkdir -p \"$(dirname %s)\"; "+
				"[ -e %s ] || : >%s; fi", quote(v.Source), target, target, target, target),
			fmt.Sprintf("mount --rbind %s %s", quote(v.Source), target))
		if v.ReadOnly {
			s.do(s.reason("02-namespaces/mount.go", "unix.MountSetattr(fd"),
				"mount -o remount,bind,ro "+target)
		}
	}
}

// environment is what the command gets besides what all get: that of --env.
func environment(c *container.Container) []string {
	return slices.DeleteFunc(slices.Clone(c.Env), func(e string) bool {
		return strings.HasPrefix(e, "TERM=") || strings.HasPrefix(e, "PS1=") // of who asks now
	})
}

// become is what comes last: the environment, the user, execve.
func (s *script) become() {
	s.section("Become the command")
	if s.c.Workdir != "" {
		s.do("The command starts here.", "cd "+quote(s.c.Workdir))
	}
	env := append([]string{"HOME=/root", "PATH=" + path}, environment(s.c)...)
	s.do("The command gets these variables, and none of ours.",
		"export HOSTNAME "+quote(env...), "unset OLDPWD PWD "+strings.Join(s.pass, " "))
	words := append(s.privileges(), s.user()...)
	if len(words) > 0 {
		words = append(append([]string{"setpriv"}, words...), "--")
	}
	words = append(words, `"$@"`)
	line := strings.Join(words, " ")
	if s.c.Init {
		s.do("This shell stays as PID 1 and reaps orphans. (It does not forward signals, as kit does.)",
			line)
		return
	}
	s.do("From here on this process is the command: same process, other program.", "exec "+line)
}

// user is how setpriv(1) changes the user.
func (s *script) user() []string {
	if s.c.User == "" {
		return nil
	}
	user, group, given := strings.Cut(s.c.User, ":")
	if !given {
		return []string{
			"--reuid=" + quote(user), fmt.Sprintf(`--regid="$(id -g %s)"`, quote(user)), "--init-groups",
		}
	}
	return []string{"--reuid=" + quote(user), "--regid=" + quote(group), "--clear-groups"}
}
