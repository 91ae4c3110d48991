package archive

import "bytes"

// place is where the directory of an archive lies and how many entries it is said to have.
type place struct {
	offset, size int64
	entries      int
}

// The records at the end of a zip (APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16), in the order in which they stand there.
const (
	end64Signature   = "PK\x06\x06"
	end64Size        = 56 // without the extensible data, which nobody writes
	locatorSignature = "PK\x06\x07"
	locatorSize      = 20
	endSize          = 22
	longestComment   = 1<<16 - 1
)

// What a 16 or 32 bit field holds when the real value stands in a ZIP64 record.
const (
	in64 = 1<<32 - 1
	in16 = 1<<16 - 1
)

// findDirectory reads the end of the archive. Entries are counted here, before memory is set aside for any of them.
func findDirectory(src *source, limits Limits) (place, error) {
	end, at, err := readEnd(src, limits)
	if err != nil {
		return place{}, err
	}
	if le.Uint16(end[4:]) != 0 || le.Uint16(end[6:]) != 0 {
		return place{}, refuse(Split, "is one part of a split archive; send it as one file")
	}
	said := count{
		here: uint64(le.Uint16(end[8:])), all: uint64(le.Uint16(end[10:])),
		size: uint64(le.Uint32(end[12:])), offset: uint64(le.Uint32(end[16:])),
	}
	said, at, err = said.widen(src, at)
	if err != nil {
		return place{}, err
	}
	switch {
	case said.all != said.here:
		return place{}, refuse(Mismatch, "has two different numbers of entries")
	case said.all > uint64(limits.Entries):
		return place{}, refuse(TooLarge, "has %d entries; the limit is %d", said.all, limits.Entries)
	case said.all == 0:
		return place{}, refuse(Empty, "holds no files")
	case said.offset > uint64(at) || said.size != uint64(at)-said.offset:
		return place{}, refuse(Mismatch, "does not have its directory where its end says")
	case said.size > uint64(limits.DirectoryBytes):
		return place{}, refuse(TooLarge, "has a directory larger than the limit of %s", bytesText(limits.DirectoryBytes))
	case said.size < said.all*entrySize:
		return place{}, refuse(Mismatch, "has %d entries by its end, and a directory too small for them", said.all)
	}
	return place{offset: int64(said.offset), size: int64(said.size), entries: int(said.all)}, nil
}

// readEnd finds the one record whose comment ends where the archive ends, and its offset.
func readEnd(src *source, limits Limits) (end []byte, at int64, err error) {
	tail := make([]byte, min(src.size, endSize+longestComment))
	if err := src.fill(tail, src.size-int64(len(tail))); err != nil {
		return nil, 0, err
	}
	follows := false // a record is there, and something after it
	for i := len(tail) - endSize; i >= 0; i-- {
		if string(tail[i:i+4]) != endSignature {
			continue
		}
		comment, rest := int(le.Uint16(tail[i+20:])), len(tail)-i-endSize
		switch {
		case comment < rest:
			follows = true
		case comment == rest && end != nil:
			return nil, 0, refuse(Mismatch, "has two ends, one in the comment of the other")
		case comment == rest:
			end, at = tail[i:i+endSize], src.size-int64(len(tail)-i)
		}
	}
	switch {
	case end != nil && src.size-at-endSize > int64(limits.CommentBytes):
		return nil, 0, refuse(TooLarge, "has a comment longer than the limit of %s", bytesText(int64(limits.CommentBytes)))
	case end == nil && follows:
		return nil, 0, refuse(Hidden, "has bytes after its end, or is cut short")
	case end == nil:
		return nil, 0, refuse(Damaged, "has no end")
	}
	return end, at, nil
}

// count is what the end of an archive says of the directory.
type count struct{ here, all, size, offset uint64 }

// widen reads the ZIP64 records before the end at so many bytes, if there are any, and returns what holds then and
// where the directory has to end. No archive within the limits needs ZIP64, but tools that write into a pipe use it;
// both places must say the same, so that it does not matter which of them a reader believes.
func (c count) widen(src *source, at int64) (count, int64, error) {
	var locator [locatorSize]byte
	if at >= locatorSize {
		if err := src.fill(locator[:], at-locatorSize); err != nil {
			return c, 0, err
		}
	}
	if !bytes.HasPrefix(locator[:], []byte(locatorSignature)) {
		return c, at, nil
	}
	at -= locatorSize + end64Size
	if at < 0 || le.Uint64(locator[8:]) != uint64(at) || le.Uint32(locator[4:]) != 0 || le.Uint32(locator[16:]) != 1 {
		return c, 0, refuse(Mismatch, "does not have its ZIP64 end where it says")
	}
	var end [end64Size]byte
	if err := src.fill(end[:], at); err != nil {
		return c, 0, err
	}
	if string(end[:4]) != end64Signature || le.Uint64(end[4:]) != end64Size-12 ||
		le.Uint32(end[16:]) != 0 || le.Uint32(end[20:]) != 0 {
		return c, 0, refuse(Mismatch, "has a ZIP64 end that cannot be read")
	}
	wide := count{le.Uint64(end[24:]), le.Uint64(end[32:]), le.Uint64(end[40:]), le.Uint64(end[48:])}
	if !same(c.here, wide.here, in16) || !same(c.all, wide.all, in16) ||
		!same(c.size, wide.size, in64) || !same(c.offset, wide.offset, in64) {
		return c, 0, refuse(Mismatch, "has two ends that contradict each other")
	}
	return wide, at, nil
}

// same reports whether a narrow field agrees with its wide one: equal, or given up in its favour.
func same(narrow, wide, givenUp uint64) bool { return narrow == wide || narrow == givenUp }
