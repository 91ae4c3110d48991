package secret

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
)

// commonList is what attackers try first, in lower case, sorted, one a line. It holds two lists: 3,000
// leaked passwords that are long enough for the policy (ASVS 6.2.4), and the 10,000 most common short
// ones, which count where they are part of a longer password. common_gen.go makes it, and
// common.LICENSE.txt says what from.
//
//go:embed common.txt.gz
var commonList []byte

// commonPasswords is unpacked when the first password is checked: some 130 KB of text, and 16 bytes more
// an entry.
var commonPasswords = sync.OnceValue(func() []string {
	unzip, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("secret: the embedded list of common passwords is damaged: " + err.Error())
	}
	text, err := io.ReadAll(unzip)
	if err != nil {
		panic("secret: the embedded list of common passwords is damaged: " + err.Error())
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})

// listed tells whether a folded text is an entry of the list.
func listed(text string) bool {
	_, found := slices.BinarySearch(commonPasswords(), text)
	return found
}
