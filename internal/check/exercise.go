package check

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An exercise is what an Item is made from.
type exercise struct {
	step       int
	name, what string
	of         int
	judge      func(p *process) verdict
}

// A verdict is what was found out about one exercise.
type verdict struct {
	done  bool
	none  bool // it does not apply to this process
	got   string
	hints []string // three, unless done
}

// item judges a process by one exercise.
func (e exercise) item(p *process) Item {
	v := e.judge(p)
	i := Item{
		Step: e.step, Name: e.name, What: e.what, Of: e.of, Got: v.got,
		Hints: append([]string{}, v.hints...),
	}
	if v.none {
		i.Of = 0
	}
	if v.done {
		i.Points = i.Of
	}
	return i
}

// yes is the verdict that all is as it should be; found says what was found.
func yes(found string, args ...any) verdict {
	return verdict{done: true, got: fmt.Sprintf(found, args...)}
}

// no is the verdict that something is missing: what was found, a question, the mechanism
// with its man page, and the call with the values found.
func no(found, question, mechanism, call string) verdict {
	return verdict{got: found, hints: []string{question, mechanism, call}}
}

// unknown is the verdict on what may not be read.
func unknown(err error) verdict { return hidden(reason(err)) }

func hidden(why string) verdict {
	return no(why,
		"Who may look at this process? Compare id -u with the Uid line of its /proc/PID/status.",
		"The links and many files under /proc/PID are for root and for who could trace the "+
			"process: ptrace(2), ptrace access mode checking.",
		fmt.Sprintf("You are uid %d: run kit check as root, or as the user who started the "+
			"container and in the same user namespace.", os.Geteuid()))
}

// reason puts a failed look into words.
func reason(err error) string {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		if os.Geteuid() == 0 {
			return "not readable: the process has capabilities that you lack"
		}
		return "not readable: needs root or the user who started it"
	case errors.Is(err, unix.ESRCH):
		return "gone: the process has ended"
	}
	return err.Error()
}

// after is the verdict on what cannot be judged before something else is done.
func after(found, first string) verdict {
	return no(found,
		"What has to be there before this can be?",
		"It builds on another exercise: "+first+".",
		"Do that one first: its own hints say how.")
}

// exercises are all of them, in the order of the ladder. Each step has ten points, and
// step 2 one more where a user namespace is used.
func exercises() []exercise {
	var all []exercise
	for _, step := range [][]exercise{
		rootExercises(), namespaceExercises(), cgroupExercises(), overlayExercises(),
		networkExercises(), privilegeExercises(),
	} {
		all = append(all, step...)
	}
	return all
}
