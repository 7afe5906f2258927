package trace

import "github.com/containerkit/kit/internal/trace/source"

// A recorder completes events and gives them to the sink, beside the tracer:
// parsing source and printing take time, in which the tracee would stand still.
type recorder struct {
	sink    Sink
	sources *source.Reader
	module  string

	batch   []item // what has not been handed over
	batches chan []item
	done    chan struct{}
	err     error // the sink's first
}

// An item is an event, and the place that it is yet to be given. One with a channel
// asks for a sign when all before it is through; its event, if any, is not recorded.
type item struct {
	event   *Event
	site    *site
	through chan struct{}
}

func newRecorder(cfg *Config) *recorder {
	r := &recorder{
		sink: cfg.Sink, sources: source.NewReader(cfg.Sources), module: cfg.Module,
		batches: make(chan []item, 64), done: make(chan struct{}),
	}
	go r.run()
	return r
}

// add takes an event. It is handed over together with what was there before
// when somebody may wait for it.
func (r *recorder) add(e *Event, s *site) {
	r.batch = append(r.batch, item{event: e, site: s})
	if e.Kind != Syscall || e.Class == Lesson || e.Class == Command {
		r.handOver()
	}
}

func (r *recorder) handOver() {
	r.batches <- r.batch
	r.batch = make([]item, 0, 64)
}

// flush waits until the sink has taken all events.
func (r *recorder) flush() { r.place(nil, nil) }

// place is flush, and gives an event that is not for the record its place.
func (r *recorder) place(e *Event, s *site) {
	through := make(chan struct{})
	r.batch = append(r.batch, item{e, s, through})
	r.handOver()
	<-through
}

// close is flush, and the end. It returns the sink's first error.
func (r *recorder) close() error {
	r.flush()
	close(r.batches)
	<-r.done
	return r.err
}

func (r *recorder) run() {
	defer close(r.done)
	for batch := range r.batches {
		for _, i := range batch {
			r.take(i)
		}
	}
}

// take gives one event to the sink. After the sink's first error there is nobody
// to give it to, but the program runs on.
func (r *recorder) take(i item) {
	if i.site != nil {
		i.site.locate(r)
		i.site.describe(i.event)
	}
	if i.through != nil {
		close(i.through)
		return
	}
	if r.err == nil && r.sink != nil {
		r.err = r.sink.Event(i.event)
	}
}
