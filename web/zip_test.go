package web_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"
)

// zipOf packs files, given as pairs of name and content.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallZip is a body that installs a collection: multipart/form-data with the boundary "edge".
func smallZip(t testing.TB) []byte {
	return bodyOf(part("collectionFile", "small.zip", zipOf(t, "docs/a.txt", "hello")))
}

// part is one part of a body; without a file name it is a plain field.
func part(field, file string, content []byte) []byte {
	disposition := fmt.Sprintf(`form-data; name="%s"`, field)
	if file != "" {
		disposition += fmt.Sprintf(`; filename="%s"`, file)
	}
	return append([]byte("--edge\r\nContent-Disposition: "+disposition+"\r\n\r\n"), append(bytes.Clone(content), "\r\n"...)...)
}

// bodyOf puts parts together.
func bodyOf(parts ...[]byte) []byte { return append(bytes.Join(parts, nil), "--edge--\r\n"...) }

// odd is a member as no packer would write it: its header as it stands, and the bytes that follow.
type odd struct {
	zip.FileHeader
	body string // as it is in the archive: packed already, where the header's method says so
}

// zipOfOdd packs a good file, and behind it members that may say anything of themselves.
func zipOfOdd(t testing.TB, members ...odd) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range append([]odd{called("fine.txt")}, members...) {
		w, err := z.CreateRaw(&m.FileHeader)
		if err == nil {
			_, err = io.WriteString(w, m.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// called is a member with one byte in it, or a folder where the name ends as one's does.
func called(name string) odd {
	if strings.HasSuffix(name, "/") {
		return odd{FileHeader: zip.FileHeader{Name: name}}
	}
	return stored(name, "x")
}

// stored is a member that is not compressed.
func stored(name, body string) odd {
	size := uint64(len(body))
	return odd{zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE([]byte(body)), CompressedSize64: size, UncompressedSize64: size}, body}
}

// ofKind is a member with a mode of Unix.
func ofKind(name string, mode fs.FileMode) odd {
	m := called(name)
	m.SetMode(mode)
	return m
}

// deflated is a member of so many zeros, which says of itself that it is of another size.
func deflated(t testing.TB, name string, zeros int, said uint64) odd {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = w.Write(make([]byte, zeros))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return odd{zip.FileHeader{
		Name: name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(make([]byte, zeros)),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: said,
	}, packed.String()}
}

// overlapping is an archive of many entries that all stand for the one member in it: 1 MiB each.
func overlapping(t testing.TB, entries int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	m := deflated(t, "00", 1<<20, 1<<20)
	w, err := z.CreateRaw(&m.FileHeader)
	if err == nil {
		_, err = io.WriteString(w, m.body)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz!#$%&'()+,-;=@[]^_`{}~"
	whole := out.Bytes()
	from, to := bytes.Index(whole, []byte("PK\x01\x02")), bytes.LastIndex(whole, []byte("PK\x05\x06"))
	record, end := bytes.Clone(whole[from:to]), bytes.Clone(whole[to:])
	for i := 1; i < entries; i++ {
		name := []byte{letters[i/len(letters)], letters[i%len(letters)]}
		whole = append(whole[:from+i*len(record)], bytes.Replace(record, []byte("00"), name, 1)...)
	}
	binary.LittleEndian.PutUint16(end[8:], uint16(entries))
	binary.LittleEndian.PutUint16(end[10:], uint16(entries))
	binary.LittleEndian.PutUint32(end[12:], uint32(entries*len(record)))
	return append(whole, end...)
}
