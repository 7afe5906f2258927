package script

import "strings"

// room is the Before moment of step 4.
func (s *script) room() {
	s.section("Step 4, overlay: a root file system of its own to write to")
	s.do("The container's own directory. A disk that is itself an overlay cannot hold it: "+
		"then use TMPDIR=/dev/shm.",
		`WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/$NAME.XXXXXX")`)
	s.later(`rm -rf "$WORK"`)
	s.do("", `mkdir "$WORK/upper" "$WORK/work" "$WORK/merged"`)
	s.pass = append(s.pass, "WORK", "UPPER", "PREPARE")
	if s.c.Layers.Diff {
		s.why("--diff: kit compares the layers itself. No command does; find \"$UPPER\" at the end " +
			"lists what has changed, and a deleted file is a device there.")
	}
	if s.c.Layers.Upper == "" {
		s.do("", "UPPER=$WORK/upper", "PREPARE=$WORK/work")
		return
	}
	s.do("The changes are kept here. What the kernel prepares them in must be on the same disk.",
		"UPPER="+quote(s.c.Layers.Upper), "PREPARE=$UPPER.$NAME.work", `mkdir -p "$UPPER" "$PREPARE"`)
	s.later(`rm -rf "$PREPARE"`)
}

// overlay is the Child moment of step 4.
func (s *script) overlay() {
	s.section("Step 4, overlay: the layers seen as one")
	lower := `$ROOT`
	for _, dir := range s.c.Layers.Lower {
		lower = strings.ReplaceAll(strings.ReplaceAll(dir, `"`, `\"`), "$", `\$`) + ":" + lower
	}
	s.do(s.reason("04-overlay/overlay.go", `unix.Mount("overlay"`)+
		" (The topmost of the lower layers comes first.)",
		`mount -t overlay -o "lowerdir=`+lower+`,upperdir=$UPPER,workdir=$PREPARE" \`,
		`	overlay "$WORK/merged"`, `ROOT=$WORK/merged`)
}
