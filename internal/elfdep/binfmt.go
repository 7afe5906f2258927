package elfdep

import (
	"bufio"
	"encoding/hex"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// binfmtDir is where the kernel shows the handlers for formats it does not
// know (Documentation/admin-guide/binfmt-misc.rst).
const binfmtDir = "/proc/sys/fs/binfmt_misc"

// A handler is one entry of binfmt_misc.
type handler struct {
	enabled     bool
	interpreter string
	fixed       bool // flag F: opened at registration, so it works under any root
	offset      int
	magic, mask []byte
}

// findHandler gives the enabled entry of dir that matches a file's first
// bytes.
func findHandler(dir string, head []byte) (handler, bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return handler{}, false
	}
	for _, e := range entries {
		if e.Name() == "register" || e.Name() == "status" {
			continue
		}
		f, err := os.Open(path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		h := parseHandler(f)
		f.Close()
		if h.enabled && h.matches(head) {
			return h, true
		}
	}
	return handler{}, false
}

// parseHandler reads one entry as the kernel prints it.
func parseHandler(r io.Reader) (h handler) {
	for s := bufio.NewScanner(r); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), " ")
		switch key {
		case "enabled":
			h.enabled = true
		case "interpreter":
			h.interpreter = value
		case "flags:":
			h.fixed = strings.Contains(value, "F")
		case "offset":
			h.offset, _ = strconv.Atoi(value)
		case "magic":
			h.magic, _ = hex.DecodeString(value)
		case "mask":
			h.mask, _ = hex.DecodeString(value)
		}
	}
	return h
}

func (h handler) matches(head []byte) bool {
	if len(h.magic) == 0 || h.offset < 0 || len(head) < h.offset+len(h.magic) {
		return false
	}
	for i, want := range h.magic {
		mask := byte(0xff)
		if i < len(h.mask) {
			mask = h.mask[i]
		}
		if (head[h.offset+i]^want)&mask != 0 {
			return false
		}
	}
	return true
}
