package archive

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// judgeName decides whether a name means the same file on every system, below the collection's folder and nowhere
// else. It returns the rule that is broken and the end of a sentence that begins with the name, or nothing.
func judgeName(name string, limits Limits) (Code, string) {
	if escapes(name) {
		return PathEscape, "leaves the collection's folder"
	}
	path := strings.TrimSuffix(name, "/")
	switch {
	case !utf8.ValidString(name):
		return BadName, "has a name that is not UTF-8"
	case strings.ContainsFunc(name, unprintable):
		return BadName, "has a control character in its name"
	case strings.Contains(name, `\`):
		return BadName, "has a backslash in its name; paths are written with slashes"
	case strings.Contains(name, ":"):
		return BadName, "has a colon in its name"
	case path == "." || !fs.ValidPath(path):
		return BadName, `has an empty or "." part in its path`
	case !norm.NFC.IsNormalString(name):
		return BadName, "has a name with accents as separate characters (NFD, as macOS writes them); they must be composed (NFC)"
	case strings.Count(path, "/") >= limits.Depth:
		return BadName, fmt.Sprintf("lies deeper than the limit of %d levels", limits.Depth)
	}
	for segment := range strings.SplitSeq(path, "/") {
		if problem := judgeSegment(segment, limits); problem != "" {
			return BadName, problem
		}
	}
	return "", ""
}

func judgeSegment(segment string, limits Limits) string {
	switch last := segment[len(segment)-1]; {
	case len(segment) > limits.NameBytes:
		return fmt.Sprintf("has a name longer than the limit of %d bytes", limits.NameBytes)
	case last == '.' || last == ' ':
		return "has a name that ends in a dot or a space, which Windows drops"
	case isDevice(segment):
		return "has a name that Windows keeps for a device"
	}
	return ""
}

// escapes reports whether any system would take the name for a place outside the folder it is unpacked in.
func escapes(name string) bool {
	slashed := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(slashed, "/") {
		return true
	}
	if len(name) >= 2 && name[1] == ':' && unicode.IsLetter(rune(name[0])) {
		return true // a drive of Windows
	}
	for segment := range strings.SplitSeq(slashed, "/") {
		if segment == ".." {
			return true
		}
	}
	return false
}

// unprintable finds what a reader of the name would not see: controls, line separators, changes of direction.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// isDevice reports whether Windows opens a device for this name, in whatever case and with whatever extension.
func isDevice(segment string) bool {
	base, _, _ := strings.Cut(segment, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	number, numbered := strings.CutPrefix(base, "COM")
	if !numbered {
		number, numbered = strings.CutPrefix(base, "LPT")
	}
	return numbered && utf8.RuneCountInString(number) == 1 && strings.ContainsAny(number, "0123456789¹²³")
}
