//go:build linux

package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/ktest"
	"github.com/containerkit/kit/internal/picture"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
)

var update = flag.Bool("update", false, "draw the README's picture anew")

// changing passes on the calls that changed something.
type changing struct{ trace.Sink }

func (c changing) Event(e *trace.Event) error {
	if e.Kind == trace.Syscall && (e.Class != trace.Lesson || len(e.Changes) == 0) {
		return nil
	}
	return c.Sink.Event(e)
}

// short leaves out what furnishes /dev, and what is said of calls in short, of which
// there are none: a page has room for no more.
func short(text []byte) []byte {
	var paragraphs [][]byte
	border := []byte("\x1b[35;1m│\x1b[0;22m\n")
	for _, p := range bytes.Split(text, border) {
		if !bytes.Contains(p, []byte("steps/02-namespaces/dev.go")) {
			paragraphs = append(paragraphs, p)
		}
	}
	text = bytes.Join(paragraphs, border)
	return regexp.MustCompile(`(?m)^.*Lines without these labels.*\n`).ReplaceAll(text, nil)
}

// TestPicture checks that the README's picture shows what kit prints: the same
// calls, for the same reasons. It is drawn, with the default root file system, by
//
//	go test ./cmd/kit -run TestPicture -update
func TestPicture(t *testing.T) {
	ktest.Root(t)
	file := filepath.Join("..", "..", "lessons", "trace.svg")
	record := filepath.Join(t.TempDir(), "trace.json")
	args := []string{"step", "2", "--name", "box", "--format=json", "--trace-file", record}
	if !*update {
		args = append(args, "--rootfs", ktest.Rootfs(t))
	}
	kit := exec.Command("kit", append(args, "/bin/true")...)
	kit.Dir = "/"
	out, err := kit.CombinedOutput()
	require.NoError(t, err, "%s", out)
	f, err := os.Open(record)
	require.NoError(t, err)
	defer f.Close()
	var text, svg bytes.Buffer
	sink := render.NewText(&text, render.TextOptions{Width: 96, Color: true})
	require.NoError(t, render.Replay(f, changing{sink}))
	// The command is the title.
	_, shown, _ := bytes.Cut(short(text.Bytes()), []byte("\n\n"))
	shown = regexp.MustCompile(`/tmp/\S+/bin/kit`).ReplaceAll(shown, []byte("/usr/local/bin/kit"))
	require.NoError(t, picture.SVG(&svg, "kit step 2 -- /bin/true", shown))
	if *update {
		require.NoError(t, os.WriteFile(file, svg.Bytes(), 0o644))
	}
	drawn, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, reasons(svg.String()), reasons(string(drawn)), "draw it anew with -update")
}

// reasons are what does not differ from run to run, nor when lines are added above.
func reasons(svg string) []string {
	return regexp.MustCompile(`why     </tspan>[^<]*|\w+\.go:`).FindAllString(svg, -1)
}
