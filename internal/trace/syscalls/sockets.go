package syscalls

import "golang.org/x/sys/unix"

// socketLevels are those of setsockopt(2).
var socketLevels = [...]flag{
	{unix.SOL_SOCKET, "SOL_SOCKET"},
	{unix.IPPROTO_IP, "IPPROTO_IP"},
	{unix.IPPROTO_TCP, "IPPROTO_TCP"},
	{unix.IPPROTO_IPV6, "IPPROTO_IPV6"},
	{unix.SOL_NETLINK, "SOL_NETLINK"},
}

// socketOptions are those of socket(7).
var socketOptions = [...]flag{
	{unix.SO_REUSEADDR, "SO_REUSEADDR"},
	{unix.SO_TYPE, "SO_TYPE"},
	{unix.SO_ERROR, "SO_ERROR"},
	{unix.SO_BROADCAST, "SO_BROADCAST"},
	{unix.SO_SNDBUF, "SO_SNDBUF"},
	{unix.SO_RCVBUF, "SO_RCVBUF"},
	{unix.SO_KEEPALIVE, "SO_KEEPALIVE"},
	{unix.SO_REUSEPORT, "SO_REUSEPORT"},
	{unix.SO_PASSCRED, "SO_PASSCRED"},
	{unix.SO_PEERCRED, "SO_PEERCRED"},
	{unix.SO_RCVTIMEO, "SO_RCVTIMEO"},
	{unix.SO_SNDTIMEO, "SO_SNDTIMEO"},
	{unix.SO_ATTACH_FILTER, "SO_ATTACH_FILTER"},
	{unix.SO_SNDBUFFORCE, "SO_SNDBUFFORCE"},
	{unix.SO_RCVBUFFORCE, "SO_RCVBUFFORCE"},
	{unix.SO_PROTOCOL, "SO_PROTOCOL"},
	{unix.SO_DOMAIN, "SO_DOMAIN"},
}

// netlinkOptions are those of netlink(7).
var netlinkOptions = [...]flag{
	{unix.NETLINK_ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP"},
	{unix.NETLINK_NO_ENOBUFS, "NETLINK_NO_ENOBUFS"},
	{unix.NETLINK_CAP_ACK, "NETLINK_CAP_ACK"},
	{unix.NETLINK_EXT_ACK, "NETLINK_EXT_ACK"},
	{unix.NETLINK_GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK"},
}

// netlinkProtocols are those of netlink(7).
var netlinkProtocols = [...]flag{
	{unix.NETLINK_ROUTE, "NETLINK_ROUTE"},
	{unix.NETLINK_NETFILTER, "NETLINK_NETFILTER"},
	{unix.NETLINK_GENERIC, "NETLINK_GENERIC"},
	{unix.NETLINK_KOBJECT_UEVENT, "NETLINK_KOBJECT_UEVENT"},
}

// inetProtocols are those of ip(7).
var inetProtocols = [...]flag{
	{unix.IPPROTO_IP, "IPPROTO_IP"},
	{unix.IPPROTO_ICMP, "IPPROTO_ICMP"},
	{unix.IPPROTO_TCP, "IPPROTO_TCP"},
	{unix.IPPROTO_UDP, "IPPROTO_UDP"},
}
