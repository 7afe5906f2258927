// Gen takes the texts of the lessons apart: kit itself has no parser for them.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/lesson/markdown"
)

func main() {
	log.SetFlags(0)
	files, err := filepath.Glob("[0-9][0-9]-*.md")
	if err != nil {
		log.Fatal(err)
	}
	var all []*lesson.Lesson
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		l, err := markdown.Parse(file, source)
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, l)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(all); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("lessons.json", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
