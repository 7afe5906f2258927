package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/coreos/go-systemd/v22/dbus"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/procfs"
)

// cgroupTrials are those of step 3. The limits are tried by its own containers.
func cgroupTrials() []trial {
	return []trial{
		{
			id: "cgroups", name: "cgroups", step: 3, who: oneself, deed: hierarchies,
			loses: "limits, kit stats, kit pause",
		},
		{
			id: "cgroup", name: "a cgroup of one's own", step: 3, who: oneself, deed: ownCgroup,
			loses: "limits, kit stats, kit pause; step 3 runs without",
		},
		{
			id: "systemd", name: "systemd user session", step: 3, who: oneself, deed: userSession,
			loses: "a delegated cgroup for the asking",
		},
		{
			id: "cgroupns", name: "cgroup namespace", step: 3, ns: unix.CLONE_NEWCGROUP,
			deed: topOfCgroups, vital: true, loses: "steps 3 to 6",
		},
		{
			id: "into-cgroup", name: "CLONE_INTO_CGROUP", step: 3, who: oneself, deed: startInCgroup,
			loses: "a first process that is never outside of its cgroup",
		},
		{
			id: "freeze", name: "freezer of v2", step: 3, who: oneself, deed: freeze,
			loses: "kit pause in v2; v1 has one of its own",
		},
		{
			id: "kill", name: "cgroup.kill", step: 3, who: oneself, deed: killCgroup,
			loses: "the end of all processes of a cgroup at once",
		},
		{
			id: "devices", name: "BPF program for devices", step: 3, who: hostRoot, deed: deviceProgram,
			loses: "--device and the device rules in v2",
		},
	}
}

// hierarchies tells what is mounted where, by the file systems' magic numbers.
func hierarchies(*place) (string, error) {
	mode, err := procfs.CgroupMode()
	if err != nil {
		return "", err
	}
	all, err := procfs.CgroupMounts()
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("cgroups: none are mounted: %w", unix.ENOENT)
	}
	var v1, v2 []string
	for _, m := range all {
		if m.V2 {
			text, _ := os.ReadFile(m.Dir + "/cgroup.controllers")
			v2 = append(append(v2, strings.Fields(string(text))...), "at "+m.Dir)
		} else if !named(m) {
			v1 = append(v1, m.Controllers...)
		}
	}
	found := mode
	if len(v1) > 0 {
		found += "; v1: " + strings.Join(v1, " ")
	}
	if len(v2) > 0 {
		found += "; v2: " + strings.Join(v2, " ")
	}
	return found, nil
}

// named tells that a hierarchy of v1 has a name in place of controllers.
func named(m procfs.CgroupMount) bool {
	return strings.HasPrefix(strings.Join(m.Controllers, ""), "name=")
}

// groupName is that of a trial's cgroup, with the process that removes it.
const groupName = "kit-doctor-"

// inCgroup calls do with a new cgroup of v2, or of v1 where only that is wanted.
func inCgroup(m procfs.CgroupMount, do func(dir string) error) error {
	own, err := procfs.Cgroups(0)
	if err != nil {
		return err
	}
	dirs := []string{m.Dir}
	for _, c := range own {
		if dir, ok := m.CgroupDir(c); ok && m.Holds(c) {
			dirs = append(dirs, filepath.Dir(dir), dir)
		}
	}
	err = fmt.Errorf("cgroup %s: not ours to divide: %w", dirs[len(dirs)-1], unix.EACCES)
	for _, above := range dirs {
		if !strings.HasPrefix(above+"/", m.Dir+"/") {
			continue
		}
		if e := unix.Access(above+"/cgroup.procs", unix.W_OK); e != nil {
			if errors.Is(e, unix.EROFS) {
				err = fmt.Errorf("cgroup %s: %w", above, e)
			}
			continue
		}
		sweepCgroups(above)
		dir := filepath.Join(above, groupName+strconv.Itoa(os.Getpid()))
		if e := unix.Mkdir(dir, 0o755); e != nil {
			err = fmt.Errorf("mkdir %s: %w", dir, e)
			continue
		}
		defer removeCgroup(dir)
		return do(dir)
	}
	return err
}

// removeCgroup waits for those that have just ended in it.
func removeCgroup(dir string) {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		if err := unix.Rmdir(dir); err == nil || errors.Is(err, unix.ENOENT) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// sweepCgroups removes those of doctors that were killed.
func sweepCgroups(above string) {
	left, _ := filepath.Glob(filepath.Join(above, groupName+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), groupName))
		if err == nil && unix.Kill(pid, 0) == unix.ESRCH {
			_ = unix.Rmdir(dir)
		}
	}
}

// ownCgroup tells in which hierarchies a cgroup can be made.
func ownCgroup(*place) (string, error) {
	all, err := procfs.CgroupMounts()
	if err != nil {
		return "", err
	}
	var found []string
	failure := fmt.Errorf("cgroups: none are mounted: %w", unix.ENOENT)
	for _, m := range all {
		if named(m) {
			continue
		}
		err := inCgroup(m, func(dir string) error {
			names := strings.Join(m.Controllers, ",")
			if text, err := os.ReadFile(dir + "/cgroup.controllers"); err == nil {
				names = "v2"
				if have := strings.Fields(string(text)); len(have) > 0 {
					names += " (" + strings.Join(have, " ") + ")"
				}
			}
			found = append(found, names)
			return nil
		})
		if err != nil {
			failure = err
		}
	}
	if len(found) == 0 {
		return "", failure
	}
	slices.Sort(found)
	return "in " + strings.Join(slices.Compact(found), ", "), nil
}

