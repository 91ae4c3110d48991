package archive

import (
	"bytes"
	"strings"
	"testing"
)

// Every place of an archive that contradicts another, and every byte that belongs to nothing, is refused: an archive
// has one reading.
func TestLies(t *testing.T) {
	a, b := member{name: "a", body: "hello hello hello"}, member{name: "b", body: "world", stored: true}
	with := func(m member, lie func(*member)) []byte { lie(&m); return pack(m, b) }
	ends := func(lie func(*zipFile)) []byte {
		z := zipFile{members: []member{a, b}}
		lie(&z)
		return z.bytes()
	}
	for name, c := range map[string]struct {
		data []byte
		want Code
	}{
		"bytes before":           {ends(func(z *zipFile) { z.prefix = "PK\x03\x04" }), Mismatch},
		"a member not listed":    {unlisted(a, b), Hidden},
		"bytes before the first": {ends(func(z *zipFile) { z.members[0].central = put32(42, 1) }), Hidden},
		"bytes between":          {with(a, func(m *member) { m.pad = "hidden" }), Hidden},
		"bytes after the last":   {ends(func(z *zipFile) { z.gap = "x" }), Hidden},
		"bytes at the end":       {ends(func(z *zipFile) { z.suffix = "x" }), Hidden},
		"zeros at the end":       {ends(func(z *zipFile) { z.suffix = strings.Repeat("\x00", 512) }), Hidden},
		"a long comment":         {ends(func(z *zipFile) { z.comment = strings.Repeat("x", 1025) }), TooLarge},
		"an end in the comment":  {ends(func(z *zipFile) { z.comment = endSignature + strings.Repeat("\x00", 18) }), Mismatch},
		"fewer entries than said": {ends(func(z *zipFile) {
			z.members[1].name, z.end = strings.Repeat("b", 99), func(e []byte) { e[8], e[10] = 3, 3 }
		}), Damaged},
		"more entries than said":    {ends(func(z *zipFile) { z.end = func(e []byte) { e[8], e[10] = 1, 1 } }), Mismatch},
		"two numbers of entries":    {ends(func(z *zipFile) { z.end = put16(8, 1) }), Mismatch},
		"no entries":                {ends(func(z *zipFile) { z.end = put32(8, 0) }), Empty},
		"another disk":              {ends(func(z *zipFile) { z.end = put16(4, 1) }), Split},
		"directory on another disk": {ends(func(z *zipFile) { z.end = put16(6, 1) }), Split},
		"directory elsewhere":       {ends(func(z *zipFile) { z.end = put32(16, 3) }), Mismatch},
		"directory beyond the end":  {ends(func(z *zipFile) { z.end = put32(16, 1<<31) }), Mismatch},
		"directory too small":       {ends(func(z *zipFile) { z.end = func(e []byte) { e[8], e[10] = 9, 9 } }), Mismatch},
		"ZIP64 without a ZIP64 end": {ends(func(z *zipFile) { z.end = put32(16, in64) }), Mismatch},

		"another name":          {with(a, func(m *member) { m.override = "../x" }), Mismatch},
		"a longer name":         {with(a, func(m *member) { m.override = "aa" }), Mismatch},
		"another method":        {with(a, func(m *member) { m.local = put16(8, methodStore) }), Mismatch},
		"other flags":           {with(a, func(m *member) { m.local = put16(6, flagUTF8) }), Mismatch},
		"encrypted in place":    {with(a, func(m *member) { m.local = put16(6, flagEncrypted) }), Mismatch},
		"another checksum":      {with(a, func(m *member) { m.local = put32(14, 1) }), Mismatch},
		"another packed size":   {with(a, func(m *member) { m.local = put32(18, 1) }), Mismatch},
		"another size":          {with(a, func(m *member) { m.local = put32(22, 1) }), Mismatch},
		"zeros, not streamed":   {with(a, func(m *member) { m.local = put32(22, 0) }), Mismatch},
		"no header":             {pack(b, member{name: "a", local: flip(3, 1)}), Damaged},
		"no record":             {with(a, func(m *member) { m.central = flip(3, 1) }), Damaged},
		"offset past the end":   {with(a, func(m *member) { m.central = put32(42, 1<<30) }), Hidden},
		"data past the end":     {with(b, func(m *member) { m.name, m.central = "c", sizes(1e6) }), Damaged},
		"cut off in its header": {cutOff(), Damaged},
		"a name past the end":   {with(a, func(m *member) { m.local = put16(26, in16) }), Damaged},
		"entry on another disk": {with(a, func(m *member) { m.central = put16(34, 1) }), Mismatch},

		"encrypted":          {with(a, func(m *member) { m.flags = flagEncrypted }), Encrypted},
		"strongly encrypted": {with(a, func(m *member) { m.flags = flagStrongEncrypted }), Encrypted},
		"masked":             {with(a, func(m *member) { m.flags = flagMasked }), Encrypted},
		"patch data":         {with(a, func(m *member) { m.flags = 1 << 5 }), Method},
		"unknown flag":       {with(a, func(m *member) { m.flags = 1 << 14 }), Method},

		"stored in two sizes":      {with(b, func(m *member) { m.central = put32(24, 4) }), Mismatch},
		"a folder with bytes":      {with(a, func(m *member) { m.name = "a/" }), Mismatch},
		"data is no deflate":       {with(a, func(m *member) { m.packed = "\xff\xff\xff\xff" }), Damaged},
		"deflate cut short":        {with(a, func(m *member) { m.packed = deflated(a.body)[:5] }), Damaged},
		"nothing, deflated":        {with(a, func(m *member) { m.body, m.packed = "x", "\x00" }), Damaged},
		"bytes after the deflate":  {with(a, func(m *member) { m.packed = deflated(a.body) + "x" }), Hidden},
		"other content, same size": {with(b, func(m *member) { m.name, m.packed = "c", "worle" }), Damaged},

		"descriptor of another checksum": {with(a, func(m *member) { m.trailer, m.behind = 16, flip(4, 1) }), Mismatch},
		"descriptor of another size":     {with(a, func(m *member) { m.trailer, m.behind = 12, flip(8, 1) }), Mismatch},
		"descriptor without its mark":    {with(a, func(m *member) { m.trailer, m.behind = 16, flip(0, 1) }), Mismatch},
		"wide descriptor, other size":    {with(a, func(m *member) { m.trailer, m.behind = 24, flip(19, 1) }), Mismatch},
		"descriptor too long":            {with(a, func(m *member) { m.trailer, m.pad = 24, "x" }), Hidden},
		"descriptor missing":             {with(a, func(m *member) { m.flags = flagStreamed }), Hidden},
		"streamed, another size":         {with(a, func(m *member) { m.trailer, m.local = 16, put32(22, 5) }), Mismatch},

		"extra field too long":      {with(a, func(m *member) { m.extra = "\x99\x99\x08\x00abcd" }), Mismatch},
		"rest after extra fields":   {with(a, func(m *member) { m.extra = "\x99\x99\x01\x00abc" }), Mismatch},
		"two ZIP64 fields":          {with(a, func(m *member) { m.extra = "\x01\x00\x00\x00\x01\x00\x00\x00" }), Mismatch},
		"ZIP64 field not asked for": {with(a, func(m *member) { m.extra = "\x01\x00\x02\x00ab" }), Mismatch},
		"ZIP64 size of its own":     {with(wide("a", 0, 0), func(m *member) { m.local = put64(localSize+1+4, 1) }), Mismatch},
		"ZIP64 packed of its own":   {with(wide("a", 0, 0), func(m *member) { m.local = put64(localSize+1+12, 1) }), Mismatch},
		"ZIP64 beside another size": {with(wide("a", 0, 0), func(m *member) { m.local = put32(22, 1) }), Mismatch},
		"ZIP64 cut short in place":  {with(wide("a", 0, 0), func(m *member) { m.local = put16(localSize+1+2, 8) }), Mismatch},
		"two second names":          {with(a, func(m *member) { m.extra = second + second }), Mismatch},
		"half a second name":        {with(a, func(m *member) { m.extra = "\x75\x70\x01\x00\x01" }), Mismatch},
		"a second name":             {with(a, func(m *member) { m.extra = "\x75\x70\x09\x00\x01\x00\x00\x00\x00../x" }), Mismatch},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.data, c.want) })
	}
}

