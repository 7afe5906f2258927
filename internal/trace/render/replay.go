package render

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/containerkit/kit/internal/trace"
)

// ErrCutOff tells that a record has no end: what there is has been replayed.
var ErrCutOff = errors.New("the record is cut off: there is no end event")

// Replay reads a record in its JSON form and gives its events to sink. Keys
// that it does not know are passed over. Errors name the line.
func Replay(r io.Reader, sink trace.Sink) error {
	lines := bufio.NewReader(r)
	var last trace.Kind
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		e, err := parse(line, n)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrCutOff // in the middle of a line
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if last == trace.End {
			return fmt.Errorf("line %d: %s after the end of the record", n, e.Kind)
		}
		if err := sink.Event(e); err != nil {
			return err
		}
		last = e.Kind
	}
	switch last {
	case "":
		return errors.New("line 1: the record is empty")
	case trace.End:
		return nil
	}
	return ErrCutOff
}

func parse(line []byte, n int) (*trace.Event, error) {
	e := &trace.Event{}
	if err := json.Unmarshal(line, e); err != nil {
		if n > 1 && line[len(line)-1] != '\n' {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("not an event of a trace: %w", err)
	}
	switch {
	case e.V == 0 || e.Kind == "":
		return nil, errors.New("not an event of a trace")
	case e.V != trace.Version:
		return nil, fmt.Errorf("version %d of the format: this kit knows %d", e.V, trace.Version)
	case n == 1 && e.Kind != trace.Begin:
		return nil, fmt.Errorf("a record begins with a begin event, not with %s", e.Kind)
	}
	return e, nil
}
