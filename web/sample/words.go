package sample

import (
	"slices"
	"strings"
	"unicode"
)

const (
	mostWords   = 32 // of a question that are searched for
	longestWord = 64 // bytes; what is longer is no word
)

// fillers are words that say nothing of what a text is about.
var fillers = strings.Fields(`a about am an and any are as at be been but by can could did do does for from had has have how i if in into is it its
	me my no not of on or our please say she should so some tell than that the their them then there these they this to us was we were what when
	where which who whom whose why will with would you your`)

// words are what to search for: the words of a text in the order of the text, each once, without fillers unless
// there is nothing else.
func words(text string) []string {
	var all, telling []string
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) }) {
		if len(word) > longestWord || slices.Contains(all, word) {
			continue
		}
		if all = append(all, word); !slices.Contains(fillers, word) {
			telling = append(telling, word)
		}
		if len(telling) == mostWords {
			break
		}
	}
	if len(telling) == 0 {
		return all[:min(len(all), mostWords)]
	}
	return telling
}

// match writes words as FTS5 wants them: each in quotes, so that none is an operator, joined by AND or by OR.
func match(words []string, by string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " "+by+" ")
}
