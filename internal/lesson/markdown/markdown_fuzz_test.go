package markdown

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/site"
)

// FuzzParse reads any text, and writes what it is understood as for a terminal and as a
// page.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"# One\n\ntext `code` *a* **b** [c](d.md#e) <http://x>\n\n- 1\n- 2\n  1. 3\n\n> quote\n",
		"# T\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n---\n\n```console\n$ true\n...\n```\n",
		"# D\n\n<!-- code: a.go b -->\n```go\nfunc b() {}\n```\n\n" +
			"<details><summary>s</summary>\n\nx\n\n</details>\n",
		"# L\n\n[x](javascript:alert(1)) &lt;b&gt; \\*\n",
		strings.Repeat("> ", 60) + "# deep",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse("00-x.md", text)
		if err != nil {
			return
		}
		out := lesson.Text{Out: io.Discard, Width: 80, Unfold: true}
		require.NoError(t, out.Write(l))
		dir := t.TempDir()
		require.NoError(t, site.Write(dir, []lesson.Lesson{*l}, nil))
	})
}
