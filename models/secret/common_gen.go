//go:build ignore

// This program makes common.txt.gz, the list of common passwords. It is run by hand, which is seldom:
//
//	go run common_gen.go LEAKED.txt passwords.json commonWords.json
//
// LEAKED.txt is a list of leaked passwords, most frequent first, one a line; passwords.json a list of
// the same kind, for the short ones; commonWords.json a list of words of which the very long ones are
// taken. Where they come from is written in common.LICENSE.txt. The same input gives the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	policyLength = 15 // secret.MinPasswordLength
	shortestWord = 4
	longEntries  = 3000
	shortEntries = 10000
)

// famous are passwords of the right length that everybody has read about.
var famous = []string{
	"correcthorsebatterystaple", "troubador&3troubador", "thequickbrownfoxjumpsoverthelazydog",
	"maytheforcebewithyou", "tobeornottobethatisthequestion", "iloveyouiloveyou",
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: go run common_gen.go LEAKED.txt passwords.json commonWords.json")
	}
	list := map[string]bool{}
	long := func(s string) bool { return utf8.RuneCountInString(s) >= policyLength }
	short := func(s string) bool { n := utf8.RuneCountInString(s); return n >= shortestWord && n < policyLength }
	leaked := strings.Split(string(read(os.Args[1])), "\n")
	take(list, leaked, long, longEntries)
	take(list, words(os.Args[2]), short, shortEntries)
	take(list, words(os.Args[3]), long, len(list))
	take(list, famous, long, len(list))

	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	check(err)
	for _, entry := range slices.Sorted(maps.Keys(list)) {
		_, err = zip.Write([]byte(entry + "\n"))
		check(err)
	}
	check(zip.Close())
	check(os.WriteFile("common.txt.gz", packed.Bytes(), 0o644))
	log.Printf("%d entries, %d bytes", len(list), packed.Len())
}

// take adds the first entries of the right length. What has an @ is somebody's address, and no common
// password; what is not printable ASCII was garbled on its way into the list.
func take(list map[string]bool, from []string, fits func(string) bool, count int) {
	for _, entry := range from {
		entry = strings.ToLower(entry)
		garbled := strings.ContainsFunc(entry, func(r rune) bool { return r <= ' ' || r > '~' })
		if count == 0 {
			return
		}
		if !fits(entry) || garbled || strings.ContainsAny(entry, "@,") || strings.Contains(entry, "??") || list[entry] {
			continue
		}
		list[entry] = true
		count--
	}
}

func words(path string) (list []string) {
	check(json.Unmarshal(read(path), &list))
	return list
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
