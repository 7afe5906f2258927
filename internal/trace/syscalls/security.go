package syscalls

import "golang.org/x/sys/unix"

// seccompFlags are those of SECCOMP_SET_MODE_FILTER (seccomp(2)).
var seccompFlags = [...]flag{
	{unix.SECCOMP_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
	{unix.SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
	{unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
	{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
	{unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"},
}

// seccompModes are those of PR_SET_SECCOMP (prctl(2)).
var seccompModes = [...]flag{
	{unix.SECCOMP_MODE_STRICT, "SECCOMP_MODE_STRICT"},
	{unix.SECCOMP_MODE_FILTER, "SECCOMP_MODE_FILTER"},
}

// secureBits are those of PR_SET_SECUREBITS (capabilities(7)).
var secureBits = [...]flag{
	{1 << 0, "SECBIT_NOROOT"},
	{1 << 1, "SECBIT_NOROOT_LOCKED"},
	{1 << 2, "SECBIT_NO_SETUID_FIXUP"},
	{1 << 3, "SECBIT_NO_SETUID_FIXUP_LOCKED"},
	{1 << 4, "SECBIT_KEEP_CAPS"},
	{1 << 5, "SECBIT_KEEP_CAPS_LOCKED"},
	{1 << 6, "SECBIT_NO_CAP_AMBIENT_RAISE"},
	{1 << 7, "SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED"},
}

// fsopenFlags are those of fsopen(2).
var fsopenFlags = [...]flag{{unix.FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"}}

// fsmountFlags are those of fsmount(2).
var fsmountFlags = [...]flag{{unix.FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"}}

// renameFlags are those of renameat2(2).
var renameFlags = [...]flag{
	{unix.RENAME_NOREPLACE, "RENAME_NOREPLACE"},
	{unix.RENAME_EXCHANGE, "RENAME_EXCHANGE"},
	{unix.RENAME_WHITEOUT, "RENAME_WHITEOUT"},
}

// flockFlags are those of flock(2).
var flockFlags = [...]flag{
	{unix.LOCK_SH, "LOCK_SH"},
	{unix.LOCK_EX, "LOCK_EX"},
	{unix.LOCK_NB, "LOCK_NB"},
	{unix.LOCK_UN, "LOCK_UN"},
}

// resolveFlags are those of openat2(2).
var resolveFlags = [...]flag{
	{unix.RESOLVE_NO_XDEV, "RESOLVE_NO_XDEV"},
	{unix.RESOLVE_NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"},
	{unix.RESOLVE_NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"},
	{unix.RESOLVE_BENEATH, "RESOLVE_BENEATH"},
	{unix.RESOLVE_IN_ROOT, "RESOLVE_IN_ROOT"},
	{0x20, "RESOLVE_CACHED"},
}

// keyctlOps are those of keyctl(2).
var keyctlOps = [...]flag{
	{unix.KEYCTL_GET_KEYRING_ID, "KEYCTL_GET_KEYRING_ID"},
	{unix.KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"},
	{unix.KEYCTL_SETPERM, "KEYCTL_SETPERM"},
	{unix.KEYCTL_DESCRIBE, "KEYCTL_DESCRIBE"},
}

// keyrings are those that keyctl(2) has numbers for.
var keyrings = [...]flag{
	{0xffffffffffffffff, "KEY_SPEC_THREAD_KEYRING"},
	{0xfffffffffffffffe, "KEY_SPEC_PROCESS_KEYRING"},
	{0xfffffffffffffffd, "KEY_SPEC_SESSION_KEYRING"},
	{0xfffffffffffffffc, "KEY_SPEC_USER_KEYRING"},
	{0xfffffffffffffffb, "KEY_SPEC_USER_SESSION_KEYRING"},
}

// bpfCommands are those of bpf(2).
var bpfCommands = [...]flag{
	{unix.BPF_MAP_CREATE, "BPF_MAP_CREATE"},
	{unix.BPF_MAP_LOOKUP_ELEM, "BPF_MAP_LOOKUP_ELEM"},
	{unix.BPF_MAP_UPDATE_ELEM, "BPF_MAP_UPDATE_ELEM"},
	{unix.BPF_PROG_LOAD, "BPF_PROG_LOAD"},
	{unix.BPF_OBJ_PIN, "BPF_OBJ_PIN"},
	{unix.BPF_OBJ_GET, "BPF_OBJ_GET"},
	{unix.BPF_PROG_ATTACH, "BPF_PROG_ATTACH"},
	{unix.BPF_PROG_DETACH, "BPF_PROG_DETACH"},
	{unix.BPF_PROG_GET_FD_BY_ID, "BPF_PROG_GET_FD_BY_ID"},
	{unix.BPF_OBJ_GET_INFO_BY_FD, "BPF_OBJ_GET_INFO_BY_FD"},
	{unix.BPF_PROG_QUERY, "BPF_PROG_QUERY"},
	{unix.BPF_BTF_LOAD, "BPF_BTF_LOAD"},
	{unix.BPF_LINK_CREATE, "BPF_LINK_CREATE"},
}

// bpfProgramTypes are those that have to do with containers (linux/bpf.h).
var bpfProgramTypes = [...]flag{
	{unix.BPF_PROG_TYPE_SOCKET_FILTER, "BPF_PROG_TYPE_SOCKET_FILTER"},
	{unix.BPF_PROG_TYPE_TRACEPOINT, "BPF_PROG_TYPE_TRACEPOINT"},
	{unix.BPF_PROG_TYPE_CGROUP_SKB, "BPF_PROG_TYPE_CGROUP_SKB"},
	{unix.BPF_PROG_TYPE_CGROUP_SOCK, "BPF_PROG_TYPE_CGROUP_SOCK"},
	{unix.BPF_PROG_TYPE_CGROUP_DEVICE, "BPF_PROG_TYPE_CGROUP_DEVICE"},
	{unix.BPF_PROG_TYPE_CGROUP_SYSCTL, "BPF_PROG_TYPE_CGROUP_SYSCTL"},
}

// bpfAttachTypes are those of programs for cgroups (linux/bpf.h).
var bpfAttachTypes = [...]flag{
	{unix.BPF_CGROUP_INET_INGRESS, "BPF_CGROUP_INET_INGRESS"},
	{unix.BPF_CGROUP_INET_EGRESS, "BPF_CGROUP_INET_EGRESS"},
	{unix.BPF_CGROUP_INET_SOCK_CREATE, "BPF_CGROUP_INET_SOCK_CREATE"},
	{unix.BPF_CGROUP_DEVICE, "BPF_CGROUP_DEVICE"},
	{unix.BPF_CGROUP_SYSCTL, "BPF_CGROUP_SYSCTL"},
}
