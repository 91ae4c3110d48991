package access

import (
	"github.com/google/uuid"

	"tokendesk/models/secret"
)

// IDs of things, each of one letter and a number, as tests tell them apart.
const (
	c1 = "01a20049-a317-7ea3-9747-ad5f991ff701"
	p1 = "01a20049-a317-7ea3-9747-ad5f991ff702"
	w1 = "01a20049-a317-7ea3-9747-ad5f991ff703"
	x1 = "01a20049-a317-7ea3-9747-ad5f991ff704"
	w2 = "01a20049-a317-7ea3-9747-ad5f991ff705"
	p9 = "01a20049-a317-7ea3-9747-ad5f991ff707"
	x2 = "01a20049-a317-7ea3-9747-ad5f991ff706"
)

// called is a caller of a name.
func called(name string) caller { return caller{of: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name))} }

// mintedHash is that of a secret which nobody else has.
func mintedHash() secret.Hash {
	text, err := secret.Mint("user", nil)
	if err != nil {
		panic(err)
	}
	return text.Hash()
}