// second is an extra field with the name once more.
const second = "\x75\x70\x06\x00\x01\x00\x00\x00\x00a"

// sizes makes a directory's record claim n bytes, packed and unpacked.
func sizes(n uint32) func([]byte) {
	return func(c []byte) {
		le.PutUint32(c[20:], n)
		le.PutUint32(c[24:], n)
	}
}

// sizes64 makes a local header give its sizes up in favour of ZIP64.
func sizes64(h []byte) { copy(h[18:26], "\xff\xff\xff\xff\xff\xff\xff\xff") }

// cutOff is an archive of two members, the second of which ends after ten bytes of its header.
func cutOff() []byte {
	var out, directory bytes.Buffer
	directory.Write(member{name: "a", body: "a"}.write(&out, 0))
	n := out.Len()
	directory.Write(member{name: "b", body: "b"}.write(&out, n))
	return closed(out.Bytes()[:n+10], directory.Bytes(), 2)
}

// unlisted is an archive with two members and a directory of the second only.
func unlisted(first, second member) []byte {
	alone := pack(first)
	before := alone[:bytes.Index(alone, []byte(entrySignature))]
	second.central = put32(42, uint32(len(before)))
	z := zipFile{prefix: string(before), members: []member{second}}
	rest := pack(second)
	at := len(before) + bytes.Index(rest, []byte(entrySignature))
	z.end = put32(16, uint32(at))
	return z.bytes()
}

