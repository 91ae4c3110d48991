package archive

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
)

// zeros compress a thousandfold, which is as far as Deflate goes.
func zeros(n int) string { return strings.Repeat("\x00", n) }

// letters make many short names, no two of which differ in upper and lower case only.
const letters = "0123456789abcdefghijklmnopqrstuvwxyz!#$%&'()+,-;=@[]^_`{}~"

// overlapping is an archive of many entries that all point at one member: small, and large in what it declares.
func overlapping(entries, size int) []byte {
	one := member{name: "00", body: zeros(size)}
	var out, directory bytes.Buffer
	directory.Write(one.write(&out, 0))
	record := append([]byte(nil), directory.Bytes()...)
	for i := 1; i < entries; i++ {
		record[entrySize], record[entrySize+1] = letters[i/len(letters)], letters[i%len(letters)]
		directory.Write(record)
	}
	return closed(out.Bytes(), directory.Bytes(), entries)
}

// closed puts members, directory and end together; the number of entries may need more than 16 bits, as may be.
func closed(members, directory []byte, entries int) []byte {
	z := zipFile{end: func(e []byte) {
		le.PutUint16(e[8:], uint16(min(entries, in16)))
		le.PutUint16(e[10:], uint16(min(entries, in16)))
		le.PutUint32(e[12:], uint32(len(directory)))
		le.PutUint32(e[16:], uint32(len(members)))
	}}
	z.wide = entries >= in16
	z.end64 = func(e []byte) {
		le.PutUint64(e[24:], uint64(entries))
		le.PutUint64(e[32:], uint64(entries))
		le.PutUint64(e[40:], uint64(len(directory)))
		le.PutUint64(e[48:], uint64(len(members)))
		le.PutUint64(e[end64Size+8:], uint64(len(members)+len(directory)))
	}
	return append(append(append([]byte(nil), members...), directory...), z.bytes()...)
}

// quoting is an archive in which each member's data begins with a stored block that holds the next member's header:
// every header and checksum is right, and each file contains all that come after it.
func quoting(members, kernel int) []byte {
	contents := []byte(zeros(kernel))
	data := []byte(deflated(string(contents)))
	var tail []byte // from the data of the member above on
	records := make([][]byte, members)
	sizes := make([]int, members)
	for i := members - 1; i >= 0; i-- {
		h := append([]byte(memberSignature), make([]byte, localSize-4)...)
		le.PutUint16(h[8:], methodDeflate)
		le.PutUint32(h[14:], crc32.ChecksumIEEE(contents))
		le.PutUint32(h[18:], uint32(len(data)))
		le.PutUint32(h[22:], uint32(len(contents)))
		le.PutUint16(h[26:], 4)
		h = append(h, fmt.Sprintf("%04d", i)...)
		c := append([]byte(entrySignature), make([]byte, entrySize-4)...)
		copy(c[10:], h[8:10])
		copy(c[16:], h[14:28])
		records[i], sizes[i] = append(c, h[localSize:]...), len(h)
		tail = append(append([]byte(nil), h...), data...)
		contents = append(append([]byte(nil), h...), contents...)
		block := []byte{0, byte(len(h)), 0, ^byte(len(h)), 0xff}
		data = append(block, tail...)
	}
	offset := 0
	for i, c := range records {
		le.PutUint32(c[42:], uint32(offset))
		offset += sizes[i] + 5 // the stored block's header lies between them
	}
	return closed(tail, bytes.Join(records, nil), members)
}

// nested is an archive with an archive in it that holds the same bomb many times, packed once more.
func nested() []byte {
	bomb := pack(member{name: "zeros", body: zeros(4 << 20)})
	var layer []member
	for i := range 300 {
		layer = append(layer, member{name: fmt.Sprintf("%03d.zip", i), body: string(bomb), stored: true})
	}
	return pack(member{name: "layer.zip", body: string(pack(layer...))})
}

