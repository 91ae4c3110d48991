package archive

import "bytes"

// The extra fields that change how a header is read. All others (times, owners, Java's mark) are skipped.
const (
	extraWide = 0x0001 // ZIP64: sizes and offset in 64 bits (APPNOTE.TXT 4.5.3)
	extraName = 0x7075 // the name once more, in UTF-8 (4.6.9)
)

// extra is what a header's extra fields say beyond the header.
type extra struct {
	wide []byte // nil when there is no ZIP64 field
	name []byte // nil when there is no second name
}

// readExtra takes a header's extra fields apart. It is not ok when a field runs past the end or stands there twice;
// fewer than four zero bytes at the end are padding, with which some tools align what follows.
func readExtra(b []byte) (x extra, ok bool) {
	for len(b) >= 4 {
		id, size := le.Uint16(b), int(le.Uint16(b[2:]))
		if b = b[4:]; size > len(b) {
			return x, false
		}
		switch id {
		case extraWide:
			if x.wide != nil {
				return x, false
			}
			x.wide = b[:size]
		case extraName:
			if x.name != nil || size < 5 {
				return x, false
			}
			x.name = b[5:size] // after a version and a checksum of the name it replaces
		}
		b = b[size:]
	}
	return x, len(bytes.Trim(b, "\x00")) == 0
}

// contradicts reports whether the second name is another than the first, so that readers would disagree on it.
func (x extra) contradicts(name string) bool { return x.name != nil && string(x.name) != name }
