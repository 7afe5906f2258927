package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// drawn is the text of a picture by element, as a reader of XML finds it.
func drawn(t *testing.T, svg []byte) (title string, lines []string) {
	t.Helper()
	var doc struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Title   string   `xml:"title"`
		Bar     string   `xml:"text"`
		Groups  []struct {
			Lines []struct {
				Inner string `xml:",innerxml"`
			} `xml:"text"`
		} `xml:"g"`
	}
	require.NoError(t, xml.Unmarshal(svg, &doc))
	for _, g := range doc.Groups {
		for _, l := range g.Lines {
			lines = append(lines, l.Inner)
		}
	}
	require.Contains(t, doc.Title, doc.Bar)
	return doc.Title, lines
}

// TestSVG: colours become classes, a line is one element, and text is text.
func TestSVG(t *testing.T) {
	var b bytes.Buffer
	ansi := "\x1b[1mcall\x1b[0m(5</proc>) & \"x\"\n\n\x1b[31;1mred\x1b[0;22;0m plain\n"
	require.NoError(t, SVG(&b, `kit step 2 -- sh -c 'a <b & c'`, []byte(ansi)))
	title, lines := drawn(t, b.Bytes())
	require.Equal(t, `kit step 2 -- sh -c 'a <b & c': a trace in a terminal`, title)
	require.Equal(t, []string{
		`<tspan class="b">call</tspan>(5&lt;/proc&gt;) &amp; &#34;x&#34;`,
		``,
		`<tspan class="c31 b">red</tspan> plain`,
	}, lines)
	require.NotContains(t, b.String(), "\x1b")
}

// TestWellFormed reads to the end what is drawn of text that is not finished.
func TestWellFormed(t *testing.T) {
	for _, ansi := range []string{
		"", "\n", "]]>", "<![CDATA[", "</text></svg>", "\x1b[", "\x1b[31", "\x1b[31mred", "\x1b[999m?",
		"│ ── child ─ →",
	} {
		var b bytes.Buffer
		require.NoError(t, SVG(&b, "", []byte(ansi)))
		d := xml.NewDecoder(&b)
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "%q", ansi)
		}
	}
}

// TestSize: the picture is as wide as its longest line without the colours, or
// its title, and as high as it has lines.
func TestSize(t *testing.T) {
	size := func(title, ansi string) string {
		var b bytes.Buffer
		require.NoError(t, SVG(&b, title, []byte(ansi)))
		head, _, _ := strings.Cut(b.String(), " viewBox")
		_, head, _ = strings.Cut(head, "svg\" ")
		return head
	}
	require.Equal(t, `width="110" height="68"`, size("", "1234567890"))
	require.Equal(t, `width="110" height="68"`, size("", "\x1b[31;1m12345\x1b[0m67890"))
	require.Equal(t, `width="110" height="86"`, size("", "││││││││││\n2\n"))
	require.Equal(t, `width="110" height="68"`, size("1234567890", ""))
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

// TestSVGFails: the writer's error is told.
func TestSVGFails(t *testing.T) {
	full := errors.New("disk full")
	require.ErrorIs(t, SVG(broken{full}, "", nil), full)
}
