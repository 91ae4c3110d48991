package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrPHC means that a stored password hash is not one that this program writes or accepts.
var ErrPHC = errors.New("secret: a stored password hash is malformed or asks for too much")

// What a stored hash may ask for. Whoever can write the table must not be able to eat the memory of the
// server with one row, nor its processor.
const (
	maxMemoryKiB = 1 << 20 // 1 GiB
	maxPasses    = 16
	maxLanes     = 16
)

// cost is how much work one Argon2id hash is (RFC 9106).
type cost struct {
	memoryKiB uint32
	passes    uint32
	lanes     uint8
}

// phc is a password hash in the PHC string format: $argon2id$v=19$m=..,t=..,p=..$salt$hash, with base64
// that has no padding. There is one spelling of each.
type phc struct {
	cost
	salt []byte
	hash []byte
}

func (p phc) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.memoryKiB, p.passes, p.lanes, encode(p.salt), encode(p.hash))
}

func parsePHC(text string) (phc, error) {
	if len(text) > 512 {
		return phc{}, ErrPHC
	}
	rest, found := strings.CutPrefix(text, "$argon2id$v=19$")
	parts := strings.Split(rest, "$")
	if !found || len(parts) != 3 {
		return phc{}, ErrPHC
	}
	work, ok := parseCost(parts[0])
	salt, okSalt := decodeExact(base64.RawStdEncoding, parts[1])
	hash, okHash := decodeExact(base64.RawStdEncoding, parts[2])
	parsed := phc{cost: work, salt: salt, hash: hash}
	if !ok || !okSalt || !okHash || !parsed.bounded() || parsed.String() != text {
		return phc{}, ErrPHC
	}
	return parsed, nil
}

func parseCost(text string) (cost, bool) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return cost{}, false
	}
	var numbers [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, found := strings.CutPrefix(fields[i], name)
		number, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil {
			return cost{}, false
		}
		numbers[i] = number
	}
	if numbers[2] > maxLanes {
		return cost{}, false
	}
	return cost{memoryKiB: uint32(numbers[0]), passes: uint32(numbers[1]), lanes: uint8(numbers[2])}, true
}

// bounded tells whether Argon2 takes these values (8 KiB a lane, one pass, at least) and the server
// does.
func (p phc) bounded() bool {
	return p.lanes >= 1 && p.lanes <= maxLanes &&
		p.passes >= 1 && p.passes <= maxPasses &&
		p.memoryKiB >= 8*uint32(p.lanes) && p.memoryKiB <= maxMemoryKiB &&
		len(p.salt) >= 8 && len(p.salt) <= 64 &&
		len(p.hash) >= 16 && len(p.hash) <= 64
}
