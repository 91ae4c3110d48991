package archive

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
)

// member is one member of an archive made for a test. What a packer would write for it is right; local, central and
// behind then make it lie, each by changing the finished bytes.
type member struct {
	name     string
	body     string
	stored   bool
	flags    uint16
	mode     uint32 // as Unix has it; 0 is none
	madeBy   byte   // 3 is Unix, 0 FAT
	extra    string // of both headers
	trailer  int    // length of the data descriptor; the streamed flag is set when there is one
	local    func(h []byte)
	central  func(h []byte)
	behind   func(descriptor []byte)
	packed   string // instead of what the body packs to
	pad      string // bytes after the member that belong to nobody
	override string // name in the local header
}

// zipFile is an archive made for a test.
type zipFile struct {
	prefix  string // before the first member; offsets do not count it
	members []member
	gap     string // between the last member and the directory
	wide    bool   // with a ZIP64 end
	comment string
	suffix  string
	end     func(e []byte) // changes the end record
	end64   func(e []byte) // changes the ZIP64 end and its locator
}

// pack is the archive of some members with nothing else about it.
func pack(members ...member) []byte { return zipFile{members: members}.bytes() }

func (z zipFile) bytes() []byte {
	out := bytes.NewBufferString(z.prefix)
	var directory bytes.Buffer
	for _, m := range z.members {
		offset := out.Len() - len(z.prefix)
		directory.Write(m.write(out, offset))
	}
	out.WriteString(z.gap)
	at := out.Len() - len(z.prefix)
	out.Write(directory.Bytes())
	if z.wide {
		out.Write(z.writeEnd64(at, directory.Len()))
	}
	end := append([]byte(endSignature), make([]byte, endSize-4)...)
	le.PutUint16(end[8:], uint16(len(z.members)))
	le.PutUint16(end[10:], uint16(len(z.members)))
	le.PutUint32(end[12:], uint32(directory.Len()))
	le.PutUint32(end[16:], uint32(at))
	le.PutUint16(end[20:], uint16(len(z.comment)))
	change(z.end, end)
	out.Write(end)
	out.WriteString(z.comment + z.suffix)
	return out.Bytes()
}

func (z zipFile) writeEnd64(at, size int) []byte {
	e := append([]byte(end64Signature), make([]byte, end64Size-4)...)
	le.PutUint64(e[4:], end64Size-12)
	le.PutUint64(e[24:], uint64(len(z.members)))
	le.PutUint64(e[32:], uint64(len(z.members)))
	le.PutUint64(e[40:], uint64(size))
	le.PutUint64(e[48:], uint64(at))
	e = append(append(e, locatorSignature...), make([]byte, locatorSize-4)...)
	le.PutUint64(e[end64Size+8:], uint64(at+size))
	le.PutUint32(e[end64Size+16:], 1)
	change(z.end64, e)
	return e
}

// write writes the member and returns its record for the directory.
func (m member) write(out *bytes.Buffer, offset int) []byte {
	packed, method, flags := m.packed, uint16(methodDeflate), m.flags
	if m.stored {
		method = methodStore
	}
	if packed == "" {
		packed = m.body
		if !m.stored {
			packed = deflated(m.body)
		}
	}
	if m.trailer > 0 {
		flags |= flagStreamed
	}
	crc := crc32.ChecksumIEEE([]byte(m.body))
	h := append([]byte(memberSignature), make([]byte, localSize-4)...)
	le.PutUint16(h[4:], 20)
	le.PutUint16(h[6:], flags)
	le.PutUint16(h[8:], method)
	if flags&flagStreamed == 0 {
		le.PutUint32(h[14:], crc)
		le.PutUint32(h[18:], uint32(len(packed)))
		le.PutUint32(h[22:], uint32(len(m.body)))
	}
	name := m.name
	if m.override != "" {
		name = m.override
	}
	le.PutUint16(h[26:], uint16(len(name)))
	le.PutUint16(h[28:], uint16(len(m.extra)))
	h = append(append(h, name...), m.extra...)
	change(m.local, h)
	out.Write(h)
	out.WriteString(packed)
	out.Write(m.descriptor(crc, len(packed)))
	out.WriteString(m.pad)
	return m.record(method, flags, crc, len(packed), offset)
}

func (m member) record(method, flags uint16, crc uint32, packed, offset int) []byte {
	c := append([]byte(entrySignature), make([]byte, entrySize-4)...)
	c[4], c[5] = 20, m.madeBy
	le.PutUint16(c[6:], 20)
	le.PutUint16(c[8:], flags)
	le.PutUint16(c[10:], method)
	le.PutUint32(c[16:], crc)
	le.PutUint32(c[20:], uint32(packed))
	le.PutUint32(c[24:], uint32(len(m.body)))
	le.PutUint16(c[28:], uint16(len(m.name)))
	le.PutUint16(c[30:], uint16(len(m.extra)))
	le.PutUint32(c[38:], m.mode<<16)
	le.PutUint32(c[42:], uint32(offset))
	c = append(append(c, m.name...), m.extra...)
	change(m.central, c)
	return c
}

func (m member) descriptor(crc uint32, packed int) []byte {
	if m.trailer == 0 {
		return nil
	}
	var d []byte
	if m.trailer == 16 || m.trailer == 24 {
		d = append(d, descriptorSignature...)
	}
	d = le.AppendUint32(d, crc)
	if m.trailer >= 20 {
		d = le.AppendUint64(le.AppendUint64(d, uint64(packed)), uint64(len(m.body)))
	} else {
		d = le.AppendUint32(le.AppendUint32(d, uint32(packed)), uint32(len(m.body)))
	}
	change(m.behind, d)
	return d
}

func change(lie func([]byte), b []byte) {
	if lie != nil {
		lie(b)
	}
}

func deflated(body string) string {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write([]byte(body))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return out.String()
}

// put16, put32 and put64 are lies about one field; flip turns bits of one byte over.
func put16(at int, v uint16) func([]byte) { return func(b []byte) { le.PutUint16(b[at:], v) } }
func put32(at int, v uint32) func([]byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
func put64(at int, v uint64) func([]byte) { return func(b []byte) { le.PutUint64(b[at:], v) } }
func flip(at int, bits byte) func([]byte) { return func(b []byte) { b[at] ^= bits } }
