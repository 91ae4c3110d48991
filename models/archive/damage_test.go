package archive

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

const timesExtra = "UT\x05\x00\x03\x15\xf1\x01\x6b" // as Info-ZIP writes it: id, length, what follows, seconds

// variety is a small archive with one of everything that may be in one.
func variety() zipFile {
	return zipFile{comment: "a comment", wide: true, members: []member{
		{name: "collection.json", body: `{"name":"variety","version":"1.0","description":"One of everything."}`},
		{name: "docs/", stored: true, mode: 0o040755, madeBy: 3},
		{name: "docs/stored.txt", body: "as it is", stored: true, mode: 0o100644, madeBy: 3, extra: timesExtra},
		{name: "docs/deflated.txt", body: strings.Repeat("again and ", 30), mode: 0o100644, madeBy: 3, extra: timesExtra},
		{name: "streamed-é.txt", body: strings.Repeat("streamed ", 9), trailer: 16, flags: flagUTF8},
		{name: "streamed64", body: "12345", stored: true, trailer: 24},
		{name: "nothing", stored: true},
	}}
}

// An archive cut short at any byte is refused as damaged, or is no zip any more; none is taken for a smaller one.
func TestTruncated(t *testing.T) {
	for name, data := range map[string][]byte{
		"variety":           variety().bytes(),
		"archive in itself": pack(member{name: "inner.zip", body: string(variety().bytes()), stored: true}),
	} {
		accept(t, data)
		for n := range data {
			_, err := checked(data[:n:n], DefaultLimits)
			var r *Refusal
			switch {
			case n < 4:
				if !errors.Is(err, ErrNotZip) {
					t.Fatalf("%s, %d bytes: %v", name, n, err)
				}
			case !errors.As(err, &r):
				t.Fatalf("%s, %d bytes: %v", name, n, err)
			case name == "variety" && r.Code != Damaged:
				t.Fatalf("%s, %d bytes: %v", name, n, err)
			}
		}
	}
}

// An archive with a byte changed, in any bit or in all, is refused, or holds the very same: names, sizes, hashes and
// the manifest's words. It may pass only where the byte means nothing to us: in times, versions, the remark how hard
// the packer tried, the attributes that are never used, the contents of extra fields, the bits that fill up a byte in
// a Deflate stream, and the comment.
func TestFlipped(t *testing.T) {
	data := variety().bytes()
	whole := accept(t, data)
	free := meaningless(data)
	passed := 0
	for at := range data {
		for bits := 1; bits <= 0x100; bits <<= 1 {
			mask := byte(bits)
			if bits == 0x100 {
				mask = 0xff
			}
			data[at] ^= mask
			summary, err := checked(data, DefaultLimits)
			var r *Refusal
			switch {
			case err == nil && !reflect.DeepEqual(summary, whole):
				t.Fatalf("byte %d ^ %#x: accepted with another content: %v", at, mask, summary)
			case err == nil && !free[at]:
				t.Errorf("byte %d ^ %#x: accepted, and it is not known to mean nothing", at, mask)
			case err == nil:
				passed++
			case !errors.As(err, &r) && !(at < 4 && errors.Is(err, ErrNotZip)):
				t.Fatalf("byte %d ^ %#x: %v", at, mask, err)
			}
			data[at] ^= mask
		}
	}
	if passed == 0 {
		t.Error("no change passed: this test proves less than it says")
	}
}

// meaningless marks the bytes of an archive that may change without a change of what it holds.
func meaningless(data []byte) map[int]bool {
	free := map[int]bool{}
	mark := func(from, to int) {
		for i := from; i < to; i++ {
			free[i] = true
		}
	}
	every := func(signature string, do func(at int)) {
		for at := 0; ; at++ {
			next := bytes.Index(data[at:], []byte(signature))
			if next < 0 {
				return
			}
			at += next
			do(at)
		}
	}
	// compress/flate ends in an empty stored block; before its length, in the fifth byte from the end, bits fill up.
	padding := func(at int) { mark(at-5, at-4) }
	every(descriptorSignature, padding)
	every(memberSignature, func(at int) {
		padding(at)        // of the member before it
		mark(at+4, at+7)   // version, level
		mark(at+10, at+14) // time and date
	})
	every(entrySignature, func(at int) {
		mark(at+4, at+9)   // made by, version, level
		mark(at+12, at+16) // time and date
		mark(at+36, at+42) // attributes
	})
	every("UT\x05\x00", func(at int) { mark(at, at+2); mark(at+4, at+9) })
	every(end64Signature, func(at int) { mark(at+12, at+16) }) // versions
	every("a comment", func(at int) { mark(at, at+len("a comment")) })
	return free
}
