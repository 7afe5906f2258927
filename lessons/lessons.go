// Package lessons is the course: one text a step, from a process to the runtimes
// that people use. What a lesson shows is run, and compared, by the tests.
package lessons

import (
	_ "embed"
	"encoding/json"

	"github.com/containerkit/kit/internal/lesson"
)

//go:generate go run ../internal/lesson/gen

//go:embed lessons.json
var data []byte

// All returns the lessons in teaching order.
func All() ([]lesson.Lesson, error) {
	var all []lesson.Lesson
	err := json.Unmarshal(data, &all)
	return all, err
}
