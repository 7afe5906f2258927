package trace

import (
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/trace/netlink"
	"github.com/containerkit/kit/internal/trace/oracle"
)

// meaning says what an errno means here: it adds the cause that holds to the plain words
// in e.Meaning.
func (t *tracer) meaning(th *thread, e *Event) string {
	c := &th.call
	switch {
	case e.Injected:
		return e.Meaning + ": made to fail by --inject"
	case c.class == Runtime || c.Compat || !t.wants(c.class):
		return e.Meaning
	}
	if c.class != Bookkeeping {
		e.Log = t.log.Lines()
	}
	failed := oracle.Call{
		Call: c.Call, Errno: unix.Errno(-*e.Ret), TID: th.tid, Frame: &c.frame,
	}
	return because(e.Meaning, failed.Why())
}

func because(meaning, cause string) string {
	if cause == "" {
		return meaning
	}
	return meaning + ": " + cause
}

// refusal says what the kernel has against a request.
func (t *tracer) refusal(th *thread, request *netlink.Message, answer netlink.Message) string {
	text := "the kernel refuses " + request.Name + ": "
	if request.Get {
		text = "the kernel answers to " + request.Name + ": "
	}
	text += unix.ErrnoName(answer.Refused) + ", " + answer.Refused.Error()
	if answer.Reason != "" {
		text += ": " + answer.Reason
	}
	return because(text, oracle.Refusal(th.tid, request.Name, request.Text, answer.Refused))
}
