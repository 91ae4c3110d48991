package archive

import (
	"bufio"
	"io"
	"strings"
)

// entry is one record of the archive's directory. Once readDirectory returns it, its name, kind, method and sizes
// are within the rules, and what is left to prove is that the archive's other bytes agree.
type entry struct {
	index  int // from 1, in the order of the directory
	name   string
	flags  uint16
	method uint16
	crc    uint32
	packed int64 // bytes in the archive
	size   int64 // bytes unpacked
	offset int64 // of its local header
	data   int64 // of its first packed byte; set by checkLayout
}

// isFolder reports whether the entry is a folder, which a zip marks by the slash at the end of its name.
func (e *entry) isFolder() bool { return strings.HasSuffix(e.name, "/") }

const (
	entrySignature = "PK\x01\x02"
	entrySize      = 46 // without name, extra fields and comment (APPNOTE.TXT 4.3.12)
)

// directory walks the records one after another with one buffer for each part.
type directory struct {
	in     *bufio.Reader
	limits Limits
	head   [entrySize]byte
	name   []byte
	extra  []byte
}

// readDirectory reads as many entries as were counted and finds the directory at its end then.
func readDirectory(src *source, at place, limits Limits) ([]entry, error) {
	d := &directory{in: bufio.NewReader(src.section(at.offset, at.size)), limits: limits}
	entries := make([]entry, 0, at.entries)
	paths := newPaths(at.entries)
	total, files := int64(0), 0
	for index := 1; index <= at.entries; index++ {
		e, err := d.next(index)
		if err != nil {
			return nil, err
		}
		if e.size > limits.TotalBytes-total {
			return nil, e.refuse(TooLarge, "brings the unpacked size over the limit of %s", bytesText(limits.TotalBytes))
		}
		total += e.size
		if err := paths.add(&e); err != nil {
			return nil, err
		}
		if !e.isFolder() {
			files++
		}
		entries = append(entries, e)
	}
	if _, err := d.in.ReadByte(); err != io.EOF {
		return nil, refuse(Mismatch, "has more entries than its end says")
	}
	if files == 0 {
		return nil, refuse(Empty, "holds no files")
	}
	return entries, nil
}

// next reads one record and judges everything that it says of its entry.
func (d *directory) next(index int) (entry, error) {
	e := entry{index: index}
	if _, err := io.ReadFull(d.in, d.head[:]); err != nil || string(d.head[:4]) != entrySignature {
		return e, refuse(Damaged, "entry %d of its directory cannot be read", index)
	}
	h := d.head[:]
	nameSize, extraSize, commentSize := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	d.name, d.extra = sized(d.name, nameSize), sized(d.extra, extraSize)
	_, err := io.ReadFull(d.in, d.name)
	if err == nil {
		_, err = io.ReadFull(d.in, d.extra)
	}
	if err == nil {
		_, err = d.in.Discard(commentSize)
	}
	if err != nil {
		return e, refuse(Damaged, "entry %d of its directory is cut short", index)
	}
	e.name = string(d.name)
	e.flags, e.method, e.crc = le.Uint16(h[8:]), le.Uint16(h[10:]), le.Uint32(h[16:])
	if err := e.measure(h, d.extra); err != nil {
		return e, err
	}
	madeBy, attributes := h[5], le.Uint32(h[38:])
	return e, e.check(madeBy, attributes, d.limits)
}

// measure takes sizes and offset from the record, or from its ZIP64 field where the record says so. That field holds
// what the record gives up and nothing else, in this order (APPNOTE.TXT 4.5.3).
func (e *entry) measure(h, extra []byte) error {
	x, ok := readExtra(extra)
	if !ok || x.contradicts(e.name) {
		return e.refuse(Mismatch, "has extra fields that contradict its name or each other")
	}
	size, packed, offset := uint64(le.Uint32(h[24:])), uint64(le.Uint32(h[20:])), uint64(le.Uint32(h[42:]))
	wide := x.wide
	for _, field := range []*uint64{&size, &packed, &offset} {
		if *field == in64 && len(wide) >= 8 {
			*field, wide = le.Uint64(wide), wide[8:]
		}
	}
	const most = 1<<63 - 1
	if len(wide) > 0 || le.Uint16(h[34:]) != 0 || size > most || packed > most || offset > most {
		return e.refuse(Mismatch, "has sizes or a place that cannot be")
	}
	e.size, e.packed, e.offset = int64(size), int64(packed), int64(offset)
	return nil
}

// sized is a buffer of n bytes, the same one again where it is large enough.
func sized(buffer []byte, n int) []byte {
	if cap(buffer) < n {
		return make([]byte, n)
	}
	return buffer[:n]
}
