package secret

import "regexp"

// tokenLike finds what may be a credential in a longer text.
var tokenLike = regexp.MustCompile(`[a-z0-9]{4}_[0-9A-Za-z]{49}`)

// Mask leaves of every credential in a text its first eight characters, which name it and open nothing, and an
// ellipsis.
func Mask(text string) string {
	return tokenLike.ReplaceAllStringFunc(text, func(found string) string {
		if _, is := Parse(found); is {
			return found[:8] + "…"
		}
		return found
	})
}