// The longest comment, an agreeing second name, padding and every form of descriptor are as good as their absence.
func TestTruthsToldTwice(t *testing.T) {
	body := "hello hello hello"
	for _, trailer := range []int{0, 12, 16, 20, 24} {
		for _, stored := range []bool{false, true} {
			accept(t, pack(member{name: "a", body: body, trailer: trailer, stored: stored}, member{name: "b"}))
			accept(t, pack(member{name: "b"}, member{name: "a", body: body, trailer: trailer, stored: stored}))
		}
	}
	accept(t, zipFile{members: []member{{name: "a"}}, comment: strings.Repeat("x", 1024)}.bytes())
	accept(t, zipFile{members: []member{{name: "a"}, {name: "b"}}, wide: true, comment: "and a comment"}.bytes())
	accept(t, pack(member{name: "a", extra: second}))
	given := wide("a", 0, 0)
	accept(t, pack(given))
	given.local = sizes64
	accept(t, pack(given))
	accept(t, pack(member{name: "a", extra: "\x00\x00\x00"}))
	accept(t, pack(member{name: "a", extra: strings.Repeat("\x00", 9)}))
	accept(t, pack(member{name: "f"}, member{name: "empty/", flags: flagStreamed, stored: true}))
	accept(t, pack(member{name: "a", body: body, flags: flagLevel, local: flip(6, flagLevel)}))
}

// The second end of ZIP64 says what the first says, or the archive is refused.
func TestLiesOfZip64(t *testing.T) {
	for name, lie := range map[string]func([]byte){
		"fewer entries":        put64(32, 1),
		"fewer entries here":   put64(24, 1),
		"200,000 entries":      put64(32, 200_000),
		"endless directory":    put64(40, 1<<64-1),
		"negative offset":      put64(48, 1<<63),
		"another disk":         put32(16, 1),
		"directory elsewhere":  put32(20, 1),
		"longer than it is":    put64(4, 45),
		"no end there":         flip(3, 1),
		"locator before it":    put64(end64Size+8, 0),
		"locator beyond it":    put64(end64Size+8, 1<<63),
		"locator, other disk":  put32(end64Size+4, 1),
		"locator, two disks":   put32(end64Size+16, 2),
		"everything in ZIP64?": func(e []byte) { le.PutUint64(e[32:], 1); le.PutUint64(e[24:], 1) },
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, zipFile{members: []member{{name: "a"}, {name: "b"}}, wide: true, end64: lie}.bytes(), Mismatch)
		})
	}
	// Fields given up in favour of ZIP64 are read there, and bounded there.
	give := func(e []byte) {
		le.PutUint16(e[8:], in16)
		le.PutUint16(e[10:], in16)
		le.PutUint32(e[12:], in64)
		le.PutUint32(e[16:], in64)
	}
	accept(t, zipFile{members: []member{{name: "a"}, {name: "b"}}, wide: true, end: give}.bytes())
	many := func(e []byte) { le.PutUint64(e[24:], 1<<40); le.PutUint64(e[32:], 1<<40) }
	refused(t, zipFile{members: []member{{name: "a"}}, wide: true, end: give, end64: many}.bytes(), TooLarge)
}
