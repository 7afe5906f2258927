package lesson

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTextEnds with the first error: a reader who has had enough is shown no more.
func TestTextEnds(t *testing.T) {
	session := Block{Kind: Code, Lang: "console", Code: "$ true\n"}
	enough := errors.New("enough")
	shown := 0
	var out strings.Builder
	text := &Text{Out: &out, Width: 80, Show: func(*Session) error {
		shown++
		return enough
	}}
	item := Block{Blocks: []Block{session}}
	err := text.Write(&Lesson{Blocks: []Block{
		session,
		{Kind: Heading, Level: 1, Text: []Span{{Text: "More"}}},
		{Kind: Quote, Blocks: []Block{session}},
		{Kind: List, Blocks: []Block{item, item}},
		session,
	}})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, shown)
	require.NotContains(t, out.String(), "More")
}
