package script

import (
	"strings"

	"github.com/containerkit/kit/steps"
)

// reason is the comment above the first line that contains call in a file of the
// steps: the words of the step itself, so that the two cannot drift apart.
func (s *script) reason(file, call string) string {
	text, err := steps.Source.ReadFile(file)
	if comment := commentAbove(string(text), call); err == nil && comment != "" {
		return comment
	}
	s.missing = append(s.missing, file+": "+call)
	return ""
}

func commentAbove(text, call string) string {
	var comment []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		words, is := strings.CutPrefix(line, "//")
		switch {
		case is:
			comment = append(comment, strings.TrimSpace(words))
		case strings.Contains(line, call):
			return strings.Join(comment, " ")
		default:
			comment = nil
		}
	}
	return ""
}
