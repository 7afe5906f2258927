package script

import (
	"fmt"
	"io"
	"strings"

	"github.com/docker/go-units"

	"github.com/containerkit/kit/internal/container"
)

// Docker writes c as a command line of docker's. What a step does not have yet, docker
// is told to leave out, as far as it can.
func Docker(w io.Writer, c *container.Container, argv []string) error {
	d := &docker{c: c}
	d.image()
	d.flags()
	for _, v := range c.Volumes {
		ro := ""
		if v.ReadOnly {
			ro = ":ro"
		}
		d.flag("--volume=" + v.Source + ":" + v.Target + ro)
	}
	if c.Steps >= 3 {
		d.limits()
	}
	d.network()
	d.security()
	_, err := fmt.Fprintf(w,
		"#!/bin/sh\n# %s\nset -eu\n\n%s\ndocker run --rm -i%s \\\n\tkit-rootfs %s\n",
		oneLine("Made by: "+quote(argv...)), strings.Join(d.before, "\n"),
		strings.Join(d.words, ""), quote(c.Args...))
	return err
}

type docker struct {
	c      *container.Container
	before []string // lines above
	words  []string
}

// flag adds a flag, on a line of its own.
func (d *docker) flag(words ...string) {
	for _, w := range words {
		d.words = append(d.words, " \\\n\t"+quote(w))
	}
}

func (d *docker) say(text string) { d.before = append(d.before, "# "+text) }

// image makes an image of the root file system, which docker has in layers.
func (d *docker) image() {
	d.say("docker wants an image: this root file system, as one layer.")
	d.before = append(d.before, "tar -C "+quote(d.c.Root)+" -c . | docker import - kit-rootfs", "")
	if len(d.c.Layers.Lower) > 0 || d.c.Layers.Upper != "" {
		d.say("--layer and --upper: docker stacks the layers of images, and keeps a container's changes")
		d.say("without --rm; a directory of your own is no layer to it.")
	}
	if d.c.Layers.Diff {
		d.say("--diff: docker diff NAME lists what was changed, without --rm.")
	}
	if d.c.Steps < 4 {
		d.say("docker always has an overlay (step 4): the root file system itself is not changed.")
	}
}

func (d *docker) flags() {
	c := d.c
	if c.Named {
		d.flag("--name=" + c.Name)
	}
	if c.Steps >= 2 && c.Hostname != c.Name {
		d.flag("--hostname=" + c.Hostname)
	}
	for _, e := range environment(c) {
		d.flag("--env=" + e)
	}
	if c.Workdir != "" {
		d.flag("--workdir=" + c.Workdir)
	}
	if c.User != "" {
		d.flag("--user=" + c.User)
	}
	if c.TTY {
		d.flag("--tty")
	}
	if c.Init {
		d.flag("--init")
	}
	if c.Time != 0 {
		d.say("--time-offset: docker has no time namespace.")
	}
	if c.UserNS == container.UserNSRemap {
		d.say("--userns remap: that is a setting of docker's daemon (userns-remap), for all containers.")
	}
	d.sharing()
}

// sharing are the namespaces of step 2; step 1 has none.
func (d *docker) sharing() {
	if d.c.Steps < 2 {
		d.say("docker has no way without a mount namespace; the others can be left out.")
		d.flag("--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host")
		return
	}
	for _, ns := range []struct {
		flag string
		with container.Sharing
	}{{"--ipc", d.c.IPC}, {"--pid", d.c.PID}} {
		switch {
		case ns.with.Host:
			d.flag(ns.flag + "=host")
		case ns.with.Pid != 0:
			d.say(fmt.Sprintf("%s=container:NAME: process %d is one of kit's, which docker does not know.",
				ns.flag, ns.with.Pid))
		}
	}
	if d.c.Steps < 3 {
		d.flag("--cgroupns=host")
	}
}

func (d *docker) limits() {
	l := d.c.Limits
	if l.Memory > 0 {
		d.flag("--memory="+bytes(l.Memory), "--memory-swap="+bytes(l.Memory))
	}
	if l.MemoryLow > 0 {
		d.flag("--memory-reservation=" + bytes(l.MemoryLow))
	}
	if l.CPUs > 0 {
		d.flag(fmt.Sprintf("--cpus=%g", l.CPUs))
	}
	if l.CPUWeight > 0 {
		d.say("docker gives weights in the scale of cgroup v1, in which 100 is 1024.")
		d.flag(fmt.Sprintf("--cpu-shares=%d", (l.CPUWeight*1024+50)/100))
	}
	if l.CPUSet != "" {
		d.flag("--cpuset-cpus=" + l.CPUSet)
	}
	if l.Pids > 0 {
		d.flag(fmt.Sprintf("--pids-limit=%d", l.Pids))
	}
	for _, io := range l.IO {
		if io.ReadBps > 0 {
			d.flag(fmt.Sprintf("--device-read-bps=%s:%d", io.Path, io.ReadBps))
		}
		if io.WriteBps > 0 {
			d.flag(fmt.Sprintf("--device-write-bps=%s:%d", io.Path, io.WriteBps))
		}
	}
	for _, dev := range d.c.Devices {
		d.flag("--device=" + dev.Source + ":" + dev.Target + ":" + dev.Access)
	}
}

// bytes is a size in docker's units, exactly.
func bytes(n int64) string {
	for _, u := range []struct {
		unit int64
		name string
	}{{units.GiB, "g"}, {units.MiB, "m"}, {units.KiB, "k"}} {
		if n%u.unit == 0 {
			return fmt.Sprintf("%d%s", n/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%db", n)
}

func (d *docker) network() {
	n := d.c.Net
	switch {
	case d.c.Steps < 5 || n.Kind == container.NetHost:
		d.flag("--network=host")
	case n.Kind == container.NetNone:
		d.flag("--network=none")
	case n.Kind == container.NetContainer:
		d.say("--net container:NAME: a container of kit's, which docker does not know.")
	}
	for _, p := range n.Publish {
		host := ""
		if p.HostIP.IsValid() {
			host = p.HostIP.String() + ":"
			if p.HostIP.Is6() {
				host = "[" + p.HostIP.String() + "]:"
			}
		}
		d.flag(fmt.Sprintf("--publish=%s%d:%d/%s", host, p.HostPort, p.Port, p.Protocol))
	}
	if n.IP.IsValid() {
		d.say("--ip: docker gives chosen addresses only in networks that you have made (docker network).")
		d.flag("--ip=" + n.IP.String())
	}
	for _, a := range n.DNS {
		d.flag("--dns=" + a.String())
	}
}

func (d *docker) security() {
	if d.c.Steps < 6 {
		d.say("All powers of root, until step 6.")
		d.flag("--cap-add=ALL", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined",
			"--security-opt=systempaths=unconfined")
		return
	}
	sec := d.c.Security
	d.flag("--cap-drop=ALL")
	for _, name := range capabilities(sec) {
		d.flag("--cap-add=" + strings.ToUpper(name))
	}
	if sec.NoNewPrivs {
		d.flag("--security-opt=no-new-privileges")
	}
	if sec.Profile != "" && sec.Profile != "default" {
		d.flag("--security-opt=seccomp=" + sec.Profile)
	}
	if sec.Unmasked {
		d.flag("--security-opt=systempaths=unconfined")
	}
	if sec.OOMScore != nil {
		d.flag(fmt.Sprintf("--oom-score-adj=%d", *sec.OOMScore))
	}
	for _, u := range sec.Ulimits {
		d.flag(fmt.Sprintf("--ulimit=%s=%d:%d", u.Name, int64(u.Soft), int64(u.Hard)))
	}
}
