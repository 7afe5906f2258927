//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	page "github.com/containerkit/kit/internal/report"
	"github.com/containerkit/kit/internal/trace"
)

// reportOption is --report FILE.html.
type reportOption struct {
	file string

	page  *page.Report // nil where none was asked for
	place string       // the file, found through links
	whole bool         // it is replaced as a whole; else, as a device, written to
}

func (o *reportOption) check(t *traceOptions) error {
	switch {
	case o.file == "":
		return nil
	case t.trace == "off":
		return fmt.Errorf("--report %s: there is nothing to report with --trace=off", o.file)
	case t.file != "" && filepath.Clean(t.file) == filepath.Clean(o.file):
		return fmt.Errorf("--report %s: the trace goes there", o.file)
	}
	return nil
}

// open makes sure that the page can be written when all is done: it is not before.
func (o *reportOption) open() error {
	if o.file == "" {
		return nil
	}
	o.page = page.New(sources{})
	place, err := filepath.EvalSymlinks(o.file)
	if errors.Is(err, fs.ErrNotExist) {
		place, err = o.file, nil
	}
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	o.place = place
	switch info, err := os.Stat(place); {
	case err == nil && info.IsDir():
		return fmt.Errorf("--report %s: it is a directory", o.file)
	case err == nil && !info.Mode().IsRegular():
		return nil
	}
	o.whole = true
	return o.probe()
}

// probe tries whether a file can be made where the page will be.
func (o *reportOption) probe() error {
	f, err := o.temporary()
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// temporary is a file beside the page's place, which only its owner may read: the
// command's arguments are in it.
func (o *reportOption) temporary() (*os.File, error) {
	dir, name := filepath.Split(o.place)
	f, err := os.CreateTemp(filepath.Clean(dir+"."), "."+name+".*")
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = &fs.PathError{Op: "create", Path: o.file, Err: e.Err}
	}
	if err != nil {
		return nil, fmt.Errorf("--report: %w", err)
	}
	return f, nil
}

// beside gives the events to the report as well as to sink.
func (o *reportOption) beside(sink trace.Sink) trace.Sink {
	if o.page == nil {
		return sink
	}
	return &tee{sink: sink, page: o.page}
}

// A tee gives events to two sinks. That the trace cannot be printed any more is no
// reason to have no report: it is told at the end.
type tee struct {
	sink trace.Sink
	page *page.Report
	err  error
}

// Event implements trace.Sink.
func (t *tee) Event(e *trace.Event) error {
	if t.err == nil {
		t.err = t.sink.Event(e)
	}
	if err := t.page.Event(e); err != nil || e.Kind != trace.End {
		return err
	}
	return t.err
}

// none tells that there will be no report, for a reason that has been found too late to
// refuse it.
func (o *reportOption) none(reason error) {
	if o.page != nil {
		note([]string{fmt.Sprintf("no report: %v", reason)})
	}
}

// write writes the page: whole, or not at all.
func (o *reportOption) write() error {
	if o.page == nil || o.page.Empty() {
		return nil
	}
	if !o.whole {
		f, err := os.OpenFile(o.place, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("--report: %w", err)
		}
		return o.fill(f)
	}
	f, err := o.temporary()
	if err != nil {
		return err
	}
	err = o.fill(f)
	if err == nil {
		err = os.Rename(f.Name(), o.place)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("--report: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// after writes the page of a record that has been replayed, as far as it went.
func (o *reportOption) after(err error) error {
	if e := o.write(); e != nil {
		return failed(errors.Join(e, err))
	}
	return err
}

// fill writes the page into f, and closes it.
func (o *reportOption) fill(f *os.File) error {
	w := bufio.NewWriter(f)
	return errors.Join(o.page.Write(w), w.Flush(), f.Close())
}
