//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/steps"
)

const (
	module = "github.com/containerkit/kit"
	engine = module + "/internal/container"
)

// traceOptions are the flags about the trace.
type traceOptions struct {
	trace, format, file, colorful string
	verbosity                     int
	pause                         pauseOption
	inject                        injectOption
	follow                        bool
	report                        reportOption
}

// addTo adds the flags; what is --trace where it is not given.
func (o *traceOptions) addTo(f *pflag.FlagSet, what string) {
	f.StringVar(&o.trace, "trace", what,
		"`steps|off`: show the kernel calls of the steps, or run untraced")
	f.CountVarP(&o.verbosity, "verbose", "v",
		"-v: show the standard library's calls too; -vv: the Go runtime's")
	f.StringVar(&o.format, "format", "text", "`text|json`: form of the trace")
	f.StringVar(&o.file, "trace-file", "", "write the trace to `FILE` and not to standard error")
	f.StringVar(&o.colorful, "color", "auto", "`auto|always|never`: colours in the trace")
	f.StringVar(&o.report.file, "report", "", "write the trace as a page with pictures to `FILE`.html")
	f.Var(&o.pause, "pause", "stop before each kernel call, or from the `N`th on: --pause=N")
	f.Lookup("pause").NoOptDefVal = "1"
	f.BoolVar(&o.follow, "follow", false, "show the command's own container calls too, until SIGUSR1")
	f.Var(&o.inject, "inject",
		"let a kernel call fail: `CALL:ERRNO[:N]` the Nth such call, or the first")
}

// check refuses what is wrong with the flags.
func (o *traceOptions) check() error {
	if o.trace != "steps" && o.trace != "off" {
		return fmt.Errorf("--trace %s: not one of steps, off", o.trace)
	}
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("--format %s: not one of text, json", o.format)
	}
	if _, err := render.ColorFor(o.colorful, os.Stderr); err != nil {
		return err
	}
	return errors.Join(o.checkFollow(), o.pause.check(o), o.inject.check(o), o.report.check(o))
}

// show runs c under the observer, with the trace in out; or untraced, when that was
// asked for or the reason noTrace keeps it from being traced.
func (o *traceOptions) show(c *container.Container, out *os.File,
	untraced func(noTrace error) (exit int, err error),
) error {
	if o.trace == "off" {
		exit, err := untraced(nil)
		return &statusError{exit, err}
	}
	sink, err := newSink(out, o.format, o.colorful,
		render.TextOptions{Verbosity: o.verbosity, Errors: o.file != ""})
	if err != nil {
		return err
	}
	exit, err := observe(c, o, o.report.beside(o.pause.sink(sink, out, o)))
	if e := (*trace.Unavailable)(nil); errors.As(err, &e) {
		o.report.none(e)
		if err = o.inject.untraced(e); err != nil {
			return failed(err)
		}
		exit, err = untraced(e)
	}
	if e := o.report.write(); e != nil {
		err = errors.Join(err, e)
	}
	if o.file != "" {
		if e := out.Close(); e != nil {
			err = errors.Join(err, fmt.Errorf("--trace-file: %w", e))
		}
	}
	return &statusError{exit, err}
}

// observe runs c in a process of its own, under the observer.
func observe(c *container.Container, o *traceOptions, sink trace.Sink) (exit int, err error) {
	cmd, err := container.Observed()
	if err != nil {
		return 125, err
	}
	// SIGPIPE, too: when nobody reads the trace any more, the command runs on without.
	signals := container.CatchSignals()
	var opened chan error
	letGo, stop := func() {}, func() {}
	var said container.Report
	exit, err = trace.Run(trace.Config{
		Path: cmd.Path, Argv: cmd.Argv, Env: cmd.Env, Files: cmd.Files,
		Origins: origins(),
		Births: map[string]trace.Side{
			engine + ".startChild": trace.Child, engine + ".startEntering": trace.Child,
		},
		Apart:    map[string]bool{engine + ".startKeeper": true},
		Packages: packages(),
		Payload:  map[string]bool{engine + ".execPayload": true, engine + ".startPayload": true},
		Sources:  sources{},
		Module:   module,
		Detail:   o.detail,
		Pause:    o.pause.hook(),
		Inject:   o.inject.hook(),
		Scenes:   o.format == "json" || o.report.file != "",
		Follow:   o.follow,
		Sink:     sink,
		Told: func() (string, []string) {
			said = cmd.Told()
			o.inject.tell(&said)
			return said.Lines()
		},
		Started: func(pid int) {
			opened = make(chan error, 1)
			// A long command fills the gate, and is read only while the observer goes on.
			go func() { opened <- cmd.Open(c) }()
			stop = signals.Forward(pid)
			letGo = o.letGo(pid)
		},
	})
	letGo()
	stop()
	note(said.Notes)
	if e := said.Err(); e != nil {
		return exit, errors.Join(e, err)
	}
	if opened != nil {
		err = errors.Join(err, <-opened)
	}
	return exit, err
}

// detail tells whether the arguments of a class of calls will be shown: they
// are not read from the process otherwise.
func (o *traceOptions) detail(class trace.Class) bool {
	switch {
	case o.format == "json" || class == trace.Lesson || class == trace.Command:
		return true
	case class == trace.Bookkeeping:
		return o.verbosity >= 1 || o.report.file != ""
	}
	return o.verbosity >= 2
}

// origins tells the observer which function is which moment of which step.
func origins() map[string]trace.Origin {
	origins := map[string]trace.Origin{
		// Step 0, where the caller is not root.
		engine + ".becomeRoot": {Name: "root without being root"},
	}
	for i, s := range steps.All {
		for _, m := range s.Moments() {
			if m.Symbol() != "" {
				origins[m.Symbol()] = trace.Origin{Step: i + 1, Name: s.Name, Moment: m.Name}
			}
		}
	}
	return origins
}

// packages are those whose statements the trace explains.
func packages() []string {
	list := []string{engine}
	for symbol := range origins() {
		slash := strings.LastIndexByte(symbol, '/')
		dot := slash + strings.IndexByte(symbol[slash:], '.')
		list = append(list, symbol[:dot])
	}
	return list
}

// sources is the source of packages, by path from the module's top.
type sources struct{}

// Open implements fs.FS.
func (sources) Open(name string) (fs.File, error) {
	if path, ok := strings.CutPrefix(name, "steps/"); ok {
		return steps.Source.Open(path)
	}
	if path, ok := strings.CutPrefix(name, "internal/container/"); ok {
		return container.Source.Open(path)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// traceFile opens where the trace goes. The command's arguments and variables
// are in it, which are nobody else's business.
func (o *traceOptions) traceFile() (*os.File, error) {
	if err := o.report.open(); err != nil {
		return nil, err
	}
	if o.file == "" || o.trace == "off" {
		return os.Stderr, nil
	}
	out, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--trace-file: %w", err)
	}
	return out, nil
}
