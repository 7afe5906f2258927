//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/containerkit/kit/internal/lesson"
	"github.com/containerkit/kit/internal/trace/render"
	"github.com/containerkit/kit/lessons"
)

func newLessonCommand() *cobra.Command {
	var all, run bool
	var when string
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
			colorful, err := render.ColorFor(when, os.Stdout)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return failed(listLessons(cmd.OutOrStdout(), list))
			}
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 0 || n >= len(list) {
				return fmt.Errorf("lesson %s: there are 0 to %d", args[0], len(list)-1)
			}
			t := &lesson.Text{
				Out: cmd.OutOrStdout(), Width: min(render.WidthFor(os.Stdout), 100),
				Color: colorful, Unfold: all,
			}
			if !run {
				return failed(t.Write(&list[n]))
			}
			return workThrough(t, &list[n])
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "unfold the details, and the answers")
	cmd.Flags().BoolVar(&run, "run", false, "run the commands, one at a time: Enter runs the next")
	cmd.Flags().StringVar(&when, "color", "auto", "`auto|always|never`: colours")
	return cmd
}

func listLessons(w io.Writer, list []lesson.Lesson) error {
	for n, l := range list {
		if _, err := fmt.Fprintf(w, "%d  %s\n", n, l.Title); err != nil {
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
