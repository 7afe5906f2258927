package oracle

import "golang.org/x/sys/unix"

// The calls that share rows.
const (
	makesNamespaces = "clone clone3 unshare"
	writes          = "write pwrite64 writev"
	opens           = "open openat openat2"
	newMounts       = "open_tree move_mount mount_setattr fsopen fsconfig fsmount fspick"
	ids             = "setuid setgid setreuid setregid setresuid setresgid"
	owners          = "chown lchown fchown fchownat"
	executes        = "execve execveat"
	filters         = "seccomp prctl"
)

// table is what the manual pages say, errno by errno. A cause that can be looked up is a
// check; all of them stand in the words behind it, for when none of the checks holds.
// What holds for all calls stands at the end.
var table = [...]row{
	// mount(2), mount_namespaces(7).
	{
		"mount", unix.EPERM,
		[]check{
			filtered, capability, notInUserNamespace, foreignObject, revealing, lockedFlags,
		},
		"the caller lacks CAP_SYS_ADMIN over the mount namespace's owner; the mount is locked; a new " +
			"/proc or /sys would reveal what is hidden; a security module denies it",
	},
	{
		"mount", unix.EINVAL,
		[]check{notMounted, twoPropagations, badSource, badLayers},
		"source has an invalid superblock; an option of the file system is unknown or has a bad " +
			"value; a remount of what is not mounted; a move of what is no mount, or whose parent " +
			"mount is shared; a bind of an unbindable mount",
	},
	{
		"mount", unix.EBUSY,
		[]check{layersTaken, mountedAlready},
		"source is mounted at target already; it cannot be remounted read-only, since files are open " +
			"for writing; another mount uses upperdir or workdir",
	},
	{
		"mount fsopen", unix.ENODEV,
		[]check{unknownType},
		"the kernel does not have the file system type",
	},
	{
		"mount", unix.ENOENT,
		[]check{missing, missingLayer, sourceMissing},
		"a pathname was empty or had a nonexistent component",
	},
	{
		"mount", unix.ENOTDIR,
		[]check{fileOnDirectory, notDirectory, missingLayer},
		"target, or a prefix of source, is not a directory",
	},
	{
		"mount", unix.ELOOP,
		[]check{intoItself, tooManyLinks},
		"too many symbolic links; target is a descendant of source, which is to be moved there",
	},
	{"mount", unix.ENOTBLK, []check{noDevice}, "source is not a block device"},
	{
		"mount", unix.EACCES,
		[]check{forbidden, missingLayer, nodevSource, profile},
		"a component of a path was not searchable; a read-only file system without MS_RDONLY; source " +
			"lies in a mount with MS_NODEV; a security module denies it",
	},
	{
		"mount", unix.EROFS,
		[]check{badLayers, readOnly},
		"a read-only file system without MS_RDONLY",
	},
	{"mount", unix.ENOSPC, []check{tooManyMounts}, "more mounts than fs.mount-max"},
	{"mount", unix.ENXIO, nil, "the major number of the block device source is out of range"},
	{
		"mount", unix.ESTALE,
		[]check{badLayers},
		"upperdir or workdir was used with other directories before",
	},

	// umount(2).
	{"umount2", unix.EPERM, []check{filtered, capability}, "the caller lacks CAP_SYS_ADMIN"},
	{
		"umount2", unix.EINVAL,
		[]check{notMounted, lockedMount},
		"target is not a mount point; it is locked; MNT_EXPIRE stands with MNT_DETACH or MNT_FORCE; a " +
			"flag is unknown",
	},
	{
		"umount2", unix.EBUSY,
		[]check{busyMount},
		"target is busy: a file in it is open, or a mount is on it",
	},
	{"umount2", unix.EAGAIN, nil, "MNT_EXPIRE has marked the mount, to go the next time"},

	// pivot_root(2).
	{"pivot_root", unix.EPERM, []check{filtered, capability}, "the caller lacks CAP_SYS_ADMIN"},
	{
		"pivot_root", unix.EINVAL,
		[]check{pivotRule},
		"new_root is not a mount point; put_old is not at or underneath new_root; the current root is " +
			"not a mount point, because of an earlier chroot; it is the rootfs; the mount at new_root " +
			"or its parent, or the one at put_old, is shared",
	},
	{
		"pivot_root", unix.EBUSY,
		[]check{onRootMount},
		"new_root or put_old is on the current root mount",
	},

	// open_tree(2), move_mount(2), mount_setattr(2), fsopen(2).
	{
		"mount_setattr", unix.EPERM,
		[]check{filtered, capability, lockedMount},
		"the caller lacks CAP_SYS_ADMIN; a flag of the mount is locked; it is mapped already; the " +
			"file system belongs to another user namespace",
	},
	{
		"mount_setattr", unix.EINVAL,
		[]check{noIDMapping, notAttached},
		"the file system cannot be mounted with mapped ids; the mount is not detached, or is mapped " +
			"already; the user namespace is the initial one; the place is no mount; a flag is unknown",
	},
	{
		newMounts, unix.EPERM,
		[]check{filtered, capability, notInUserNamespace},
		"the caller lacks CAP_SYS_ADMIN over the mount namespace's owner",
	},
	{
		"move_mount", unix.EINVAL,
		[]check{moveRule},
		"the parent mount of what moves is shared; what moves is no mount; it is locked; the target " +
			"is of another kind",
	},
	{
		"fsconfig fsmount", unix.EINVAL, nil,
		"the parameter is unknown to the file system; its value is bad; source has an invalid superblock",
	},

	// clone(2), unshare(2), user_namespaces(7).
	{
		makesNamespaces, unix.EPERM,
		[]check{filtered, mayNotMake, chrooted, unmappedCaller, closedToUsers, profile},
		"the caller lacks CAP_SYS_ADMIN; with CLONE_NEWUSER, its ids are not mapped, it has been " +
			"chrooted, or the machine keeps user namespaces for root",
	},
	{
		makesNamespaces, unix.EACCES,
		[]check{closedToUsers, profile},
		"a security module denies user namespaces",
	},
	{
		makesNamespaces, unix.EINVAL,
		[]check{threaded, contradicting, notHere},
		"a flag is unknown to the kernel; flags exclude each other; the process has several threads",
	},
	{
		makesNamespaces, unix.ENOSPC,
		[]check{noMoreNamespaces},
		"the limit on namespaces, or on their nesting",
	},
	{
		makesNamespaces, unix.EUSERS,
		[]check{noMoreNamespaces},
		"the limit on nested user namespaces",
	},
	{
		makesNamespaces + " fork vfork", unix.EAGAIN,
		[]check{noMoreTasks},
		"RLIMIT_NPROC; pids.max of the cgroup; kernel.threads-max; kernel.pid_max",
	},
	{
		makesNamespaces + " fork vfork", unix.ENOMEM,
		[]check{deadInit},
		"the kernel has no memory left; the " +
			"first process of the PID namespace has ended",
	},
	{
		"clone3", unix.EBUSY, nil,
		"CLONE_INTO_CGROUP: the cgroup hands controllers down, and may have no processes of its own",
	},
	{
		"clone3", unix.EOPNOTSUPP, nil,
		"CLONE_INTO_CGROUP: the cgroup is in the state \"domain invalid\"",
	},

	// setns(2).
	{
		"setns", unix.EPERM,
		[]check{filtered, mayNotEnter},
		"the caller lacks CAP_SYS_ADMIN in its own user namespace, or in the owner of the other one",
	},
	{
		"setns", unix.EINVAL,
		[]check{notNamespace, alreadyIn, threaded},
		"fd is no namespace, or not the kind that nstype says; the caller is in that user namespace " +
			"already; it has several threads, or shares its root directory",
	},
	{"setns", unix.EUSERS, []check{threaded}, "the process has several threads"},
	{"setns pidfd_send_signal", unix.ESRCH, []check{processGone}, "the process has ended"},

	// chroot(2), sethostname(2).
	{"chroot", unix.EPERM, []check{filtered, capability}, "the caller lacks CAP_SYS_CHROOT"},
	{
		"sethostname setdomainname", unix.EPERM,
		[]check{filtered, capability},
		"the caller lacks CAP_SYS_ADMIN",
	},
	{
		"sethostname setdomainname", unix.EINVAL,
		[]check{longName},
		"the name is longer than 64 bytes",
	},

	// write(2), to the files of user_namespaces(7) and cgroups(7).
	{
		writes, unix.EPERM,
		[]check{
			mapWritten, setgroupsFile, setgroupsFirst, notOwnID, notMappedAbove, notDelegated,
		},
		"the writer lacks a capability, or opened the file as somebody else",
	},
	{
		writes, unix.EINVAL,
		[]check{badMap, setgroupsFile, settings, cannotEnable, noDisk, badValue},
		"the file does not take this value",
	},
	{writes, unix.ERANGE, []check{badValue, settings}, "the value is out of the file's range"},
	{
		writes, unix.ENOENT,
		[]check{cannotEnable},
		"the controller is not available; the process is not there",
	},
	{
		writes, unix.EBUSY,
		[]check{inner, usedMemory},
		"the cgroup has processes and hands controllers down; what is to be limited is in use",
	},
	{writes, unix.EOPNOTSUPP, []check{wrongType, inner}, "the cgroup is threaded, or invalid"},
	{writes, unix.ESRCH, []check{noProcess}, "there is no such process"},
	{writes, unix.ENODEV, []check{noDisk}, "there is no such device"},
	{
		writes, unix.EACCES,
		[]check{settings, notDelegated},
		"the file belongs to somebody else; the cgroup is not delegated",
	},
	{
		writes, unix.ENOSPC,
		[]check{noCPUs, full},
		"no space is left; a cpuset without CPUs or memory nodes",
	},
	{writes, unix.EPIPE, nil, "nobody reads from the other end any more"},
	{writes, unix.EAGAIN, nil, "the other end reads too slowly, and the descriptor does not wait"},

	// mkdir(2), rmdir(2), open(2), also in a cgroup.
	{
		"mkdir mkdirat", unix.EAGAIN,
		[]check{tooManyGroupsBelow},
		"cgroup.max.depth or cgroup.max.descendants",
	},
	{
		"rmdir unlinkat", unix.EBUSY,
		[]check{inUse, isMountPoint},
		"it is a mount point, or in use by the system",
	},
	{opens, unix.ENOENT, []check{notEnabled}, "a part of the path is not there"},
	{
		opens, unix.EPERM,
		[]check{filtered},
		"O_NOATIME without owning the file; the file is sealed or immutable",
	},
	{opens, unix.ENXIO, nil, "nobody reads from the pipe; there is no device behind the file"},
	{opens, unix.ENODEV, nil, "there is no device behind the file"},
	{
		"mknod mknodat", unix.EPERM,
		[]check{filtered, capability},
		"the caller lacks CAP_MKNOD; the file " +
			"system knows no such files",
	},
	{
		owners, unix.EPERM,
		[]check{filtered, capability, unreachable},
		"the caller lacks CAP_CHOWN; the file's ids " +
			"are not mapped",
	},
	{owners, unix.EINVAL, []check{unknownID}, "an id is not mapped in the user namespace"},

	// setuid(2) and others, setgroups(2), credentials(7).
	{ids, unix.EINVAL, []check{unknownID}, "an id is not valid in this user namespace"},
	{
		ids, unix.EPERM,
		[]check{filtered, capability},
		"the caller lacks the capability, and the id is none of its own",
	},
	{ids, unix.EAGAIN, []check{tooManyOfUser}, "the new user has RLIMIT_NPROC processes"},
	{
		"setgroups", unix.EPERM,
		[]check{filtered, capability, groupsDenied},
		"the caller lacks CAP_SETGID; setgroups is denied in this user namespace",
	},
	{
		"setgroups", unix.EINVAL,
		[]check{tooManyGroups, unknownID},
		"too many groups; a gid is not mapped",
	},

	// capset(2), prctl(2), seccomp(2).
	{
		"capset", unix.EPERM,
		[]check{filtered, badSets, capability},
		"a set takes more than the one that limits it",
	},
	{"prctl", unix.EPERM, []check{filtered, mayNotPrctl}, "the operation needs a capability"},
	{
		"prctl", unix.EINVAL,
		[]check{badPrctl, badFilter},
		"the kernel does not know the operation, or the value of an argument",
	},
	{filters, unix.EACCES, []check{noNewPrivs}, "neither no_new_privs nor CAP_SYS_ADMIN"},
	{
		"seccomp", unix.EINVAL,
		[]check{badFilter},
		"the operation, a flag or the filter is not valid; flags exclude each other",
	},
	{"seccomp", unix.EOPNOTSUPP, []check{badFilter}, "the kernel does not know the action"},
	{"seccomp", unix.EBUSY, nil, "a filter of the thread has a listener already"},
	{"seccomp", unix.ESRCH, nil, "another thread cannot be given the filter (TSYNC)"},
	{"seccomp prctl", unix.ENOMEM, nil, "all filters together are longer than the kernel allows"},

	// bind(2), connect(2), socket(2), ip(7).
	{
		"bind", unix.EACCES,
		[]check{lowPort, socketFile},
		"the port is kept for root; the path is not searchable",
	},
	{"bind", unix.EADDRINUSE, []check{portTaken}, "the address is in use"},
	{"bind sendto", unix.EADDRNOTAVAIL, []check{notLocal}, "the address is not local"},
	{"bind", unix.EINVAL, nil, "the socket is bound already; the address does not fit it"},
	{"bind connect", unix.ENOENT, []check{socketFile}, "a part of the path is not there"},
	{"connect sendto", unix.ECONNREFUSED, []check{nobodyListens}, "nobody listens there"},
	{"connect sendto sendmsg", unix.ENETUNREACH, []check{noRoute}, "there is no route"},
	{"connect sendto sendmsg", unix.EHOSTUNREACH, []check{noRoute}, "the host does not answer"},
	{
		"connect", unix.EADDRNOTAVAIL, nil,
		"all local ports are in use (net.ipv4.ip_local_port_range)",
	},
	{
		"connect", unix.EACCES,
		[]check{socketFile},
		"the socket's file may not be written to; a firewall rule",
	},
	{"connect", unix.EINPROGRESS, nil, "it goes on; the socket does not wait"},
	{"sendto sendmsg", unix.EPERM, []check{filtered}, "a firewall rule drops it"},
	{"socket", unix.EPERM, []check{filtered, rawSocket}, "the caller lacks CAP_NET_RAW"},
	{"socket", unix.EACCES, []check{rawSocket}, "the caller may not make such a socket"},
	{"socket", unix.EAFNOSUPPORT, []check{noProtocol}, "the kernel does not have the family"},
	{"socket", unix.EPROTONOSUPPORT, []check{noProtocol}, "the kernel does not have the protocol"},

	// bpf(2).
	{
		"bpf", unix.EPERM,
		[]check{filtered, bpfClosed},
		"the caller lacks CAP_BPF, or CAP_SYS_ADMIN; RLIMIT_MEMLOCK",
	},
	{"bpf", unix.EACCES, nil, "the kernel's verifier takes the program for unsafe"},
	{
		"bpf", unix.EINVAL, nil,
		"the command, a type or an attribute is unknown to the kernel; the program " +
			"is not attached there",
	},
	{
		"bpf", unix.E2BIG, nil,
		"the program is too large; the kernel does not know all that it is given",
	},

	// execve(2).
	{
		executes, unix.ENOENT,
		[]check{missing, noInterpreter},
		"the program or its interpreter is not there",
	},
	{
		executes, unix.EACCES,
		[]check{notRegular, noExec, forbidden, noInterpreter, profile},
		"a part of the path is not searchable; the file is no program, or not executable; its mount " +
			"is noexec",
	},
	{
		executes, unix.ENOEXEC,
		[]check{badFormat},
		"the file is in a format that the kernel does not know",
	},
	{executes, unix.ETXTBSY, []check{openForWriting}, "the program is open for writing"},
	{executes, unix.E2BIG, []check{longArguments}, "arguments and environment are too long"},
	{executes, unix.EINVAL, []check{badFormat}, "the ELF file names more than one interpreter"},
	{executes, unix.ELIBBAD, nil, "the ELF interpreter is damaged"},
	{
		executes, unix.EPERM,
		[]check{filtered},
		"the program is set-uid, and the mount or the tracer forbids it",
	},

	// Others.
	{
		"kill tgkill pidfd_send_signal", unix.EPERM,
		[]check{filtered, capability},
		"the process is another user's",
	},
	{"kill tgkill", unix.ESRCH, []check{processGone}, "there is no such process"},
	{"pidfd_open", unix.ESRCH, []check{processGone}, "there is no such process"},
	{"wait4 waitid", unix.ECHILD, nil, "there is no child of that number to wait for"},
	{"keyctl add_key", unix.EDQUOT, nil, "the user's quota for keys is used up (/proc/key-users)"},
	{
		"prlimit64 setrlimit", unix.EPERM,
		[]check{filtered, capability},
		"the hard limit cannot be raised",
	},
	{
		"prlimit64 setrlimit", unix.EINVAL, nil,
		"the soft limit is above the hard one; no such resource",
	},
	{"ioctl", unix.ENOTTY, nil, "the descriptor is no terminal, or knows no such request"},
	{"getxattr", unix.ENODATA, nil, "the file has no such attribute"},
	{"readlink readlinkat", unix.EINVAL, nil, "it is no symbolic link"},

	// All calls: path_resolution(7), and what open(2) has in common with the others.
	{"*", unix.ENOENT, []check{missing}, ""},
	{"*", unix.ENOTDIR, []check{notDirectory}, ""},
	{"*", unix.ELOOP, []check{tooManyLinks}, ""},
	{"*", unix.EACCES, []check{forbidden, profile}, ""},
	{"*", unix.EROFS, []check{readOnly}, ""},
	{"*", unix.ENOSPC, []check{full}, ""},
	{"*", unix.EEXIST, []check{there}, ""},
	{"*", unix.ENOTEMPTY, []check{notEmpty}, ""},
	{"*", unix.EBUSY, []check{isMountPoint}, ""},
	{"*", unix.EXDEV, []check{differentMounts}, ""},
	{"*", unix.EISDIR, []check{isDirectory}, ""},
	{"*", unix.ETXTBSY, []check{openForWriting}, ""},
	{"*", unix.ENAMETOOLONG, []check{tooLong}, ""},
	{"*", unix.EBADF, []check{notOpen}, ""},
	{"*", unix.EMFILE, []check{openLimit}, ""},
	{"*", unix.ENFILE, nil, "the machine has as many files open as it may (fs.file-max)"},
	{"*", unix.ENOSYS, []check{filtered, tooOld}, ""},
	{"*", unix.EPERM, []check{filtered, capability, mayBeFiltered}, ""},
	{"*", unix.EFAULT, nil, "an argument points to memory that the process does not have"},
}
