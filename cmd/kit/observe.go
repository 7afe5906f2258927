//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/container"
	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/steps"
)

const (
	module = "github.com/containerkit/kit"
	engine = module + "/internal/container"
)

// observe runs c in a process of its own, under the observer.
func observe(c *container.Container, o *options, sink trace.Sink) (exit int, err error) {
	cmd, err := container.Observed()
	if err != nil {
		return 125, err
	}
	signals := container.CatchSignals()
	defer signals.Stop()
	// When nobody reads the trace any more, the command runs on without.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	var opened chan error
	exit, err = trace.Run(trace.Config{
		Path: cmd.Path, Argv: cmd.Argv, Env: cmd.Env, Files: cmd.Files,
		Origins:  origins(),
		Births:   map[string]trace.Side{engine + ".startChild": trace.Child},
		Apart:    map[string]bool{engine + ".startKeeper": true},
		Packages: packages(),
		Payload:  map[string]bool{engine + ".execPayload": true, engine + ".startPayload": true},
		Sources:  sources{},
		Module:   module,
		Detail:   o.detail,
		Sink:     sink,
		Started: func(pid int) {
			opened = make(chan error, 1)
			// A long command fills the gate, and is read only while the observer goes on.
			go func() { opened <- cmd.Open(c) }()
			signals.Forward(pid)
		},
	})
	if opened != nil {
		err = errors.Join(err, <-opened)
	}
	return exit, err
}

// detail tells whether the arguments of a class of calls will be shown: they
// are not read from the process otherwise.
func (o *options) detail(class trace.Class) bool {
	switch {
	case o.format == "json" || class == trace.Lesson:
		return true
	case class == trace.Bookkeeping:
		return o.verbosity >= 1
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
func (o *options) traceFile() (*os.File, error) {
	if o.file == "" || o.trace == "off" {
		return os.Stderr, nil
	}
	out, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--trace-file: %w", err)
	}
	return out, nil
}
