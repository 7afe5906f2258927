// Package source turns the addresses on a tracee's stack into what its author
// wrote: function, file, line, statement, and the comment above it. Tracer and
// tracee are the same binary, so the tracer's own runtime knows them all, even
// when the binary was stripped or built with -trimpath.
package source

import (
	"path"
	"runtime"
	"strings"
)

// A Frame is one function on a stack; one that the compiler has put into its
// caller has a frame of its own here.
type Frame struct {
	Symbol  string // github.com/containerkit/kit/steps/01-chroot.enter
	Package string // github.com/containerkit/kit/steps/01-chroot
	Outer   string // Symbol of the declared function around a closure
	File    string // as the compiler wrote it
	Line    int
}

// Frames returns the frames of one return address of this program: the function
// it is in, and before it those that the compiler has put into that one. There
// are none for a word that is no address in its code.
func Frames(pc uintptr) []Frame {
	if runtime.FuncForPC(pc) == nil {
		return nil
	}
	// A frame's inlined calls are found only when it is not the last.
	frames := runtime.CallersFrames([]uintptr{pc, pc})
	var list []Frame
	for {
		f, more := frames.Next()
		list = append(list, newFrame(f))
		if f.Func != nil || !more { // not put into its caller by the compiler
			return list
		}
	}
}

func newFrame(f runtime.Frame) Frame {
	frame := Frame{Symbol: f.Function, Package: packageOf(f.Function), File: f.File, Line: f.Line}
	frame.Outer = frame.outer()
	return frame
}

// packageOf cuts a symbol behind its package path: the first dot after the last
// slash, since a dot in a path's last element is escaped.
func packageOf(symbol string) string {
	slash := strings.LastIndexByte(beforeTypes(symbol), '/') + 1
	if dot := strings.IndexByte(symbol[slash:], '.'); dot >= 0 {
		return symbol[:slash+dot]
	}
	return symbol
}

// beforeTypes cuts off type arguments, which have package paths of their own.
func beforeTypes(symbol string) string {
	head, _, _ := strings.Cut(symbol, "[")
	return head
}

// Func is the function's name without the package: enter, (*Container).start.
func (f Frame) Func() string {
	return strings.TrimPrefix(f.Outer[len(f.Package):], ".")
}

// outer is the symbol of the declared function in which f is written: closures
// (enter.func1, enter.deferwrap1) belong to it.
func (f Frame) outer() string {
	start := len(f.Package)
	for _, mark := range []string{".func", ".deferwrap", ".gowrap"} {
		i := strings.Index(f.Symbol[start:], mark)
		if i > 0 && isNumbered(f.Symbol[start+i+len(mark):]) {
			return f.Symbol[:start+i]
		}
	}
	return f.Symbol
}

func isNumbered(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// Path is the frame's file from the top of a module: steps/01-chroot/chroot.go.
// Where the binary was built does not matter to it.
func (f Frame) Path(module string) string { return path.Join(f.dir(module), path.Base(f.File)) }

// In tells that the frame is what its symbol says, a function in a package of
// the module. A closure that has been inlined together with the function around
// it has the symbol of the caller's package, but the file of its own.
func (f Frame) In(module string) bool {
	return strings.HasSuffix(path.Dir(f.File), f.dir(module))
}

// dir is the package's directory from the top of the module.
func (f Frame) dir(module string) string {
	dir := strings.TrimPrefix(strings.TrimPrefix(f.Package, module), "/")
	return strings.ReplaceAll(dir, "%2e", ".")
}
