package syscalls

import "golang.org/x/sys/unix"

// magics are the kinds of file system (statfs(2), linux/magic.h).
var magics = [...]flag{
	{unix.BPF_FS_MAGIC, "BPF_FS_MAGIC"},
	{unix.BTRFS_SUPER_MAGIC, "BTRFS_SUPER_MAGIC"},
	{unix.CGROUP_SUPER_MAGIC, "CGROUP_SUPER_MAGIC"},
	{unix.CGROUP2_SUPER_MAGIC, "CGROUP2_SUPER_MAGIC"},
	{unix.DEVPTS_SUPER_MAGIC, "DEVPTS_SUPER_MAGIC"},
	{unix.EXT4_SUPER_MAGIC, "EXT4_SUPER_MAGIC"},
	{unix.FUSE_SUPER_MAGIC, "FUSE_SUPER_MAGIC"},
	{unix.NFS_SUPER_MAGIC, "NFS_SUPER_MAGIC"},
	{unix.NSFS_MAGIC, "NSFS_MAGIC"},
	{unix.OVERLAYFS_SUPER_MAGIC, "OVERLAYFS_SUPER_MAGIC"},
	{unix.PROC_SUPER_MAGIC, "PROC_SUPER_MAGIC"},
	{unix.RAMFS_MAGIC, "RAMFS_MAGIC"},
	{unix.SECURITYFS_MAGIC, "SECURITYFS_MAGIC"},
	{unix.SQUASHFS_MAGIC, "SQUASHFS_MAGIC"},
	{unix.SYSFS_MAGIC, "SYSFS_MAGIC"},
	{unix.TMPFS_MAGIC, "TMPFS_MAGIC"},
	{unix.V9FS_MAGIC, "V9FS_MAGIC"},
	{unix.XFS_SUPER_MAGIC, "XFS_SUPER_MAGIC"},
}

// descriptorFlags are those of F_SETFD (fcntl(2)).
var descriptorFlags = [...]flag{{unix.FD_CLOEXEC, "FD_CLOEXEC"}}

// seals are those of F_ADD_SEALS (fcntl(2)).
var seals = [...]flag{
	{unix.F_SEAL_SEAL, "F_SEAL_SEAL"},
	{unix.F_SEAL_SHRINK, "F_SEAL_SHRINK"},
	{unix.F_SEAL_GROW, "F_SEAL_GROW"},
	{unix.F_SEAL_WRITE, "F_SEAL_WRITE"},
	{unix.F_SEAL_FUTURE_WRITE, "F_SEAL_FUTURE_WRITE"},
}

// pollEvents are those of poll(2).
var pollEvents = [...]flag{
	{unix.POLLIN, "POLLIN"},
	{unix.POLLPRI, "POLLPRI"},
	{unix.POLLOUT, "POLLOUT"},
	{unix.POLLERR, "POLLERR"},
	{unix.POLLHUP, "POLLHUP"},
	{unix.POLLNVAL, "POLLNVAL"},
	{unix.POLLRDHUP, "POLLRDHUP"},
}

// xattrFlags are those of setxattr(2).
var xattrFlags = [...]flag{
	{unix.XATTR_CREATE, "XATTR_CREATE"},
	{unix.XATTR_REPLACE, "XATTR_REPLACE"},
}

// statxFields are those of statx(2).
var statxFields = [...]flag{
	{unix.STATX_ALL, "STATX_ALL"},
	{unix.STATX_BASIC_STATS, "STATX_BASIC_STATS"},
	{unix.STATX_TYPE, "STATX_TYPE"},
	{unix.STATX_MODE, "STATX_MODE"},
	{unix.STATX_NLINK, "STATX_NLINK"},
	{unix.STATX_UID, "STATX_UID"},
	{unix.STATX_GID, "STATX_GID"},
	{unix.STATX_INO, "STATX_INO"},
	{unix.STATX_SIZE, "STATX_SIZE"},
	{unix.STATX_MNT_ID, "STATX_MNT_ID"},
}

// landlockFlags are those of landlock_create_ruleset(2).
var landlockFlags = [...]flag{
	{unix.LANDLOCK_CREATE_RULESET_VERSION, "LANDLOCK_CREATE_RULESET_VERSION"},
}

// landlockRules are those of landlock_add_rule(2).
var landlockRules = [...]flag{{unix.LANDLOCK_RULE_PATH_BENEATH, "LANDLOCK_RULE_PATH_BENEATH"}}

// rebootCommands are those of reboot(2).
var rebootCommands = [...]flag{
	{unix.LINUX_REBOOT_CMD_CAD_OFF, "LINUX_REBOOT_CMD_CAD_OFF"},
	{unix.LINUX_REBOOT_CMD_CAD_ON, "LINUX_REBOOT_CMD_CAD_ON"},
	{unix.LINUX_REBOOT_CMD_HALT, "LINUX_REBOOT_CMD_HALT"},
	{unix.LINUX_REBOOT_CMD_KEXEC, "LINUX_REBOOT_CMD_KEXEC"},
	{unix.LINUX_REBOOT_CMD_POWER_OFF, "LINUX_REBOOT_CMD_POWER_OFF"},
	{unix.LINUX_REBOOT_CMD_RESTART, "LINUX_REBOOT_CMD_RESTART"},
}
