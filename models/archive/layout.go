package archive

import (
	"cmp"
	"context"
	"slices"
)

const (
	localSize           = 30           // of a local header, without name and extra fields (APPNOTE.TXT 4.3.7)
	descriptorSignature = "PK\x07\x08" // before the sizes that follow streamed data
)

// layout walks the members in the order of their bytes and insists that they lie end to end: the first at the start
// of the archive, the last up to the directory. So none share bytes, and none of the archive's bytes is outside them.
type layout struct {
	src   *source
	head  [localSize]byte
	name  []byte
	extra []byte
}

// checkLayout proves that the members fill the archive up to the directory, and that what each says of itself is
// what the directory says of it. It sets where the data of each begins, and leaves the entries in that order.
func checkLayout(ctx context.Context, src *source, directory int64, entries []entry) error {
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.offset, b.offset) })
	l := &layout{src: src}
	at := int64(0)
	for i := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, next := &entries[i], directory
		if i+1 < len(entries) {
			next = entries[i+1].offset
		}
		switch {
		case e.offset < at:
			return e.refuse(Overlap, "shares bytes of the archive with another entry")
		case e.offset > at:
			return e.refuse(Hidden, "comes after bytes that belong to no entry")
		}
		if err := l.check(e, directory); err != nil {
			return err
		}
		after, err := l.trailer(e, next)
		if err != nil {
			return err
		}
		at = e.data + e.packed + after
	}
	if at != directory {
		return refuse(Hidden, "has bytes between its last entry and its directory")
	}
	return nil
}

// check compares the local header with the directory's entry and finds the data after it.
func (l *layout) check(e *entry, directory int64) error {
	h := l.head[:]
	if e.offset > directory-localSize {
		return e.refuse(Damaged, "lies outside the archive")
	}
	if err := l.src.fill(h, e.offset); err != nil {
		return err
	}
	if string(h[:4]) != memberSignature {
		return e.refuse(Damaged, "is not where the directory says")
	}
	l.name, l.extra = sized(l.name, int(le.Uint16(h[26:]))), sized(l.extra, int(le.Uint16(h[28:])))
	e.data = e.offset + localSize + int64(len(l.name)+len(l.extra))
	if e.data > directory || e.packed > directory-e.data {
		return e.refuse(Damaged, "runs past the end of the archive")
	}
	if err := l.src.fill(l.name, e.offset+localSize); err != nil {
		return err
	}
	if err := l.src.fill(l.extra, e.data-int64(len(l.extra))); err != nil {
		return err
	}
	return l.compare(e)
}

// compare holds the local header against the entry. With the streamed flag sizes and checksum may still be zero. A ZIP64
// field may be there without need, as Info-ZIP and Python write it for data of unknown length; then it has to be right too.
func (l *layout) compare(e *entry) error {
	h := l.head[:]
	if string(l.name) != e.name {
		return e.refuse(Mismatch, "has another name in the archive than in its directory (\"%s\")", printable(string(l.name)))
	}
	if le.Uint16(h[8:]) != e.method || (le.Uint16(h[6:])^e.flags)&^flagLevel != 0 {
		return e.refuse(Mismatch, "is packed in another way than the directory says")
	}
	x, ok := readExtra(l.extra)
	if !ok || x.contradicts(e.name) || x.wide != nil && len(x.wide) != 16 {
		return e.refuse(Mismatch, "has extra fields that contradict its name or each other")
	}
	streamed := e.flags&flagStreamed != 0
	agrees := func(said, is uint64) bool { return said == is || streamed && said == 0 }
	narrow := func(said uint32, is int64) bool {
		return agrees(uint64(said), uint64(is)) || said == in64 && x.wide != nil
	}
	right := agrees(uint64(le.Uint32(h[14:])), uint64(e.crc)) &&
		narrow(le.Uint32(h[18:]), e.packed) && narrow(le.Uint32(h[22:]), e.size)
	if x.wide != nil {
		right = right && agrees(le.Uint64(x.wide), uint64(e.size)) && agrees(le.Uint64(x.wide[8:]), uint64(e.packed))
	}
	if !right {
		return e.refuse(Mismatch, "has other sizes or another checksum in the archive than in its directory")
	}
	return nil
}

// trailer reads the data descriptor between an entry's data and what comes next, and returns its length. It comes
// with or without a signature and with sizes of four or eight bytes (APPNOTE.TXT 4.3.9); its length tells which.
func (l *layout) trailer(e *entry, next int64) (int64, error) {
	end := e.data + e.packed
	gap := next - end
	switch {
	case e.flags&flagStreamed == 0:
		return 0, nil // the walk itself sees a gap
	case gap == 0 && e.packed == 0 && e.size == 0 && e.crc == 0:
		return 0, nil // nothing was streamed: the zeros of the header are the truth
	case gap < 0:
		return 0, e.refuse(Overlap, "shares bytes of the archive with another entry")
	case gap != 12 && gap != 16 && gap != 20 && gap != 24:
		return 0, e.refuse(Hidden, "is followed by bytes that belong to no entry")
	}
	var buffer [24]byte
	b := buffer[:gap]
	if err := l.src.fill(b, end); err != nil {
		return 0, err
	}
	right := true
	if gap == 16 || gap == 24 {
		right, b = string(b[:4]) == descriptorSignature, b[4:]
	}
	packed, size := uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[8:]))
	if len(b) == 20 {
		packed, size = le.Uint64(b[4:]), le.Uint64(b[12:])
	}
	if !right || le.Uint32(b) != e.crc || packed != uint64(e.packed) || size != uint64(e.size) {
		return 0, e.refuse(Mismatch, "is followed by other sizes or another checksum than the directory has")
	}
	return gap, nil
}