// inV2 calls do with a new cgroup of v2 and a process in it, which waits.
func inV2(do func(dir string, pid int) error) (string, error) {
	all, err := procfs.CgroupMounts()
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(m procfs.CgroupMount) bool { return m.V2 })
	if i < 0 {
		return "there is no cgroup v2 here", errUntried
	}
	made := false
	err = inCgroup(all[i], func(dir string) error {
		made = true
		cmd := again(waiting)
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", dir, err)
		}
		defer unix.Close(fd)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			UseCgroupFD: true, CgroupFD: fd, Pdeathsig: unix.SIGKILL,
		}
		hold, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("clone3 CLONE_INTO_CGROUP %s: %w", dir, errno(err))
		}
		defer func() { hold.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		return do(dir, cmd.Process.Pid)
	})
	if !made {
		return "takes a cgroup of v2 of one's own", errUntried
	}
	return "", err
}

func startInCgroup(*place) (string, error) {
	return inV2(func(dir string, pid int) error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			return fmt.Errorf("read /proc/%d/cgroup: %w", pid, errno(err))
		}
		if !strings.Contains(string(text), filepath.Base(dir)) {
			return fmt.Errorf("clone3 CLONE_INTO_CGROUP: the child is elsewhere: %w", unix.EINVAL)
		}
		return nil
	})
}

func freeze(*place) (string, error) {
	return inV2(func(dir string, _ int) error {
		file := dir + "/cgroup.freeze"
		if err := os.WriteFile(file, []byte("1"), 0); err != nil {
			return fmt.Errorf("cgroup.freeze %s: %w", dir, errno(err))
		}
		err := await(func() bool {
			text, _ := os.ReadFile(dir + "/cgroup.events")
			return strings.Contains(string(text), "frozen 1")
		})
		_ = os.WriteFile(file, []byte("0"), 0)
		if err != nil {
			return fmt.Errorf("cgroup.freeze %s: %w", dir, err)
		}
		return nil
	})
}

func killCgroup(*place) (string, error) {
	return inV2(func(dir string, pid int) error {
		file := dir + "/cgroup.kill"
		fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("cgroup.kill %s: %w", dir, err)
		}
		defer unix.Close(fd)
		if _, err := unix.Write(fd, []byte("1")); err != nil {
			return fmt.Errorf("cgroup.kill %s: %w", dir, err)
		}
		var info unix.Siginfo
		err = unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if err != nil {
			return fmt.Errorf("waitid: %w", err)
		}
		return nil
	})
}

// await waits for something that comes in a moment.
func await(is func() bool) error {
	for deadline := time.Now().Add(time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return unix.ETIMEDOUT
		}
	}
	return nil
}

func topOfCgroups(*place) (string, error) {
	own, err := procfs.Cgroups(0)
	if err != nil {
		return "", err
	}
	for _, c := range own {
		if c.Path != "/" {
			return "", fmt.Errorf("cgroup namespace: the path is %s: %w", c.Path, unix.EINVAL)
		}
	}
	return "", nil
}

// deviceProgram attaches a program that allows everything.
func deviceProgram(*place) (string, error) {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "kit_doctor", Type: ebpf.CGroupDevice, License: "MIT",
		Instructions: asm.Instructions{asm.Mov.Imm32(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		return "", fmt.Errorf("bpf BPF_PROG_LOAD: %w", err)
	}
	defer program.Close()
	return inV2(func(dir string, _ int) error {
		fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", dir, err)
		}
		defer unix.Close(fd)
		attach := struct{ cgroup, program, kind, flags uint32 }{
			uint32(fd), uint32(program.FD()), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI,
		}
		_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_ATTACH,
			uintptr(unsafe.Pointer(&attach)), unsafe.Sizeof(attach))
		if errno != 0 {
			return fmt.Errorf("bpf BPF_PROG_ATTACH %s: %w", dir, errno)
		}
		return nil
	})
}

// userSession asks the user's systemd who it is.
func userSession(*place) (string, error) {
	if os.Getuid() == 0 {
		return "root makes cgroups itself", errUntried
	}
	// The library would start a bus where there is none.
	if _, ok := os.LookupEnv("DBUS_SESSION_BUS_ADDRESS"); !ok {
		dir, ok := os.LookupEnv("XDG_RUNTIME_DIR")
		if !ok {
			return "", fmt.Errorf("session bus: XDG_RUNTIME_DIR is not set: %w", unix.ENOENT)
		}
		bus := dir + "/bus"
		if _, err := os.Stat(bus); err != nil {
			return "", fmt.Errorf("session bus: stat %s: %w", bus, errno(err))
		}
		os.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+bus)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := dbus.NewUserConnectionContext(ctx)
	if err != nil {
		return "", fmt.Errorf("session bus: %w", err)
	}
	defer conn.Close()
	version, err := conn.GetManagerProperty("Version")
	if err != nil {
		return "", fmt.Errorf("session bus: systemd: %w", err)
	}
	return "systemd " + strings.Trim(version, `"`), nil
}
