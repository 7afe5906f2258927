package check

import (
	"fmt"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// mountExercises are those of step 2 about what is in the namespaces of mounts and of users.
func mountExercises() []exercise {
	return []exercise{
		{
			2, "old-root", "no way back to the host's root: pivot_root", 2, (*process).checkOldRoot,
			"Does a second chroot lead out of it again? kit attack 1 shows it.",
			"chroot(2) changes one process's root directory: the host's root stays mounted above it. " +
				"pivot_root(2) changes the root mount of the namespace, and umount2(MNT_DETACH) " +
				"then removes the old one.",
		},
		{
			2, "propagation", "mounts that do not show up on the host", 1, (*process).checkPropagation,
			"If it mounts something, does findmnt on the host show it?",
			"A new mount namespace begins with a copy of all mounts, and the copy of a shared one is " +
				"its peer: what is mounted below one shows up below the other " +
				"(mount_namespaces(7), shared subtrees).",
		},
		{
			2, "ids", "user ids that are mapped, root to nobody special", 1, (*process).checkIDs,
			"Who is it inside, and who outside? Compare id in there with ps -o uid outside.",
			"In a new user namespace everybody is the overflow id 65534 until somebody writes " +
				"uid_map, setgroups and gid_map, once (user_namespaces(7)).",
		},
	}
}

// checkOldRoot looks for what a change of root directory alone leaves there.
func (p *process) checkOldRoot() verdict {
	const pivot = `pivot_root(".", "."), umount2(".", MNT_DETACH)`
	bind := fmt.Sprintf(`Its root, %s, is to be a mount: mount(root, root, "", MS_BIND|MS_REC, ""), `+
		"chdir(root), %s.", p.them.Root, pivot)
	return p.inRoot(func() verdict {
		if v, ok := p.readable("mnt"); !ok {
			return v
		}
		if !p.own("mnt") {
			return no("its mount namespace is yours, with your root in it",
				bind).unless("a mount namespace of its own")
		}
		if p.seenErr != nil {
			return unknown(p.seenErr)
		}
		if p.top() == nil {
			return no("its / is no mount point, as chroot leaves it", bind)
		}
		up, err := above(p.root)
		if err != nil {
			return unknown(err)
		}
		defer unix.Close(up)
		at, err := placeOf(up)
		if err != nil {
			return unknown(err)
		}
		if at != p.rootID {
			return no("above its / is another directory: it is not the root mount of its namespace",
				fmt.Sprintf(`Above its / is a directory (%s): chdir("/"), %s in place of chroot.`,
					at, pivot))
		}
		if m := p.oldRoot(); m != nil {
			return no(fmt.Sprintf("the host's root is mounted on %s", m.Mountpoint),
				fmt.Sprintf("Mount %d, on %s, is the host's root (%d:%d %s): umount2(%[2]q, "+
					"MNT_DETACH) after pivot_root.", m.ID, m.Mountpoint, m.Major, m.Minor, m.Root))
		}
		return yes("its / is the root mount of %s, and yours is not mounted there", p.link("mnt"))
	}, bind)
}

// oldRoot is a mount of the checker's root in the process's mount namespace.
func (p *process) oldRoot() *mountinfo.Info {
	var mine *mountinfo.Info
	for _, m := range p.host {
		if m.Mountpoint == "/" {
			mine = m
		}
	}
	for _, list := range [][]*mountinfo.Info{p.seen, p.all} {
		for _, m := range list {
			if mine != nil && m.Major == mine.Major && m.Minor == mine.Minor && m.Root == mine.Root {
				return m
			}
		}
	}
	return nil
}

func (p *process) checkPropagation() verdict {
	const private = `mount("", "/", "", MS_REC|MS_PRIVATE, "") first of all in the new namespace.`
	if v, ok := p.readable("mnt"); !ok {
		return v
	}
	if !p.own("mnt") {
		return no("its mount namespace is yours", private).unless("a mount namespace of its own")
	}
	if p.seenErr != nil {
		return unknown(p.seenErr)
	}
	if len(p.all) == 0 {
		return hidden("its mounts cannot be seen from its root")
	}
	mine := map[string]string{}
	for _, m := range p.host {
		if g := peers(m); g != "" {
			mine[g] = m.Mountpoint
		}
	}
	for _, m := range p.all {
		if at, shared := mine[peers(m)]; shared {
			return no(fmt.Sprintf("its %s is a peer of %s on the host", m.Mountpoint, at),
				fmt.Sprintf("Mount %d, on %s, is shared:%s, and so is %s on the host: %s",
					m.ID, m.Mountpoint, peers(m), at, private))
		}
	}
	return yes("none of %s is a peer of one of the host's", count(len(p.all), "mount"))
}

// peers is the number of a shared mount's peer group, "" where it is not shared.
func peers(m *mountinfo.Info) string {
	for word := range strings.FieldsSeq(m.Optional) {
		if group, ok := strings.CutPrefix(word, "shared:"); ok {
			return group
		}
	}
	return ""
}

func (p *process) checkIDs() verdict {
	if v, ok := p.readable("user"); !ok {
		return v
	}
	if !p.own("user") {
		return verdict{none: true, got: "it is in your user namespace: there is nothing to map"}
	}
	for _, key := range []string{"uid_map", "gid_map"} {
		if why, missing := p.them.Errors[key]; missing {
			return hidden(why)
		}
	}
	uid, found := p.them.UIDMap.Outside(0)
	gid, both := p.them.GIDMap.Outside(0)
	if !found || !both {
		return no(fmt.Sprintf("no root in it: uid map %s, gid map %s", p.them.UIDMap, p.them.GIDMap),
			fmt.Sprintf("%s has no root: from outside write \"0 %d 1\" to /proc/{pid}/uid_map, deny to "+
				"setgroups, and \"0 %d 1\" to gid_map, before it execs.", p.link("user"),
				p.them.UIDs[0], p.them.GIDs[0]))
	}
	if uid == 0 {
		return no("root inside is root outside", fmt.Sprintf("%s maps 0 to 0: map 0 to ids that nobody "+
			"has, as \"0 100000 65536\" does.", p.link("user")))
	}
	return yes("uid 0 inside is %d outside, gid 0 is %d", uid, gid)
}
