// Package archive decides whether a collection's zip may be kept. It reads the whole archive once, unpacks every
// member into nothing, and either vouches for each path, size and hash, or names the entry and the rule it breaks.
//
// It reads the format itself where archive/zip is kind: that package opens archives with overlapping members, with
// two members of one name, with bytes that belong to nothing, and allocates what an archive declares. Here an archive
// has one reading: whatever tool opens it later finds the same files with the same bytes.
package archive

import (
	"archive/zip"
	"compress/flate"
	"context"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"tokendesk/models"
)

// Limits bound what an archive may hold. All must be set: a zero allows nothing. Start from DefaultLimits.
type Limits struct {
	ArchiveBytes   int64 // the zip itself
	TotalBytes     int64 // all members, unpacked
	FileBytes      int64 // one member, unpacked
	Entries        int   // members and folders
	Ratio          int   // unpacked to packed, for members over 1 MiB
	NameBytes      int   // one segment of a path
	Depth          int   // segments of a path
	DirectoryBytes int64 // the zip's own directory at its end, which is what is held in memory
	CommentBytes   int   // the archive's comment
	ManifestBytes  int64 // collection.json
}

// DefaultLimits hold for every collection unless the settings say otherwise.
var DefaultLimits = Limits{
	ArchiveBytes:   100 << 20,
	TotalBytes:     500 << 20,
	FileBytes:      100 << 20,
	Entries:        10_000,
	Ratio:          100,
	NameBytes:      200,
	Depth:          16,
	DirectoryBytes: 4 << 20,
	CommentBytes:   1 << 10,
	ManifestBytes:  1 << 20,
}

// File is a member of a checked archive. Its path is relative, clean, NFC and separated by slashes; its size and
// hash are those of the bytes that really came out.
type File struct {
	Path   string
	Size   int64
	SHA256 [32]byte
}

// Summary is what a checked archive holds. Name, Version and Description are those of the manifest, collection.json
// at the archive's root, and empty where it says nothing or is not there.
type Summary struct {
	Name, Version, Description string
	Files                      []File // in the order of their paths; folders are not listed
	TotalBytes                 int64  // the sum of the files' sizes
}

// Check reads an archive of so many bytes and says what is in it. It fails with ErrNotZip for what is no zip, with a
// *Refusal for a zip that may not be kept, with the context's error, and with the reader's own error where reading failed.
// Memory is bounded by the limits on the directory and the manifest, whatever the archive declares.
func Check(ctx context.Context, r io.ReaderAt, size int64, limits Limits) (Summary, error) {
	src := &source{r: r, size: size}
	summary, err := check(ctx, src, limits)
	switch {
	case err == nil:
		return summary, nil
	case ctx.Err() != nil:
		return Summary{}, ctx.Err()
	case src.failed != nil: // what looked like a damaged archive was a disk or a database that did not answer
		return Summary{}, fmt.Errorf("read archive: %w", src.failed)
	}
	return Summary{}, err
}

// check goes from the cheap to the dear: nothing is unpacked before everything that is declared has been found right.
func check(ctx context.Context, src *source, limits Limits) (Summary, error) {
	if err := checkStart(src, limits); err != nil {
		return Summary{}, err
	}
	place, err := findDirectory(src, limits)
	if err != nil {
		return Summary{}, err
	}
	entries, err := readDirectory(src, place, limits)
	if err != nil {
		return Summary{}, err
	}
	if err := checkLayout(ctx, src, place.offset, entries); err != nil {
		return Summary{}, err
	}
	return readMembers(ctx, src, entries)
}

// Open reads one member of an archive that Check has accepted: its bytes and how many they are. A path that is not
// in the archive is NotFound. What is open keeps nothing of the archive's directory, which may be long, however
// long it is read.
func Open(r io.ReaderAt, size int64, path string) (io.ReadCloser, int64, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, 0, fmt.Errorf("open archive: %w", err)
	}
	for _, f := range z.File {
		if f.Name != path || f.FileInfo().IsDir() {
			continue
		}
		at, err := f.DataOffset()
		if err != nil {
			return nil, 0, fmt.Errorf("open %s: %w", printable(path), err)
		}
		m := &unpacking{left: int64(f.UncompressedSize64), sum: f.CRC32, crc: crc32.NewIEEE()}
		m.ReadCloser = io.NopCloser(io.NewSectionReader(r, at, int64(f.CompressedSize64)))
		if f.Method == zip.Deflate {
			m.ReadCloser = flate.NewReader(m.ReadCloser)
		}
		return m, m.left, nil
	}
	return nil, 0, models.Fail(models.NotFound, "This file is not in the collection.")
}

// unpacking is a file of an archive on its way out. Where it is not as long as it should be, or not what it
// was, it ends with an error.
type unpacking struct {
	io.ReadCloser
	left int64
	sum  uint32
	crc  hash.Hash32
}

func (m *unpacking) Read(b []byte) (int, error) {
	n, err := m.ReadCloser.Read(b)
	m.left -= int64(n)
	m.crc.Write(b[:n])
	if m.left < 0 || err == io.EOF && (m.left > 0 || m.crc.Sum32() != m.sum) {
		return n, zip.ErrChecksum
	}
	return n, err
}
