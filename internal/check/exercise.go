package check

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/containerkit/kit/internal/inspect"
)

// An exercise is what an Item is made from. Its texts have {pid} where the number of the
// process is to stand.
type exercise struct {
	step       int
	name, what string
	of         int
	judge      func(p *process) verdict

	question  string // the first hint
	mechanism string // the second one: what the kernel does, and its man page
}

// A verdict is what was found out about one exercise.
type verdict struct {
	done  bool
	none  bool // it does not apply to this process
	got   string
	first string // what has to be done before
	call  string // the third hint: the call, with the values found
	page  string // the second hint, where another mechanism than the exercise's is to blame

	hidden bool // it may not be read
}

// item judges a process by one exercise.
func (e exercise) item(p *process) Item {
	v := e.judge(p)
	i := Item{
		Step: e.step, Name: e.name, What: e.what, Of: e.of, Got: v.got, Hints: []string{},
	}
	if v.none {
		i.Of = 0
	}
	if v.done {
		i.Points = i.Of
	}
	if i.Points < i.Of {
		i.Hints = e.hints(p, v)
	}
	return i
}

// hints are the three levels.
func (e exercise) hints(p *process, v verdict) []string {
	if v.hidden {
		return []string{
			"Who may look at this process? Compare id -u with the Uid line of /proc/" +
				strconv.Itoa(p.pid) + "/status.",
			"The links and many files of a process under /proc are for root and for who could " +
				"trace it (ptrace(2), access mode checking).",
			fmt.Sprintf("You are uid %d, the process is uid %d: run kit check as root, or as the "+
				"user who started the container.", os.Geteuid(), p.them.UIDs[0]),
		}
	}
	list := []string{e.question, cmp.Or(v.page, e.mechanism), v.call}
	if v.first != "" {
		list[0] = "First comes " + v.first + ". " + list[0]
	}
	for i, text := range list {
		list[i] = strings.ReplaceAll(text, "{pid}", strconv.Itoa(p.pid))
	}
	return list
}

// yes is the verdict that all is as it should be; found says what was found.
func yes(found string, args ...any) verdict {
	return verdict{done: true, got: fmt.Sprintf(found, args...)}
}

// no is the verdict that something is missing: what was found, and the call that helps.
func no(got, call string) verdict { return verdict{got: got, call: call} }

// unless is the verdict on what has to wait for another exercise, and is not judged yet.
func (v verdict) unless(first string) verdict {
	v.first = first
	return v
}

// unknown is the verdict on what could not be read.
func unknown(err error) verdict { return hidden(inspect.Reason(err)) }

func hidden(why string) verdict { return verdict{got: why, hidden: true} }

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
