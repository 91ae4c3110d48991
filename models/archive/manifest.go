package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The longest texts of a manifest, in characters.
const (
	longestName        = 200
	longestVersion     = 100
	longestDescription = 4000
)

// describe takes name, version and description from a manifest. It returns the end of a sentence that begins with
// the manifest's name, or nothing.
//
// Other fields are skipped, whatever they hold: files called collection.json are common (Postman, STAC, Angular) and
// an archive does no harm by having one. What is ours in it has to be right, because people will read it in lists:
// a field of another type, or one that is there twice, is refused, and never guessed at.
func (s *Summary) describe(data []byte) (problem string) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // as editors on Windows begin a file
	if !utf8.Valid(data) || !json.Valid(data) {           // which also bounds the depth, at 10,000
		return "is not valid JSON"
	}
	fields := map[string]*text{
		"name":        {into: &s.Name, longest: longestName},
		"version":     {into: &s.Version, longest: longestVersion},
		"description": {into: &s.Description, longest: longestDescription, lines: true},
	}
	object := json.NewDecoder(bytes.NewReader(data))
	if start, _ := object.Token(); start != json.Delim('{') {
		return "is not a JSON object"
	}
	for object.More() {
		key, _ := object.Token() // valid JSON has a string here
		var value json.RawMessage
		if err := object.Decode(&value); err != nil {
			return "is not valid JSON"
		}
		field, ours := fields[key.(string)]
		if !ours {
			continue
		}
		if problem := field.set(value); problem != "" {
			return fmt.Sprintf("%s in the field %q", problem, key)
		}
	}
	return ""
}

// text is one field of the manifest: where it goes and what it may hold.
type text struct {
	into    *string
	longest int
	lines   bool // may have several
	seen    bool
}

// set takes the field's value. null is as good as no field at all.
func (t *text) set(value []byte) (problem string) {
	if t.seen {
		return "has two values"
	}
	t.seen = true
	var said string
	if err := json.Unmarshal(value, &said); err != nil {
		return "has something other than text"
	}
	said = norm.NFC.String(strings.TrimSpace(said))
	switch {
	case utf8.RuneCountInString(said) > t.longest:
		return fmt.Sprintf("has more than %d characters", t.longest)
	case strings.ContainsFunc(said, func(r rune) bool {
		return unprintable(r) && !(t.lines && strings.ContainsRune("\n\r\t", r))
	}):
		return "has a control character"
	}
	*t.into = said
	return ""
}
