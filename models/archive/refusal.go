package archive

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"tokendesk/models"
)

// Code names the rule that an archive breaks. Codes are stable: programs may test for them.
type Code string

const (
	PathEscape Code = "zip-path-escape" // a name that leads out of the collection's folder, on any system
	BadName    Code = "zip-name"        // a name that some system cannot keep or would show as another
	Duplicate  Code = "zip-duplicate"   // two entries for one path, or a path that is a file and a folder
	Symlink    Code = "zip-symlink"     // a link
	Special    Code = "zip-special"     // a device, pipe, socket or setuid file
	Encrypted  Code = "zip-encrypted"   // a member or directory that needs a password
	Method     Code = "zip-method"      // packed by something else than Store or Deflate
	Bomb       Code = "zip-bomb"        // unpacks to too many times its packed size
	TooLarge   Code = "too-large"       // more bytes or entries than the limit
	Overlap    Code = "zip-overlap"     // members that share bytes of the archive
	Hidden     Code = "zip-hidden-data" // bytes that belong to no member
	Mismatch   Code = "zip-mismatch"    // two places of the archive that contradict each other
	Damaged    Code = "zip-damaged"     // cut short, or changed since it was packed
	Split      Code = "zip-split"       // one part of several
	Empty      Code = "zip-empty"       // no file in it
	Manifest   Code = "zip-manifest"    // a collection.json that cannot be used
)

// ErrNotZip is the answer to a file that does not begin as a zip does.
var ErrNotZip error = models.Fail(models.Invalid, "Only .zip collection files are accepted.")

// Refusal says why a zip may not be kept, in words that may be shown to whoever sent it. As a models.Error it is Invalid.
type Refusal struct {
	Code    Code
	Entry   int    // place in the archive's directory, counted from 1; 0 when the archive as a whole is meant
	Name    string // the entry's name, escaped and cut to 200 bytes
	Message string // a whole sentence, which names the entry and the limit
}

func (r *Refusal) Error() string { return r.Message }

func (r *Refusal) Unwrap() error { return models.Fail(models.Invalid, "%s", r.Message) }

// refuse makes a Refusal of the archive as a whole; the format goes on from "it".
func refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: opening(code) + "it " + fmt.Sprintf(format, args...) + "."}
}

// refuse makes a Refusal of one entry; the format goes on from its name.
func (e *entry) refuse(code Code, format string, args ...any) *Refusal {
	name := printable(e.name)
	who := fmt.Sprintf("entry %d (\"%s\") ", e.index, name)
	return &Refusal{Code: code, Entry: e.index, Name: name, Message: opening(code) + who + fmt.Sprintf(format, args...) + "."}
}

func opening(code Code) string {
	if code == Damaged {
		return "The archive is damaged or incomplete: "
	}
	return "The archive was refused: "
}

// maxShownName is the most bytes of an entry's name that are ever repeated to anybody.
const maxShownName = 200

// printable makes a name from an archive safe to show: what is no plain printable character is escaped as in Go,
// invisible and direction-changing characters among them, and the rest of a long name becomes an ellipsis.
func printable(name string) string {
	const ellipsis = "…"
	shown := make([]byte, 0, maxShownName)
	for len(name) > 0 {
		_, width := utf8.DecodeRuneInString(name)
		quoted := strconv.Quote(name[:width])
		escaped := quoted[1 : len(quoted)-1]
		if len(shown)+len(escaped) > maxShownName-len(ellipsis) {
			return string(shown) + ellipsis
		}
		shown = append(shown, escaped...)
		name = name[width:]
	}
	return string(shown)
}

// bytesText writes a limit as a person would: 100 MiB, 1.5 KiB, 200 bytes.
func bytesText(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size {
			return strconv.FormatFloat(float64(n*10/unit.size)/10, 'f', -1, 64) + " " + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
