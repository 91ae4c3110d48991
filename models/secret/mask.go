package secret

import (
	"regexp"
	"strings"
)

// tokenLike finds what may be a credential in a longer text.
var tokenLike = regexp.MustCompile(`[a-z0-9]{4}_[0-9A-Za-z]{49}`)

// Mask leaves of every credential in a text its first eight characters, which name it and open nothing, and an
// ellipsis.
func Mask(text string) string {
	var masked strings.Builder
	for at := tokenLike.FindStringIndex(text); at != nil; at = tokenLike.FindStringIndex(text) {
		end := at[0] + 1 // what only looks like one may have one in it
		masked.WriteString(text[:end])
		if _, is := Parse(text[at[0]:at[1]]); is {
			masked.WriteString(text[end:at[0]+8] + "…")
			end = at[1]
		}
		text = text[end:]
	}
	return masked.String() + text
}
