//go:build linux

package main

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/fatih/color"

	"github.com/containerkit/kit/steps"
)

// stepFiles returns the source files of a step, the one that is the lesson
// first, by path from the repository's top.
func stepFiles(n int) ([]string, error) {
	dir := fmt.Sprintf("%02d-%s", n, steps.All[n-1].Name)
	entries, err := fs.ReadDir(steps.Source, dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		file := path.Join("steps", dir, e.Name())
		switch {
		case strings.HasSuffix(file, "_test.go"):
		case declaresStep(file):
			files = append([]string{file}, files...)
		default:
			files = append(files, file)
		}
	}
	return files, nil
}

func declaresStep(file string) bool {
	src, err := fs.ReadFile(sources{}, file)
	return err == nil && strings.Contains(string(src), "\nvar Step = ")
}

// writeSource writes Go source with comments, keywords and texts in colour.
func writeSource(w io.Writer, src []byte, colorful bool) error {
	if !colorful {
		_, err := w.Write(src)
		return err
	}
	comment, keyword, text := color.New(color.FgGreen), color.New(color.Bold), color.New(color.FgCyan)
	for _, c := range []*color.Color{comment, keyword, text} {
		c.EnableColor()
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, nil, scanner.ScanComments)
	end := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			_, err := w.Write(src[end:])
			return err
		}
		start := file.Offset(pos)
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		_, _ = w.Write(src[end:start]) // the last write's error is the one to tell
		if lit == "" {
			lit = tok.String()
		}
		end = start + len(lit)
		switch {
		case tok == token.COMMENT:
			comment.Fprint(w, lit)
		case tok.IsKeyword():
			keyword.Fprint(w, lit)
		case tok == token.STRING || tok == token.CHAR:
			text.Fprint(w, lit)
		default:
			_, _ = io.WriteString(w, lit)
		}
	}
}
