package archive

import (
	"encoding/binary"
	"io"
)

// le is the byte order of every number in a zip.
var le = binary.LittleEndian

// source is the archive's bytes. It remembers a reader that failed, so that this is never told as a damaged archive.
type source struct {
	r      io.ReaderAt
	size   int64
	failed error
}

func (s *source) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.r.ReadAt(p, offset)
	if err != nil && err != io.EOF && s.failed == nil {
		s.failed = err
	}
	return n, err
}

// fill reads exactly len(p) bytes. That there are fewer means the archive is damaged.
func (s *source) fill(p []byte, offset int64) error {
	if n, _ := s.ReadAt(p, offset); n < len(p) {
		return refuse(Damaged, "ends too early")
	}
	return nil
}

// section is the part of the archive from offset on, for reading in a stream.
func (s *source) section(offset, size int64) *io.SectionReader {
	return io.NewSectionReader(s, offset, size)
}

// A zip begins with its first member. The other beginnings are those of an empty archive and of one in several parts.
const (
	memberSignature   = "PK\x03\x04"
	endSignature      = "PK\x05\x06"
	partSignature     = "PK\x07\x08"
	onlyPartSignature = "PK00"
)

// checkStart tells zips from other files by their first four bytes: names and content types lie.
func checkStart(src *source, limits Limits) error {
	if src.size < 4 {
		return ErrNotZip
	}
	var start [4]byte
	if err := src.fill(start[:], 0); err != nil {
		return err
	}
	switch string(start[:]) {
	case memberSignature:
	case endSignature:
		return refuse(Empty, "holds no files")
	case partSignature, onlyPartSignature:
		return refuse(Split, "is one part of a split archive; send it as one file")
	default:
		return ErrNotZip
	}
	if src.size > limits.ArchiveBytes {
		return refuse(TooLarge, "is larger than the limit of %s", bytesText(limits.ArchiveBytes))
	}
	return nil
}
