// Package lesson is a lesson taken apart: what there is to read, and the sessions in
// it, which are there to be run. Package markdown makes it out of the text.
package lesson

import (
	"strconv"
	"strings"
)

// A Lesson is one of the course.
type Lesson struct {
	File   string  `json:"file"`  // lessons/02-namespaces.md, without the directory
	Title  string  `json:"title"` // its heading of the first level
	Blocks []Block `json:"blocks"`
}

// Number is the lesson's, with which the name of its file begins: that of the step that
// it is about.
func (l *Lesson) Number() int {
	number, _, _ := strings.Cut(l.File, "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		return -1
	}
	return n
}

// Kind tells what a Block is.
type Kind string

// The kinds of block.
const (
	Heading   Kind = "heading"   // Level, Text
	Paragraph Kind = "paragraph" // Text
	List      Kind = "list"      // Ordered, and an Item each in Blocks
	Item      Kind = "item"      // Blocks
	Quote     Kind = "quote"     // Blocks
	Code      Kind = "code"      // Lang, Info, Code, Source
	Table     Kind = "table"     // Head, Rows
	Details   Kind = "details"   // Text is the line that is always seen, Blocks what it folds
	Rule      Kind = "rule"      // a line across
)

// A Block is one piece of a lesson. The fields that its kind does not name are empty.
type Block struct {
	Kind    Kind    `json:"kind"`
	Level   int     `json:"level,omitempty"`
	Ordered bool    `json:"ordered,omitempty"`
	Text    []Span  `json:"text,omitempty"`
	Blocks  []Block `json:"blocks,omitempty"`

	Lang   string `json:"lang,omitempty"` // console, go, sh, ...
	Info   string `json:"info,omitempty"` // what follows the language: root
	Code   string `json:"code,omitempty"`
	Source string `json:"source,omitempty"` // what the code quotes: file, symbol

	Head [][]Span   `json:"head,omitempty"` // a cell each
	Rows [][][]Span `json:"rows,omitempty"`
}

// Style tells how a Span looks.
type Style string

// The styles of text.
const (
	Plain    Style = ""
	Literal  Style = "code"
	Emphasis Style = "em"
	Strong   Style = "strong"
)

// A Span is text of one style.
type Span struct {
	Text  string `json:"text"`
	Style Style  `json:"style,omitempty"`
	Link  string `json:"link,omitempty"`
}

// Walk calls f for each of the blocks and all below them, in the order of the text.
func Walk(blocks []Block, f func(*Block)) {
	for i := range blocks {
		f(&blocks[i])
		Walk(blocks[i].Blocks, f)
	}
}

// PlainText is the text of spans without their style.
func PlainText(spans []Span) string {
	var text string
	for _, s := range spans {
		text += s.Text
	}
	return text
}
