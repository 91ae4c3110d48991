package sample

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// ids makes IDs that sort in the order in which they were made: UUIDs of version 7 (RFC 9562, section 5.7), whose
// twelve bits behind the version count within a millisecond (section 6.2, method 1).
type ids struct {
	mu    sync.Mutex
	ms    int64 // of the last one
	count uint16
}

func (g *ids) next(now time.Time) string {
	g.mu.Lock()
	if ms := now.UnixMilli(); ms > g.ms {
		g.ms, g.count = ms, 0
	} else if g.count++; g.count > 0xfff {
		g.ms, g.count = g.ms+1, 0
	}
	ms, count := g.ms, g.count
	g.mu.Unlock()

	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000|uint64(count))
	_, _ = rand.Read(id[8:]) // never fails
	id[8] = id[8]&0x3f | 0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// isID says whether a text could be an ID.
func isID(text string) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	_, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	return err == nil
}
