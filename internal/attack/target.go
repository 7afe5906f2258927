package attack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// TargetEnv is the environment variable by which an attack is told what to attack.
// Without it none runs.
const TargetEnv = "KIT_ATTACK"

// A Target is what the attacks are made on: things of the stand-in host, each made
// for this purpose. Nothing in it is the machine's.
type Target struct {
	Machine map[string]uint64 // inodes of the machine's own namespaces, by name in /proc/PID/ns
	Secret  string            // a random word: where it can be read, the host can
	Root    string            // where a container's "/" is, in a run that is in none; else ""
	Dir     string            // the stand-in host's directory, by its path there
	File    string            // a file of the host with the secret in it
	Victim  int               // a process of the host, by its number there
	ShmKey  int               // a SysV shared memory segment with the secret in it
	Service int               // a TCP port on the host's 127.0.0.1 that tells the secret
	Port    int               // a TCP port that nobody uses
	Socket  string            // an abstract Unix socket that tells the secret
	Handle  Handle            // of File
	Device  Device            // one that the host can open
}

// A Handle is a file by its number in the file system (open_by_handle_at(2)).
type Handle struct {
	Type  int32
	Bytes []byte
}

// A Device is a node: what it is, and its two numbers.
type Device struct {
	Name         string
	Mode         uint32 // S_IFBLK or S_IFCHR
	Major, Minor uint32
}

// namespaceKinds are the namespaces in which an attack could harm the machine.
var namespaceKinds = [...]string{"mnt", "uts", "ipc", "net", "pid"}

// Machine returns the namespaces of this process, by inode.
func Machine() (map[string]uint64, error) {
	all := make(map[string]uint64)
	for _, kind := range namespaceKinds {
		var st unix.Stat_t
		if err := unix.Stat("/proc/self/ns/"+kind, &st); err != nil {
			return nil, fmt.Errorf("stat /proc/self/ns/%s: %w", kind, err)
		}
		all[kind] = st.Ino
	}
	return all, nil
}

// The initial namespaces have the same inodes on all machines (PROC_*_INIT_INO in the
// kernel's include/linux/proc_ns.h), below those of all that are made later.
const firstInode, lastInode = 0xEFFFFFF8, 0xEFFFFFFF

// ErrUnsafe is the answer to an attack that would be made on the machine itself.
var ErrUnsafe = errors.New("attacks run only inside what kit attack sets up")

// target reads what to attack, and refuses where that is the machine.
func target() (*Target, error) {
	t := &Target{}
	text := os.Getenv(TargetEnv)
	if text == "" || json.Unmarshal([]byte(text), t) != nil || len(t.Machine) == 0 {
		return nil, ErrUnsafe
	}
	proc, err := openProc()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsafe, err)
	}
	defer unix.Close(proc)
	for _, kind := range namespaceKinds {
		var st unix.Stat_t
		if err := unix.Fstatat(proc, "self/ns/"+kind, &st, 0); err != nil {
			return nil, fmt.Errorf("%w: stat ns/%s: %w", ErrUnsafe, kind, err)
		}
		if want, ok := t.Machine[kind]; !ok || st.Ino == want || initial(kind, st.Ino) {
			return nil, fmt.Errorf("%w: this is the machine's own %s namespace", ErrUnsafe, kind)
		}
	}
	return t, nil
}

// initial tells, of those kinds of which it can be told, a namespace that the machine
// was born with.
func initial(kind string, inode uint64) bool {
	return (kind == "uts" || kind == "ipc" || kind == "pid") &&
		firstInode <= inode && inode <= lastInode
}

// openProc opens /proc. Where there is none, as in a chroot, it makes one that is
// attached nowhere, so that nobody's mounts change.
func openProc() (int, error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
	if fd, err := unix.Open("/proc/self/..", flags, 0); err == nil {
		return fd, nil
	}
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen proc: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, fmt.Errorf("fsconfig proc: %w", err)
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("fsmount proc: %w", err)
	}
	return fd, nil
}

// readAt reads up to 64 KiB of a file.
func readAt(dir int, path string) (string, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 1<<16)
	n := 0
	for n < len(buf) {
		more, err := unix.Read(fd, buf[n:])
		if err != nil {
			return "", fmt.Errorf("read %s: %w", path, err)
		}
		if more == 0 {
			break
		}
		n += more
	}
	return string(buf[:n]), nil
}

// readProc reads a file in /proc.
func readProc(path string) (string, error) {
	proc, err := openProc()
	if err != nil {
		return "", err
	}
	defer unix.Close(proc)
	text, err := readAt(proc, path)
	if err != nil {
		return "", fmt.Errorf("/proc: %w", err)
	}
	return text, nil
}

// tells is whether text has the secret in it; where says what has been read.
func (t *Target) tells(text, where string) (string, error) {
	if !strings.Contains(text, t.Secret) {
		return "", fmt.Errorf("read %s: nothing of the host's", where)
	}
	return "the host's secret, from " + where, nil
}

func (t *Target) victim() string { return strconv.Itoa(t.Victim) }