// crowded is an archive of so many empty members.
func crowded(entries int) []byte {
	var one, out, directory bytes.Buffer
	record := member{name: "000000", stored: true}.write(&one, 0)
	header := one.Bytes()
	for i := range entries {
		name := fmt.Sprintf("%06d", i)
		copy(header[localSize:], name)
		copy(record[entrySize:], name)
		le.PutUint32(record[42:], uint32(out.Len()))
		out.Write(header)
		directory.Write(record)
	}
	return closed(out.Bytes(), directory.Bytes(), entries)
}

// Security rule U4: each bomb is refused for what it is, at the price of a few buffers.
func TestBombs(t *testing.T) {
	liar := member{name: "small", packed: deflated(zeros(4 << 20)), body: "ten bytes."}
	crowd := crowded(200_000)
	roomy := DefaultLimits
	roomy.TotalBytes = 1 << 40
	for _, c := range []struct {
		name   string
		data   []byte
		limits Limits
		want   Code
		says   string
	}{
		{"2,000 MiB in 2,000 entries on one member", overlapping(2000, 1<<20), DefaultLimits, TooLarge,
			`entry 501 ("8!") brings the unpacked size over the limit of 500 MiB`},
		{"the same, with room for all", overlapping(2000, 1<<20), roomy, Overlap,
			`entry 2 ("01") shares bytes of the archive with another entry`},
		{"one member twice", overlapping(2, 1<<10), DefaultLimits, Overlap,
			`entry 2 ("01") shares bytes of the archive with another entry`},
		{"members that quote one another", quoting(200, 60<<10), DefaultLimits, Overlap,
			`entry 2 ("0001") shares bytes of the archive with another entry`},
		{"zeros", pack(member{name: "a", body: zeros(2 << 20)}), DefaultLimits, Bomb,
			`entry 1 ("a") unpacks to more than 100 times its size`},
		{"archives in an archive", nested(), DefaultLimits, Bomb, `entry 1 ("layer.zip") unpacks to more than 100 times its size`},
		{"a size that lies", pack(liar), DefaultLimits, Mismatch, `entry 1 ("small") does not unpack to the size it declares`},
		{"200,000 entries", crowd, DefaultLimits, TooLarge, "it has 200000 entries; the limit is 10000"},
		{"200,000 entries said to be 3,392", lyingCount(crowd), DefaultLimits, TooLarge, "it has a directory larger than the limit of 4 MiB"},
		{"a size of 8 EiB", pack(wide("a", 1<<63-1, 1<<63-1)), DefaultLimits, TooLarge,
			`entry 1 ("a") is larger than the limit of 100 MiB for one file`},
		{"a size below zero", pack(wide("a", 1<<63, 1<<63)), DefaultLimits, Mismatch, `entry 1 ("a") has sizes or a place that cannot be`},
		{"sizes that add up to a small number", pack(wide("a", 1<<62, 1<<62), wide("b", 1<<62, 1<<62)), roomier(), TooLarge,
			`entry 2 ("b") brings the unpacked size over the limit of ` + bytesText(1<<62)},
		{"4 GiB of directory", huge(), DefaultLimits, Mismatch, "it does not have its directory where its end says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r *Refusal
			used := allocates(func() { r = refusedWith(t, c.data, c.limits, c.want) })
			if used > 4<<20 {
				t.Errorf("asked for %d bytes of memory", used)
			}
			says(t, r, "The archive was refused: "+c.says+".")
			t.Logf("%d bytes of archive, %d of memory", len(c.data), used)
		})
	}
	if n := len(overlapping(2000, 1<<20)); n > 95<<10 {
		t.Errorf("the overlap bomb has %d bytes: larger than the one it stands for", n)
	}
}

// roomier has no limit on sizes but the sum of two numbers.
func roomier() Limits {
	l := DefaultLimits
	l.TotalBytes, l.FileBytes, l.Ratio = 1<<62, 1<<62, 1<<62
	return l
}

