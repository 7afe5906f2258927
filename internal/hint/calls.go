package hint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/probe"
)

// maskedProc explains why the kernel refuses a new /proc in a user namespace:
// there must be another one that can be seen as a whole (mount_too_revealing).
// A step's child has none any more that it could read, as the doctor has who is asked then.
func maskedProc() []string {
	if _, err := os.Stat("/proc/self"); err != nil {
		return nil
	}
	return append(covered("/proc"),
		"inside docker: start the outer container with --security-opt systempaths=unconfined")
}

func rootIsNoMount() []string {
	return []string{"/ is not a mount point here: kit was started inside a chroot; start it outside"}
}

// mountForbidden tells by asking whether it is a filter or a security module.
func mountForbidden() []string {
	if len(probe.Filtered("mount")) > 0 {
		return outerFilter()
	}
	return Facts(probe.Confined(unix.EPERM))
}

// foreignMounts explains why nothing of the mounts here may be copied or changed.
func foreignMounts() []string {
	if owns("mnt") {
		return mountForbidden()
	}
	return []string{
		"the mounts here belong to another user namespace than that which you are root of",
		"start this shell with mounts and a network of its own: unshare -Urmn",
	}
}

// foreignNetwork explains why no interface may be made here.
func foreignNetwork() []string {
	if owns("net") {
		return []string{"kit lacks CAP_NET_ADMIN; --net none and --net host work without"}
	}
	return []string{
		"the network here belongs to another user namespace than that which you are root of",
		"start this shell with mounts and a network of its own: unshare -Urmn",
		"--net none works without",
	}
}

// owns tells that our user namespace is the one that our namespace of another kind belongs to
// (ioctl_ns(2)).
func owns(kind string) bool {
	fd, err := unix.Open("/proc/self/ns/"+kind, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return true // nobody knows better
	}
	defer unix.Close(fd)
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	if err != nil {
		return !errors.Is(err, unix.EPERM) // it lies outside of ours
	}
	defer unix.Close(owner)
	var theirs, ours unix.Stat_t
	return unix.Fstat(owner, &theirs) != nil || unix.Stat("/proc/self/ns/user", &ours) != nil ||
		theirs.Ino == ours.Ino
}

// Facts are hints, two for each: what is in the way, and what to do about it.
func Facts(list []probe.Fact) (hints []string) {
	for _, f := range list {
		hints = append(hints, f.Problem+": "+f.Why)
		if f.Fix != "" {
			hints = append(hints, f.Fix)
		}
	}
	return hints
}

// pivotInvalid says which of pivot_root's conditions does not hold.
func pivotInvalid() []string {
	var hints []string
	mounts, err := mountinfo.GetMounts(mountinfo.SingleEntryFilter("/"))
	if err == nil && len(mounts) == 1 {
		if mounts[0].FSType == "rootfs" {
			return []string{
				"/ is the initramfs, which cannot be pivoted away; a bind mount of it can",
				"in a shell: mount --rbind / /mnt; cd /mnt; mount --move . /; exec chroot .",
			}
		}
		if strings.Contains(mounts[0].Optional, "shared:") {
			hints = append(hints, "/ is still shared with the host: pivot_root wants private mounts")
		}
	}
	return append(hints, "pivot_root(2) wants a new root that is a mount point, under the old "+
		"root, and not shared")
}

// pivotToItself is for --rootfs /.
func pivotToItself() []string {
	const another = "/ cannot be exchanged for itself: --rootfs wants another directory"
	if inUserNamespace() {
		return []string{another}
	}
	return []string{another + "; step 4 can take /, since it puts an overlay on it"}
}

func noIDMap() []string {
	return []string{
		"the file system of the root directory cannot be mounted with mapped ids (overlayfs, for " +
			"one, cannot)",
		"put the root file system on ext4, xfs, btrfs or tmpfs (kernel 5.12 or later), or leave " +
			"out --userns remap",
	}
}

// oldKernel says since which release there is something that must be there. Where this
// kernel is not older, somebody hides it.
func oldKernel(what, since string) func() []string {
	return func() []string {
		if hints := ifOlder(what, since); len(hints) > 0 {
			return hints
		}
		return []string{
			fmt.Sprintf("%s: since Linux %s; this is %s", what, since, release()),
			"so a seccomp filter hides it, as that of an outer container " +
				"(--security-opt seccomp=unconfined), or the kernel was built without",
		}
	}
}

// ifOlder says so where this kernel is older than something that may be the reason.
func ifOlder(what, since string) []string {
	if !older(release(), since) {
		return nil
	}
	return []string{fmt.Sprintf("%s: since Linux %s; this is %s", what, since, release())}
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// older compares the two numbers that releases begin with.
func older(release, since string) bool {
	var is, has [2]int
	_, err1 := fmt.Sscanf(release, "%d.%d", &is[0], &is[1])
	_, err2 := fmt.Sscanf(since, "%d.%d", &has[0], &has[1])
	return err1 != nil || err2 != nil || slices.Compare(is[:], has[:]) < 0
}

// unmapped says which ids there are.
func unmapped() []string {
	m, err := os.ReadFile("/proc/self/uid_map")
	if err != nil { // there need not be a /proc
		return []string{"the user namespace has no such id: without subordinate ids it has one id, 0"}
	}
	fields := strings.Fields(string(m))
	if len(fields) == 3 && fields[2] == "1" {
		return []string{
			"the user namespace has one id, 0: only root exists inside",
			"for more, root gives your user a range in /etc/subuid and /etc/subgid, and newuidmap " +
				"must be installed (package uidmap)",
		}
	}
	return []string{"no such id in the user namespace, whose map is (inside, outside, count): " +
		strings.Join(fields, " ")}
}

func noDevices() []string {
	return []string{"making devices needs CAP_MKNOD in the initial user namespace: run kit as " +
		"another user than root of a container"}
}

func foreignNamespace() []string {
	return []string{
		"the namespace belongs to a user namespace in which you are nobody",
		"without root, kit shares with containers that are in the same user namespace: those on " +
			"kit's bridge (step 5), or those that share with each other",
	}
}

// childKilled is for a child that has said nothing before its end.
func childKilled() []string {
	return []string{
		"the container's first process has ended before it could begin: somebody has killed it, as " +
			"kit stop and kit clean do, or the kernel, out of memory (dmesg)",
		"try again; with --trace=steps its last call is seen",
	}
}

func needsRoot() []string {
	return []string{
		"host and remap are for the host's root",
		"without root there is --userns auto: a user namespace of your own",
	}
}
