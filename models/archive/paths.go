package archive

import (
	"crypto/sha256"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// paths remembers every file and folder of an archive, also the folders that are only in the paths of others, and
// finds two that a file system without regard to case would take for one.
//
// Ten thousand entries sixteen deep have 160,000 prefixes: what is kept of each is a hash and eight bytes.
type paths struct {
	fold  cases.Caser
	names []string // by entry, to spell out what a node stands for
	nodes map[key]node
	chain []byte // buffer of the next key
}

// key stands for a path without regard to case: half a SHA-256 over the key of its folder and its last segment. Two
// paths with one key would be refused, never confused.
type key [16]byte

// node is the first path that had a key: so many bytes of the name of entry number so much.
type node struct {
	entry  uint32
	length uint16 // a name in a zip has at most 65535 bytes
	kind   kind
}

type kind uint8

const (
	implied kind = iota // a folder in the path of an entry
	folder              // a folder with an entry of its own
	file
)

func newPaths(entries int) *paths {
	return &paths{fold: cases.Fold(), names: make([]string, 0, entries), nodes: make(map[key]node, entries)}
}

// add takes in an entry and the folders in its path, or says which entry is in its way.
func (p *paths) add(e *entry) error {
	p.names = append(p.names, e.name)
	rest := strings.TrimSuffix(e.name, "/")
	folded := norm.NFC.String(p.fold.String(rest)) // folding neither makes nor takes away a slash
	var parent key
	length := 0
	for {
		segment, after, more := strings.Cut(rest, "/")
		foldedSegment, foldedAfter, _ := strings.Cut(folded, "/")
		length += len(segment)
		parent = p.key(parent, foldedSegment)
		kind := implied
		switch {
		case !more && e.isFolder():
			kind = folder
		case !more:
			kind = file
		}
		if err := p.put(e, parent, node{uint32(e.index - 1), uint16(length), kind}); err != nil {
			return err
		}
		if !more {
			return nil
		}
		rest, folded = after, foldedAfter
		length++ // the slash
	}
}

func (p *paths) put(e *entry, k key, n node) error {
	old, taken := p.nodes[k]
	if !taken {
		p.nodes[k] = n
		return nil
	}
	switch {
	case p.text(old) != p.text(n):
		return e.refuse(Duplicate, "differs only in upper and lower case from entry %d (\"%s\")",
			old.entry+1, printable(p.text(old)))
	case (old.kind == file) != (n.kind == file):
		return e.refuse(Duplicate, "makes a path both a file and a folder, with entry %d", old.entry+1)
	case old.kind != implied && n.kind != implied:
		return e.refuse(Duplicate, "is there twice; entry %d has the same name", old.entry+1)
	case n.kind == folder:
		p.nodes[k] = n // so that a second entry for the folder is found
	}
	return nil
}

func (p *paths) text(n node) string { return p.names[n.entry][:n.length] }

func (p *paths) key(parent key, segment string) key {
	p.chain = append(append(p.chain[:0], parent[:]...), segment...)
	sum := sha256.Sum256(p.chain)
	return key(sum[:16])
}
