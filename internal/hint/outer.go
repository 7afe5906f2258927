package hint

import (
	"fmt"
	"os"
	"strings"
)

// lowPort tells from which port on a user may listen on the host.
func lowPort() []string {
	first := "1024"
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		first = strings.TrimSpace(string(text))
	}
	return []string{fmt.Sprintf("without root, ports of the host begin at %s: --publish 8080:80, "+
		"for one (net.ipv4.ip_unprivileged_port_start)", first)}
}
