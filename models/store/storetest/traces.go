package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Traces answers what of some tokens a text holds: any fifteen characters in a row that nobody may know, so
// also each half, or a token in hex, base64 or UTF-16. The first eight characters and the last four are
// kept to be shown, and are not looked for. No answer quotes a token. It reads the text once.
func Traces(text []byte, tokens ...string) (found []string) {
	begin, count := map[[pieceLength]byte][]trace{}, map[string]int{}
	var pairs [1 << 16]bool // what traces begin with; few other places do
	for i, token := range tokens {
		for _, t := range tracesOf(token) {
			t.what = fmt.Sprintf("%s of token %d", t.what, i+1)
			head := [pieceLength]byte(t.text)
			begin[head] = append(begin[head], t)
			pairs[pair(t.text)] = true
		}
	}
	for ; len(text) >= pieceLength; text = text[1:] {
		if !pairs[pair(text)] {
			continue
		}
		for _, t := range begin[[pieceLength]byte(text)] {
			if bytes.HasPrefix(text, t.text) {
				count[t.what]++
			}
		}
	}
	for what, times := range count {
		found = append(found, fmt.Sprintf("%s, %d times", what, times))
	}
	slices.Sort(found)
	return found
}

// trace is something that would give a token away.
type trace struct {
	what string
	text []byte // pieceLength bytes or more
}

// pieceLength is how many characters are looked for: too many to come up by chance in all that a machine
// remembers. Fifteen in a row have one of the pieces whole.
const pieceLength = 8

func tracesOf(token string) (list []trace) {
	hidden := []byte(token[8 : len(token)-4])
	for at := 0; at+pieceLength <= len(hidden); at += pieceLength {
		list = append(list, trace{fmt.Sprintf("characters %d to %d", 9+at, 16+at), hidden[at : at+pieceLength]})
	}
	digits := hex.EncodeToString(hidden)
	list = append(list, trace{"the hex", []byte(digits)}, trace{"the hex in capitals", []byte(strings.ToUpper(digits))})
	for shift := range 3 { // where it would begin within a longer text that was encoded
		whole := hidden[shift : shift+(len(hidden)-shift)/3*3]
		list = append(list, trace{"the base64", []byte(base64.StdEncoding.EncodeToString(whole))})
	}
	var wide []byte
	for _, unit := range utf16.Encode([]rune(string(hidden))) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	return append(list, trace{"the UTF-16", wide[:2*pieceLength-1]}) // in either order of the bytes
}

func pair(text []byte) int { return int(text[0]) | int(text[1])<<8 }
