package rootfs

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// decompress tells plain, gzip and zstd by their first bytes.
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
		return unzstd(b)
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		return nil, hinted(errors.New("is compressed with xz, which kit does not read"), "xz -d FILE")
	case bytes.HasPrefix(magic, []byte("BZh")):
		return nil, hinted(errors.New("is compressed with bzip2, which kit does not read"),
			"bzip2 -d FILE")
	}
	return io.NopCloser(b), nil
}

func unzstd(r io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
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
