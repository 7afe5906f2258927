//go:build linux

package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/trace"
	"github.com/containerkit/kit/internal/trace/render"
)

func newReplayCommand() *cobra.Command {
	var form, when string
	var verbosity int
	var page reportOption
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Print a recorded trace again, in any format",
		Long: `Print a trace again that was recorded with kit step --format=json --trace-file
FILE. FILE may be -, for standard input.`,
		Args: wants("which file? kit step --format=json --trace-file FILE writes one"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sink, err := newSink(os.Stdout, form, when,
				render.TextOptions{Verbosity: verbosity, Errors: true})
			if err != nil {
				return err
			}
			if err := page.open(); err != nil {
				return failed(err)
			}
			return page.after(replay(cmd.InOrStdin(), args[0], page.beside(sink)))
		},
	}
	cmd.Flags().CountVarP(&verbosity, "verbose", "v",
		"-v: show the standard library's calls too; -vv: the Go runtime's")
	cmd.Flags().StringVar(&form, "format", "text", "`text|json`")
	cmd.Flags().StringVar(&when, "color", "auto", "`auto|always|never`: colours")
	cmd.Flags().StringVar(&page.file, "report", "",
		"write the trace as a page with pictures to `FILE`.html")
	return cmd
}

func replay(stdin io.Reader, name string, sink trace.Sink) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return failed(fmt.Errorf("replay: %w", err))
		}
		defer f.Close()
		in = f
	}
	if err := render.Replay(in, sink); err != nil {
		return failed(fmt.Errorf("replay %s: %w", name, err))
	}
	return nil
}

// newSink writes a trace to f in the form and with the colours asked for.
func newSink(f *os.File, form, when string, o render.TextOptions) (trace.Sink, error) {
	var err error
	o.Color, err = render.ColorFor(when, f)
	if err != nil {
		return nil, err
	}
	switch form {
	case "json":
		return render.NewJSON(f), nil
	case "text":
		o.Width = render.WidthFor(f)
		return render.NewText(linesTo(f), o), nil
	}
	return nil, fmt.Errorf("--format %s: not one of text, json", form)
}
