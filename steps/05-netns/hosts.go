package netns

import (
	"fmt"

	"github.com/containerkit/kit/internal/container"
)

// tell writes the hosts files of containers that have one anew: who is there now.
// One that cannot be written to is its container's own doing, which may execute it
// or hold a lease on it (ETXTBSY, EAGAIN): it knows fewer names, and nobody else
// has to wait or to fail for it.
func tell(mates []*container.Container, all string) {
	for _, m := range mates {
		if m.Pid != 0 && m.Net.Dir != "" { // else it will write its own
			_ = write(m.Net.Dir+"/hosts", localHosts+all)
		}
	}
}

// entries are the lines of all those that have an address.
func entries(containers []*container.Container) (lines string) {
	for _, c := range containers {
		if !c.Net.Address.IsValid() {
			continue
		}
		names := c.Name
		if c.Hostname != c.Name {
			names += " " + c.Hostname
		}
		lines += fmt.Sprintf("%s\t%s\n", c.Net.Address.Addr(), names)
	}
	return lines
}

const localHosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

// hostsText is the container's hosts file.
func hostsText(c *container.Container, all string) string {
	if c.Net.Kind == container.NetHost {
		if text, err := read("/etc/hosts"); err == nil {
			return string(text)
		}
	}
	return localHosts + all
}
