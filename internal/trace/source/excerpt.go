package source

// Around returns the lines of the declaration to which a line of a file belongs, and the
// number of the first of them; none without a source.
func (r *Reader) Around(path string, line int) (lines []string, first int) {
	r.At(path, line)
	f := r.files[path]
	if line < 1 || line > len(f.lines) {
		return nil, 0
	}
	first, last := f.function(line)
	for last > line && !closes(f.lines[last-1]) {
		last--
	}
	for first > 1 && isComment(f.lines[first-2]) {
		first--
	}
	return f.lines[first-1 : last], first
}

// closes tells a bracket that stands alone at the end of a declaration, or of its
// parameters.
func closes(line string) bool { return line != "" && (line[0] == '}' || line[0] == ')') }

func isComment(line string) bool { return len(line) > 1 && line[:2] == "//" }
