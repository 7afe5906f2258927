package pause

import "testing"

// FuzzKeys: whatever a terminal sends, all of it is keys.
func FuzzKeys(f *testing.F) {
	f.Add("s\x1b[A\x1b[5~\x1b\r\x03é\x1b[")
	f.Fuzz(func(t *testing.T, text string) {
		if keys := parseKeys(text); len(keys) == 0 && text != "" || len(keys) > len(text) {
			t.Fatalf("%d keys of %d bytes", len(keys), len(text))
		}
	})
}
