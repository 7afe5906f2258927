package rootfs

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// decompress tells how an archive is compressed by its first bytes.
func decompress(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(6)
	switch {
	case errors.Is(err, io.EOF) && len(magic) == 0:
		return nil, errors.New("is an empty file")
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		return gzip.NewReader(b)
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		return newTool("zstd", "zstd", b)
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		return newTool("xz", "xz-utils", b)
	case bytes.HasPrefix(magic, []byte("BZh")):
		return newTool("bzip2", "bzip2", b)
	}
	return io.NopCloser(b), nil
}

// A tool is a program of this machine that decompresses. There are libraries, but what
// they do at the start of a program would cost every kit a fifth of a millisecond.
type tool struct {
	io.ReadCloser
	cmd   *exec.Cmd
	said  bytes.Buffer
	ended bool
	err   error
}

// newTool starts the program name, which belongs to a package, on r.
func newTool(name, pkg string, r io.Reader) (*tool, error) {
	if _, err := exec.LookPath(name); err != nil {
		return nil, hinted(fmt.Errorf("is compressed with %s, which is not on this machine", name),
			"sudo apt install "+pkg)
	}
	t := &tool{cmd: exec.Command(name, "-dc")}
	t.cmd.Stdin, t.cmd.Stderr = r, &t.said
	t.cmd.WaitDelay = time.Second // r may not end, where the program has had enough
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.ReadCloser = out
	return t, t.cmd.Start()
}

// Read ends with an error where the program has found one.
func (t *tool) Read(p []byte) (int, error) {
	if t.ended {
		return 0, cmp.Or(t.err, io.EOF)
	}
	n, err := t.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		err = cmp.Or(t.end(), io.EOF)
	}
	return n, err
}

// Close ends the program.
func (t *tool) Close() error {
	_ = t.cmd.Process.Kill() // unless it has ended
	_ = t.end()
	return nil
}

func (t *tool) end() error {
	if t.ended {
		return t.err
	}
	t.ended = true
	if err := t.cmd.Wait(); err != nil {
		t.err = fmt.Errorf("is damaged or cut short: %w: %s", err,
			strings.Join(strings.Fields(t.said.String()), " "))
	}
	return t.err
}

// blockSize is the unit of a tar archive (tar(5)).
const blockSize = 512

// A tailReader remembers the last block that was read, by which a whole
// archive is told from one that was cut short between two files: archive/tar
// takes both.
type tailReader struct {
	r    io.Reader
	last []byte
}

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n >= blockSize {
		t.last = append(t.last[:0], p[n-blockSize:n]...)
		return n, err
	}
	t.last = append(t.last, p[:n]...)
	if extra := len(t.last) - blockSize; extra > 0 {
		t.last = append(t.last[:0], t.last[extra:]...)
	}
	return n, err
}

// whole tells that the last block is one of zeros, which end an archive.
func (t *tailReader) whole() bool {
	return len(t.last) == blockSize && len(bytes.Trim(t.last, "\x00")) == 0
}
