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

// longest is how many bytes an event may have: more is no record, or one that was made
// to fill memory. The scene of a machine with a thousand mounts has half a million.
const longest = 16 << 20

// A copier takes an event as it stands in the record: what is not known of it is kept.
type copier interface {
	copy(line []byte) error
}

// Replay reads a record in its JSON form and gives its events to sink. Keys
// that it does not know are passed over; written as JSON again they are kept. Errors
// name the line.
func Replay(r io.Reader, sink trace.Sink) error {
	lines := bufio.NewReader(r)
	var last trace.Kind
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if len(line) == 0 && errors.Is(err, io.EOF) {
			return endOf(last, n-1)
		}
		if len(line) > longest {
			return fmt.Errorf("line %d: longer than %d MiB: not an event of a trace", n, longest>>20)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		e, err := parse(line, n)
		if err == nil && last == trace.End {
			err = fmt.Errorf("%s after the end of the record", e.Kind)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if c, ok := sink.(copier); ok {
			err = c.copy(line)
		} else {
			err = sink.Event(e)
		}
		if err != nil {
			return err
		}
		last = e.Kind
	}
}

// endOf tells whether a record may end with its nth line.
func endOf(last trace.Kind, n int) error {
	switch last {
	case "":
		return errors.New("line 1: the record is empty")
	case trace.End:
		return nil
	}
	return fmt.Errorf("line %d: %w", n, ErrCutOff)
}

// readLine reads a line with its end, the last one without, or the beginning of one that
// is too long.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > longest || !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// parse reads the nth line of a record.
func parse(line []byte, n int) (*trace.Event, error) {
	e := &trace.Event{}
	err := json.Unmarshal(line, e)
	var version struct{ V int }
	if err != nil && json.Unmarshal(line, &version) == nil {
		e.V = version.V // of a later version nothing else need be understood
	}
	switch {
	case e.V > trace.Version:
		return nil, fmt.Errorf("version %d of the format: this kit knows %d", e.V, trace.Version)
	case err != nil && n > 1 && line[len(line)-1] != '\n':
		return nil, ErrCutOff // in the middle of a line
	case err != nil:
		return nil, fmt.Errorf("not an event of a trace: %w", err)
	case e.V < 1 || e.Kind == "" || e.Kind == trace.Still && e.Scene == nil:
		return nil, errors.New("not an event of a trace")
	case n == 1 && e.Kind != trace.Begin:
		return nil, fmt.Errorf("a record begins with a begin event, not with %s", e.Kind)
	}
	return e, nil
}
