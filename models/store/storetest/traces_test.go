package storetest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// The search finds what it is for, and what may be shown it does not.
func TestTraces(t *testing.T) {
	t.Parallel()
	const token = "user_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
	wide := string(func() (b []byte) {
		for _, unit := range utf16.Encode([]rune("Token: " + token)) {
			b = append(b, byte(unit), byte(unit>>8))
		}
		return b
	}())
	for name, text := range map[string]string{
		"whole": "token=" + token + ".", "first half": "x" + token[:27], "second half": token[27:] + "x", "UTF-16": wide, "UTF-16, swapped": "\x00" + wide,
		"hex": fmt.Sprintf("%x", "a"+token), "upper hex": fmt.Sprintf("%X", token),
		"base64": base64.StdEncoding.EncodeToString([]byte(token)), "base64 of more": base64.StdEncoding.EncodeToString([]byte("ab" + token + "c")),
		"base64 of a header": base64.RawURLEncoding.EncodeToString([]byte("token:" + token)),
	} {
		if len(Traces([]byte(text), token)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	for at := 8; at+15 <= 50; at++ {
		if len(Traces([]byte(strings.Repeat("x", at)+token[at:at+15]), token)) == 0 {
			t.Errorf("fifteen characters from %d on are not found", at)
		}
	}
	if found := Traces([]byte(token[:8]+"..."+token[50:]), token); len(found) > 0 {
		t.Errorf("what may be shown is found: %v", found)
	}
}
