package access

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"tokendesk/models"
)

// Path is a path in its canonical form, the only one that is decided on and sent on. The zero Path is none.
type Path struct {
	escaped string // every character escaped that is not plain (models.PlainInPath), in upper case, and no other
	decoded string // the same without escapes. It has the same slashes
}

// Escaped is the path as it goes into a request.
func (p Path) Escaped() string { return p.escaped }

// Decoded is the path with its escapes resolved.
func (p Path) Decoded() string { return p.decoded }

// CanonicalPath brings the path of a request, escaped as it came, into its one form. It refuses what two readers could take
// for different paths: what is still escaped once its escapes are resolved; a backslash, semicolon, hash or question
// mark; a control character; what is not UTF-8; "." and ".." and nothing between two slashes or after the last; and a slash that
// was escaped. A path without escapes is not copied.
func CanonicalPath(escaped string) (Path, bool) {
	p := Path{escaped, escaped}
	if !plain(escaped) {
		decoded, err := url.PathUnescape(escaped)
		if err != nil || !legible(decoded) || strings.Count(decoded, "/") != strings.Count(escaped, "/") {
			return Path{}, false
		}
		p = Path{escape(decoded), decoded}
	}
	below, rooted := strings.CutPrefix(p.decoded, "/")
	for more := true; more; {
		var segment string
		segment, below, more = strings.Cut(below, "/")
		if !rooted || segment == "" || segment == "." || segment == ".." {
			return Path{}, false
		}
	}
	return p, true
}

// asItself holds the characters that stand in the canonical form as they are.
var asItself = func() (table [256]bool) {
	for c := range table {
		table[c] = c == '/' || models.PlainInPath(byte(c))
	}
	return table
}()

func plain(path string) bool {
	for i := range len(path) {
		if !asItself[path[i]] {
			return false
		}
	}
	return true
}

func legible(decoded string) bool {
	return utf8.ValidString(decoded) && !strings.ContainsAny(decoded, `%\;#?`) && !strings.ContainsFunc(decoded, unicode.IsControl)
}

func escape(decoded string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(decoded) {
		if c := decoded[i]; asItself[c] {
			b.WriteByte(c)
		} else {
			b.WriteString(string([]byte{'%', digits[c>>4], digits[c&15]}))
		}
	}
	return b.String()
}
