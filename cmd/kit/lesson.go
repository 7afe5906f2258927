//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/lessons"
)

// lessonOptions are the flags of kit lesson.
type lessonOptions struct {
	all, run       bool
	colorful, site string
}

func newLessonCommand() *cobra.Command {
	o := &lessonOptions{}
	cmd := &cobra.Command{
		Use:   "lesson [N]",
		Short: "Read a lesson in the terminal, and work through it",
		Long: `Read lesson N: 0 is about a process, 1 to 6 are about the steps, 7 is about other
runtimes. Without N: list the lessons.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := lessons.All()
			if err != nil {
				return failed(err)
			}
			switch {
			case o.site != "" && len(args) > 0:
				return fmt.Errorf("--html writes all lessons: leave out the %s", args[0])
			case o.site != "":
				return failed(writeSite(o.site, list, cmd.ErrOrStderr()))
			case len(args) == 0 && o.run:
				return errors.New("--run: which lesson? kit lesson lists them")
			case len(args) == 0:
				return failed(listLessons(cmd.OutOrStdout(), list))
			}
			n, err := strconv.Atoi(args[0])
			i := slices.IndexFunc(list, func(l lesson.Lesson) bool { return l.Number() == n })
			if err != nil {
				return fmt.Errorf("lesson %s: not a number; kit lesson lists them", args[0])
			}
			if i < 0 {
				return fmt.Errorf("lesson %d: there are 0 to %d; kit lesson lists them", n, len(list)-1)
			}
			return o.read(cmd.OutOrStdout(), &list[i])
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "unfold the details, and the answers")
	cmd.Flags().BoolVar(&o.run, "run", false, "run the commands, one at a time: "+
		"Enter runs the next, q ends")
	cmd.Flags().StringVar(&o.site, "html", "",
		"write all lessons as pages into `DIR`, with a report of each step")
	cmd.Flags().StringVar(&o.colorful, "color", "auto", "`auto|always|never`: colours")
	return cmd
}

// read writes a lesson, and runs what is in it if that is asked for.
func (o *lessonOptions) read(out io.Writer, l *lesson.Lesson) error {
	colorful, err := render.ColorFor(o.colorful, os.Stdout)
	if err != nil {
		return err
	}
	t := &lesson.Text{
		Out: out, Width: min(render.WidthFor(os.Stdout), 100), Color: colorful, Unfold: o.all,
	}
	switch {
	case !o.run:
		return failed(t.Write(l))
	case !term.IsTerminal(0):
		return errors.New("--run: needs a terminal, on which you press Enter")
	}
	return workThrough(t, l)
}

func listLessons(w io.Writer, list []lesson.Lesson) error {
	for _, l := range list {
		if _, err := fmt.Fprintln(w, l.Title); err != nil {
			return err
		}
	}
	return nil
}

// errQuit is a reader who has had enough.
var errQuit = errors.New("quit")

// workThrough writes a lesson, and runs the commands in it.
func workThrough(t *lesson.Text, l *lesson.Lesson) error {
	r, err := newReader(t)
	if err != nil {
		return failed(err)
	}
	defer r.close()
	t.Show = r.session
	if err := t.Write(l); !errors.Is(err, errQuit) {
		return failed(err)
	}
	return nil
}
