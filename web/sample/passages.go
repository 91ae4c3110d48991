package sample

import (
	"path"
	"strings"
	"unicode/utf8"
)

// Sizes of passages in bytes. Each but the last has shortPassage at least, which bounds how many a document has.
const (
	shortPassage = 120
	longPassage  = 900
	excerptBytes = 200
)

// passages cuts a text into pieces to quote: paragraphs, of which short ones are joined, and long ones cut where
// a sentence or at least a word ends.
func passages(text string) (all []string) {
	piece := ""
	add := func() {
		if piece = strings.TrimSpace(piece); piece != "" {
			all = append(all, piece)
		}
		piece = ""
	}
	for _, paragraph := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if len(piece) >= shortPassage || len(piece)+len(paragraph) > longPassage {
			add()
		}
		piece += "\n\n" + paragraph
		for len(piece) > longPassage {
			end := cut(piece, longPassage)
			rest := piece[end:]
			piece = piece[:end]
			add()
			piece = rest
		}
	}
	add()
	return all
}

// cut is where a text that is too long may end: within the most bytes it may have, behind a line, a sentence or a
// word, if there is one in its second half, and never within a character.
func cut(text string, most int) int {
	for _, end := range []string{"\n", ". ", " "} {
		if at := strings.LastIndex(text[:most], end); at > most/2 {
			return at + len(end)
		}
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return most
}

// titled takes a text's title from its first line, where that is a heading of Markdown, and else from its file's
// name.
func titled(name, text string) (title, rest string) {
	line, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if heading, is := strings.CutPrefix(line, "# "); is && isLine(strings.TrimSpace(heading)) && strings.TrimSpace(heading) != "" {
		return strings.TrimSpace(heading), rest
	}
	return strings.TrimSuffix(name, path.Ext(name)), text
}

// excerpt is the beginning of a text, in one line.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text[:cutAt(text, 4*excerptBytes)]), " ")
	if len(text) <= excerptBytes {
		return text
	}
	return strings.TrimSpace(text[:cut(text, excerptBytes)]) + " …"
}

// cutAt is cut for a text that may be shorter.
func cutAt(text string, most int) int {
	if len(text) <= most {
		return len(text)
	}
	return cut(text, most)
}
