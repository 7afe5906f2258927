package state

import (
	"errors"
	"fmt"
	"strings"
)

// ValidName checks a container's name, by docker's rule: a letter or digit, then
// letters, digits, "_", "." and "-"; at most 63 of them, as in a host name. Digits
// alone would be taken for a pid.
func ValidName(name string) error {
	switch {
	case name == "":
		return errors.New("name is empty")
	case len(name) > 63:
		return fmt.Errorf("name %.20q...: longer than 63 characters", name)
	case strings.IndexByte("_.-", name[0]) >= 0:
		return fmt.Errorf("name %q: begins with %q, not with a letter or digit", name, name[0])
	}
	if strings.Trim(name, "0123456789") == "" {
		return fmt.Errorf("name %q: a number, as processes have", name)
	}
	for _, r := range name {
		if !allowed(r) {
			return fmt.Errorf("name %q: %q is none of letters, digits, _ . -", name, r)
		}
	}
	return nil
}

func allowed(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r == '_' || r == '.' || r == '-'
}
