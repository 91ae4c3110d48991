package secret

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// enough is the least effort that a password must be. At these weights three common words in a row fall
// short, and four of them, or three with spaces between, are just enough.
const enough = 8

// What the parts of a password weigh.
const (
	effortCharacter = 1 // any character by itself
	effortRun       = 1 // a run of any length: the whole of it comes from its first character
	effortRepeat    = 1 // a part that was there before
	effortWord      = 2 // a common password inside another
)

// Parts shorter than these are in too many passwords by chance.
const (
	shortestRun    = 3
	shortestRepeat = 3
	shortestWord   = 4
	longestWord    = MinPasswordLength - 1
)

// rows are runs that are known by their look on a keyboard. Alphabets and digits need no row.
var rows = bothWays(
	"1234567890", "!@#$%^&*()", "!\"§$%&/()=",
	"qwertyuiop", "asdfghjkl", "zxcvbnm",
	"qwertzuiop", "yxcvbnm",
	"azertyuiop", "qsdfghjklm", "wxcvbn",
	"йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp",
	"1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "1a2b3c4d5e6f7g8h9i0j",
	"a1s2d3f4g5h6j7k8l9", "q1a2z3w4s5x6e7d8c9", "!q@w#e$r%t^y&u*i(o)p", "!qaz@wsx#edc$rfv%tgb^yhn",
)

// effort weighs how much of a text is left to guess for somebody who knows the common passwords, the
// keyboard and the alphabet: the least weight of all ways to cut it into parts.
func effort(text []rune) int {
	plain := undisguised(text)
	least := make([]int, len(text)+1) // least[i] is the effort of the first i characters
	for i := range least {
		least[i] = i * effortCharacter
	}
	for i := range text {
		reach := func(size, weight int) { least[i+size] = min(least[i+size], least[i]+weight) }
		reach(1, effortCharacter)
		for size := shortestRun; size <= run(text[i:]); size++ {
			reach(size, effortRun)
		}
		for size := shortestRepeat; i+size <= len(text) && contains(text[:i], text[i:i+size]); size++ {
			reach(size, effortRepeat)
		}
		for size := shortestWord; size <= longestWord && i+size <= len(text); size++ {
			if listed(string(text[i:i+size])) || listed(string(plain[i:i+size])) {
				reach(size, effortWord)
			}
		}
	}
	return least[len(text)]
}

// disguises are the letters that people write as something else, to no avail.
var disguises = map[rune]rune{
	'4': 'a', '@': 'a', '3': 'e', '€': 'e', '1': 'i', '!': 'i', '0': 'o', '5': 's', '$': 's', '7': 't', '+': 't',
}

// undisguised puts the letters back, one for one.
func undisguised(text []rune) []rune {
	plain := slices.Clone(text)
	for i, r := range plain {
		if letter, found := disguises[r]; found {
			plain[i] = letter
		}
	}
	return plain
}

// run is the length of the longest run that a text begins with: equal steps of at most two between code
// points (aaaa, 4321, acegi), or a stretch of a keyboard row.
func run(text []rune) int {
	steps := min(len(text), 2)
	for steps >= 2 && steps < len(text) {
		step := text[steps] - text[steps-1]
		if step != text[1]-text[0] || step < -2 || step > 2 {
			break
		}
		steps++
	}
	longest := steps
	for _, row := range rows {
		for longest < len(text) && strings.Contains(row, string(text[:longest+1])) {
			longest++
		}
	}
	return longest
}

// isCommon tells whether a text is one of the long entries of the list: as it is, with only its letters
// and digits, or without what people put around a common password to make it another.
func isCommon(text []rune) bool {
	outer := strings.TrimFunc(string(text), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, form := range []string{string(text), letters(text), outer} {
		if utf8.RuneCountInString(form) >= MinPasswordLength && listed(form) {
			return true
		}
	}
	return false
}

func contains(text, part []rune) bool { return strings.Contains(string(text), string(part)) }

func bothWays(rows ...string) []string {
	for _, row := range slices.Clone(rows) {
		back := []rune(row)
		slices.Reverse(back)
		rows = append(rows, string(back))
	}
	return rows
}
