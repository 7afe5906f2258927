package pause

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// A key is what it types, or its name.
type key string

const (
	ctrlC         key = "Ctrl-C"
	ctrlD         key = "Ctrl-D"
	ctrlL         key = "Ctrl-L"
	ctrlZ         key = "Ctrl-Z"
	ctrlBackslash key = "Ctrl-\\"
)

// sequences are what terminals send for keys that type nothing. Devices for turning
// pages of a talk are keyboards that have such keys.
var sequences = map[string]key{
	"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left",
	"\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left",
	"\x1b[5~": "pgup", "\x1b[6~": "pgdn", "\x1b": "Esc",
	"\r": "enter", "\n": "enter",
	"\x03": ctrlC, "\x04": ctrlD, "\x0c": ctrlL, "\x1a": ctrlZ, "\x1c": ctrlBackslash,
}

// key waits for the next key; "redraw" is one that the terminal itself presses.
func (d *Dialog) key() (key, error) {
	if d.failed != nil {
		return "", d.failed
	}
	if len(d.keys) == 0 {
		buf := make([]byte, 256)
		n, err := d.screen.Read(buf)
		if n == 0 && errors.Is(err, errRedraw) {
			return "redraw", nil
		}
		if n == 0 && err != nil {
			return "", err
		}
		d.keys = parseKeys(string(buf[:n]))
		if len(d.keys) == 0 {
			return "redraw", nil
		}
	}
	k := d.keys[0]
	d.keys = d.keys[1:]
	return k, nil
}

// parseKeys takes apart what a terminal has sent at once.
func parseKeys(text string) (keys []key) {
	for text != "" {
		n := lengthOf(text)
		k, ok := sequences[text[:n]]
		switch {
		case ok:
		case n > 1 && text[0] == '\x1b':
			k = "this"
		case text[0] < ' ':
			k = key("Ctrl-" + string(rune(text[0]+'@')))
		default:
			k = key(text[:n])
		}
		keys, text = append(keys, k), text[n:]
	}
	return keys
}

// lengthOf is how many bytes the first key has sent (console_codes(4)).
func lengthOf(text string) int {
	if len(text) > 2 && text[0] == '\x1b' && strings.ContainsRune("[O", rune(text[1])) {
		for i := 2; i < len(text); i++ {
			if text[i] >= '@' && text[i] <= '~' {
				return i + 1
			}
		}
		return 1
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}
