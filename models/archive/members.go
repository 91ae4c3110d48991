package archive

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// unpacker takes members out of the archive one after another, with the same buffers, and keeps none of their bytes
// but the manifest's.
type unpacker struct {
	src      *source
	in       *bufio.Reader // what flate reads byte by byte, so that nothing after the packed data is swallowed
	inflate  io.ReadCloser
	sum      hash.Hash
	buffer   []byte
	manifest bytes.Buffer
}

// readMembers unpacks every member, in the order in which they lie, and compares size and checksum with what was
// declared. The manifest is judged last, when the archive is known to be whole.
func readMembers(ctx context.Context, src *source, entries []entry) (Summary, error) {
	u := &unpacker{src: src, in: bufio.NewReaderSize(nil, 32<<10), sum: sha256.New(), buffer: make([]byte, 32<<10)}
	u.inflate = flate.NewReader(u.in)
	summary := Summary{Files: make([]File, 0, len(entries))}
	var about *entry
	for i := range entries {
		e := &entries[i]
		if e.name == manifestPath {
			about = e
		}
		sum, err := u.read(ctx, e)
		if err != nil {
			return Summary{}, err
		}
		if !e.isFolder() {
			summary.Files = append(summary.Files, File{Path: e.name, Size: e.size, SHA256: sum})
			summary.TotalBytes += e.size
		}
	}
	slices.SortFunc(summary.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if about != nil {
		if problem := summary.describe(u.manifest.Bytes()); problem != "" {
			return Summary{}, about.refuse(Manifest, "%s", problem)
		}
	}
	return summary, nil
}

// read unpacks one member. It goes one byte beyond the declared size and no further, whatever the data would become.
func (u *unpacker) read(ctx context.Context, e *entry) (sum [sha256.Size]byte, err error) {
	packed := u.src.section(e.data, e.packed)
	u.in.Reset(packed)
	body := io.Reader(u.in)
	if e.method == methodDeflate {
		if err := u.inflate.(flate.Resetter).Reset(u.in, nil); err != nil {
			return sum, e.refuse(Damaged, "cannot be unpacked")
		}
		body = u.inflate
	}
	u.sum.Reset()
	crc, size := uint32(0), int64(0)
	limited := io.LimitReader(body, e.size+1)
	for err == nil {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		var n int
		n, err = limited.Read(u.buffer)
		size += int64(n)
		u.keep(e, u.buffer[:n])
		crc = crc32.Update(crc, crc32.IEEETable, u.buffer[:n])
	}
	_, rest := u.in.ReadByte()
	switch {
	case err != io.EOF:
		return sum, e.refuse(Damaged, "cannot be unpacked")
	case size != e.size:
		return sum, e.refuse(Mismatch, "does not unpack to the size it declares")
	case crc != e.crc:
		return sum, e.refuse(Damaged, "does not unpack to what was packed: its checksum is wrong")
	case rest != io.EOF:
		return sum, e.refuse(Hidden, "has bytes after the end of its packed data")
	}
	u.sum.Sum(sum[:0])
	return sum, nil
}

// keep adds a piece of a member to its hash, and to the manifest when it is that.
func (u *unpacker) keep(e *entry, piece []byte) {
	u.sum.Write(piece)
	if e.name == manifestPath {
		u.manifest.Write(piece) // at most Limits.ManifestBytes and one
	}
}