// wide is a stored member whose directory entry has these sizes in a ZIP64 field.
func wide(name string, size, packed uint64) member {
	x := le.AppendUint64(le.AppendUint64([]byte("\x01\x00\x10\x00"), size), packed)
	return member{name: name, stored: true, extra: string(x), central: func(c []byte) {
		le.PutUint32(c[20:], in64)
		le.PutUint32(c[24:], in64)
	}}
}

// lyingCount writes the number of entries as a tool without ZIP64 would, cut to 16 bits.
func lyingCount(data []byte) []byte {
	data = bytes.Clone(data)
	e := data[len(data)-endSize:]
	const said = 200_000 % (1 << 16)
	le.PutUint16(e[8:], said)
	le.PutUint16(e[10:], said)
	at := len(data) - endSize - locatorSize - end64Size
	le.PutUint64(data[at+24:], said)
	le.PutUint64(data[at+32:], said)
	return data
}

// huge is small and says that its directory is not.
func huge() []byte {
	return zipFile{members: []member{{name: "a"}}, wide: true,
		end:   func(e []byte) { le.PutUint32(e[12:], in64) },
		end64: put64(40, 1<<32)}.bytes()
}

// The quoting bomb is no straw man: archive/zip opens it and finds each file whole. Nor are archives of archives
// refused as such: what is in a member is the reader's business.
func TestBombsAreLive(t *testing.T) {
	data := quoting(3, 100)
	for name, size := range map[string]int64{"0000": 168, "0001": 134, "0002": 100} {
		body, n, err := Open(bytes.NewReader(data), int64(len(data)), name)
		if err != nil || n != size {
			t.Fatalf("%s: %d bytes, %v", name, n, err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		body.Close()
	}
	accept(t, pack(member{name: "inner.zip", body: string(data), stored: true}))
}

// The heaviest archive within the limits: as many entries as may be, no folder shared, paths as long as the
// directory allows. While the last of them are read, which is when most is held, that is less than 16 MiB.
func TestMemoryOfTheHeaviest(t *testing.T) {
	segment := strings.Repeat("x", 14)
	var out, directory bytes.Buffer
	for i := range DefaultLimits.Entries {
		name := fmt.Sprintf("%05d%s", i, strings.Repeat("/"+segment, 15))
		directory.Write(member{name: name, stored: true, body: "x"}.write(&out, out.Len()))
	}
	if n := directory.Len(); int64(n) > DefaultLimits.DirectoryBytes || n < 2<<20 {
		t.Fatalf("a directory of %d bytes proves little", n)
	}
	data := closed(out.Bytes(), directory.Bytes(), DefaultLimits.Entries)
	var held int64
	const end = endSize + longestComment // which is read before the directory
	r := &hookReader{ReaderAt: bytes.NewReader(data), at: int64(len(data)) - end - 1}
	before := live()
	r.do = func() { held = live() - before }
	summary, err := Check(t.Context(), r, int64(len(data)), DefaultLimits)
	if err != nil || len(summary.Files) != DefaultLimits.Entries {
		t.Fatal(len(summary.Files), err)
	}
	if held == 0 || held > 16<<20 {
		t.Errorf("%d bytes held", held)
	}
	t.Logf("%d bytes of directory, %d bytes held", directory.Len(), held)
}

// live is how many bytes of the heap are in use.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A large archive costs no more memory than a small one.
func TestMemoryOfLargeMembers(t *testing.T) {
	var members []member
	body := noise(2 << 20)
	for i := range 8 {
		members = append(members, member{name: fmt.Sprint(i), body: body, stored: i > 0, trailer: 16})
	}
	data := pack(members...)
	var err error
	if used := allocates(func() { _, err = checked(data, DefaultLimits) }); err != nil || used > 1<<20 {
		t.Errorf("%d bytes of memory for %d of archive, %v", used, len(data), err)
	}
}

// noise does not compress, and is the same each time.
func noise(n int) string {
	b := make([]byte, n)
	for i, x := 0, uint64(1); i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}
