package secret

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The length of a password in code points after NFKC, which is how it is hashed: what a person counts
// when typing, on any keyboard (S7; NIST SP 800-63B-4 for a password that is the only factor).
const (
	MinPasswordLength = 15
	MaxPasswordLength = 128
)

// maxPasswordBytes bounds what is normalised and hashed. It holds 128 characters of any script, four
// bytes each and as much again for accents that are typed apart.
const maxPasswordBytes = 1024

// productName is the word that no password here may contain (ASVS 6.1.2, 6.2.11).
const productName = "tokendesk"

// What is said of a password that is refused: what to do, in a sentence that does not quote it.
const (
	tooShort   = "Password must be 15 characters or more. A few unrelated words are easy to remember."
	tooLong    = "Password must be 128 characters or fewer."
	untypeable = "Password has characters that can't be typed, such as a line break. Type it again."
	product    = "Password must not contain the name Tokendesk. Choose something that only you would think of."
	knownWords = "Password has too little besides your name, e-mail address or workspace. Leave them out, or add unrelated words."
	repeats    = "Password repeats one short part. Choose something that does not repeat."
	common     = "Password is on the lists that attackers try first. Choose something that only you would think of."
	tooEasy    = "Password is made of common passwords, repeated characters or rows of the keyboard. Add unrelated words, or choose something else."
)

// CheckPassword tells what is wrong with a new password, in a sentence for its owner; the empty result
// means that it is accepted. There is no rule about which kinds of character it holds, and nothing is
// ever cut off. It is refused when it
//
//   - has fewer than 15 or more than 128 code points, or control characters;
//   - contains the product's name;
//   - has fewer than 15 characters besides the words of the person, which are given in personal as they
//     are (name, e-mail address, workspace): words of four and more characters, because "ann" is in too
//     many others. In a long password a name does no harm, and a short name is part of many words;
//   - repeats a part of fewer than 15 characters, the whole way through;
//   - is on the embedded list of common passwords, also without its spaces, signs and outer digits;
//   - is made of common passwords, keyboard rows and sequences to the point that little else is left.
//
// Case counts in none of these rules.
func CheckPassword(password string, personal ...string) (problem string) {
	if len(password) > maxPasswordBytes {
		return tooLong
	}
	if !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) {
		return untypeable
	}
	folded := []rune(fold(password))
	switch length := utf8.RuneCountInString(norm.NFKC.String(password)); {
	case length < MinPasswordLength:
		return tooShort
	case length > MaxPasswordLength:
		return tooLong
	case strings.Contains(letters(folded), productName):
		return product
	case restsOn(folded, words(personal)):
		return knownWords
	case repeating(folded):
		return repeats
	case isCommon(folded):
		return common
	case effort(folded) < enough, effort(slices.Compact(slices.Clone(folded))) < enough:
		return tooEasy
	}
	return ""
}

// fold makes spellings equal that an attacker tries as one.
func fold(s string) string { return norm.NFKC.String(strings.ToLower(norm.NFKC.String(s))) }

// letters leaves only the letters and digits.
func letters(text []rune) string {
	return strings.Map(func(r rune) rune {
		if wordless(r) {
			return -1
		}
		return r
	}, string(text))
}

func wordless(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// words gives the words of four and more characters in what is known of a person.
func words(personal []string) (found [][]rune) {
	for _, known := range personal {
		for _, word := range strings.FieldsFunc(fold(known), wordless) {
			if utf8.RuneCountInString(word) >= 4 {
				found = append(found, []rune(word))
			}
		}
	}
	return found
}

// restsOn tells whether a text contains one of the words, and has fewer characters outside them than a
// password must have.
func restsOn(text []rune, words [][]rune) bool {
	known := make([]bool, len(text))
	for _, word := range words {
		for i := 0; i+len(word) <= len(text); i++ {
			if slices.Equal(text[i:i+len(word)], word) {
				for j := range word {
					known[i+j] = true
				}
			}
		}
	}
	others := 0
	for _, k := range known {
		if !k {
			others++
		}
	}
	return others < len(text) && others < MinPasswordLength
}

// repeating tells whether a text is one part over and over, the last time perhaps cut short, where the
// part alone would be too short for a password.
func repeating(text []rune) bool {
	for size := 1; size < MinPasswordLength && 2*size <= len(text); size++ {
		if slices.Equal(text[size:], text[:len(text)-size]) {
			return true
		}
	}
	return false
}
