package hint

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// netRules are those of step 5.
func netRules() []rule {
	return []rule{
		{"publish ", unix.EADDRINUSE, portTaken},
		{"publish ", unix.EADDRNOTAVAIL, noSuchAddress},
		{"--publish ", unix.EADDRNOTAVAIL, noSuchAddress},
		{"address ", unix.EADDRINUSE, addressTaken},
		{"address ", unix.EADDRNOTAVAIL, addressOutside},
		{"network ", unix.EADDRINUSE, netsTaken},
		{"link kit0", unix.EOPNOTSUPP, noModule("bridge")},
		{"link kit0", unix.EPERM, foreignNetwork},
		{"link kit0", unix.EEXIST, bridgeTaken},
		{"link kit", unix.EOPNOTSUPP, noModule("veth")},
		{"nftables", unix.EPROTONOSUPPORT, noModule("nf_tables")},
		{"nftables", unix.EOPNOTSUPP, noModule("nft_chain_nat")},
		{"nftables", unix.ENOENT, noModule("nft_chain_nat", "nft_masq", "nft_fib_ipv4", "nft_ct")},
	}
}

func portTaken() []string {
	return []string{
		"kit ps shows the containers, ss -lntup the servers of this host",
	}
}

// noSuchAddress tells which addresses a port can be published on.
func noSuchAddress() []string {
	var own []string
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			own = append(own, n.IP.String())
		}
	}
	return []string{"this host has the addresses " + strings.Join(own, ", ") +
		"; without one, the port is open on all of them"}
}

func addressTaken() []string {
	return []string{"without --ip the container gets one that is free"}
}

// addressOutside tells which addresses there are: those of the bridge, if it is there.
func addressOutside() []string {
	bridge, err := net.InterfaceByName("kit0")
	if err != nil {
		return addressTaken()
	}
	addresses, _ := bridge.Addrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return []string{fmt.Sprintf("the bridge kit0 is %s; the first and the last address of "+
				"a network are nobody's", n)}
		}
	}
	return addressTaken()
}

func netsTaken() []string {
	return []string{"this host has routes to all of them (ip route): the addresses would " +
		"not be theirs alone"}
}

func bridgeTaken() []string {
	return []string{"something else on this host is called kit0 (ip -d link show kit0)"}
}

// noModule tells what the kernel does without, and how it can be had.
func noModule(names ...string) func() []string {
	return func() []string {
		return []string{
			"the kernel may lack a module; as root: modprobe -a " + strings.Join(names, " "),
			"--net none and --net host work without",
		}
	}
}
