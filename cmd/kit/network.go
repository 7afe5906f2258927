//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/state"
)

// networkOptions are the flags of step 5.
type networkOptions struct {
	net, ip      string
	publish, dns []string
}

func (o *networkOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.net, "net", "bridge",
		"step 5: network namespace: `bridge|none|host|container:NAME`")
	f.StringArrayVarP(&o.publish, "publish", "p", nil,
		"step 5: a port of the host leads inside: `[IP:]HOST:CTR[/udp]`")
	f.StringVar(&o.ip, "ip", "", "step 5: the container's `address`, of those of the bridge's net")
	f.StringArrayVar(&o.dns, "dns", nil, "step 5: `address` of a name server")
}

// set puts them into the container; one of fewer steps gets nothing.
func (o *networkOptions) set(c *container.Container) error {
	if c.Steps < 5 {
		return nil
	}
	if err := o.setKind(&c.Net); err != nil {
		return err
	}
	if c.Net.Kind != container.NetBridge && (len(o.publish) > 0 || o.ip != "") {
		return fmt.Errorf("--net %s: --publish and --ip need a network of its own (--net bridge)", o.net)
	}
	for _, p := range o.publish {
		port, err := parsePort(p)
		if err != nil {
			return fmt.Errorf("--publish %s: %w", p, err)
		}
		c.Net.Publish = append(c.Net.Publish, port)
	}
	if o.ip != "" {
		ip, err := netip.ParseAddr(o.ip)
		if err != nil || !ip.Is4() {
			return fmt.Errorf("--ip %s: not an IPv4 address", o.ip)
		}
		c.Net.IP = ip
	}
	for _, server := range o.dns {
		ip, err := netip.ParseAddr(server)
		if err != nil {
			return fmt.Errorf("--dns %s: not an IP address", server)
		}
		c.Net.DNS = append(c.Net.DNS, ip)
	}
	c.Net.Dir = filepath.Join(state.Dir(), c.Name+".net")
	return nil
}

// setKind understands bridge, none, host and container:NAME.
func (o *networkOptions) setKind(n *container.Net) error {
	name, shared := strings.CutPrefix(o.net, "container:")
	if shared {
		s, err := state.Load(name)
		if err != nil {
			return failed(fmt.Errorf("--net %s: %w", o.net, err))
		}
		var other container.Container
		if err := json.Unmarshal(s.Container, &other); err != nil {
			return failed(fmt.Errorf("--net %s: %w", o.net, err))
		}
		n.Kind, n.Pid = container.NetContainer, s.Pid
		n.Files = cmp.Or(other.Net.Files, other.Net.Dir)
		return nil
	}
	switch n.Kind = container.NetKind(o.net); n.Kind {
	case container.NetBridge, container.NetNone, container.NetHost:
		return nil
	}
	return fmt.Errorf("--net %s: not one of bridge, none, host, container:NAME", o.net)
}

// parsePort understands [IP:]HOST:CTR[/tcp|/udp].
func parsePort(text string) (p container.Port, err error) {
	ports, protocol, given := strings.Cut(text, "/")
	p.Protocol = "tcp"
	if given {
		p.Protocol = protocol
	}
	if p.Protocol != "tcp" && p.Protocol != "udp" {
		return p, fmt.Errorf("%s is neither tcp nor udp", p.Protocol)
	}
	fields := strings.Split(ports, ":")
	if len(fields) == 3 {
		if p.HostIP, err = netip.ParseAddr(fields[0]); err != nil || !p.HostIP.Is4() {
			return p, fmt.Errorf("%s is not an IPv4 address", fields[0])
		}
		fields = fields[1:]
	}
	if len(fields) != 2 {
		return p, errors.New("not of the form [IP:]HOST:CTR[/udp]")
	}
	if p.HostPort, err = portNumber(fields[0]); err != nil {
		return p, err
	}
	p.Port, err = portNumber(fields[1])
	return p, err
}

func portNumber(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port %q: not a number from 1 to 65535", text)
	}
	return uint16(n), nil
}
