package secret

import (
	"strings"
	"testing"
)

// Of a credential in a text eight characters are left, wherever in it that is; what is none stays.
func TestMask(t *testing.T) {
	token := mint(t, "user").Reveal()
	short := token[:8] + "…"
	for given, want := range map[string]string{
		token: short, "leaked " + token + ", twice: " + token + ".": "leaked " + short + ", twice: " + short + ".", `{"after":"` + token + `"}`: `{"after":"` + short + `"}`,
		"xx" + token: "xx" + short, "abcd_" + strings.Repeat("x", 45) + token: "abcd_" + strings.Repeat("x", 45) + short, token + token: short + short, token[:53]: token[:53], "": "", "user_" + strings.Repeat("0", 49): "user_" + strings.Repeat("0", 49), "Zoë 李 😀": "Zoë 李 😀",
	} {
		if got := Mask(given); got != want {
			t.Errorf("%.12s… becomes %q", given, got)
		}
	}
}
