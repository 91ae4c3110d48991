package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"runtime"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// ErrBusy means that as many passwords are being hashed and waiting as the server has room for. The
// answer to it is 503 and "try again": whether the password was right is not known.
var ErrBusy = errors.New("secret: too many passwords are being checked at once")

var errPasswordTooLong = errors.New("secret: the password is longer than CheckPassword allows")

// standard is the work of one hash: 19 MiB and two passes, the smaller of the two settings of equal
// strength that S8 names (the other is 46 MiB and one pass, and takes as long). Memory is what a
// flood of sign-ins is after: on eight cores this one holds 152 MiB at most, the other 368.
var standard = cost{memoryKiB: 19 * 1024, passes: 2, lanes: 1}

const (
	saltLength = 16
	hashLength = 32
)

// nobodySalt is salt for the work that is done for an account that does not exist.
var nobodySalt = make([]byte, saltLength)

// Hasher hashes passwords with Argon2id, a few at a time: each takes 19 MiB, and sign-in is open to
// everybody, so without a bound a flood of sign-ins would take all memory. It is safe for concurrent use.
type Hasher struct {
	admitted places   // for each call that works or waits
	working  []places // for each call that works, to be taken one after the other
	derive   func(password, salt []byte, work cost, length int) []byte
}

// places bounds how many calls do something at once.
type places chan struct{}

// NewHasher makes a Hasher with parallel hashes at once and queue calls waiting for their turn. Zero or
// less means the number of processors that Go may use (in a container: its share), and 16.
func NewHasher(parallel, queue int) *Hasher {
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	if queue <= 0 {
		queue = 16
	}
	return &Hasher{
		admitted: make(places, parallel+queue),
		working:  []places{make(places, parallel)},
		derive:   argon,
	}
}

// Strangers is the same Hasher for whoever may come in any number: it works for half as many at once, one at
// least, and they wait in a queue of their own, as long as the other. Whoever is familiar therefore finds
// a place however many strangers there are, and on two cores and more there is always one that does not
// hash for strangers.
func (h *Hasher) Strangers() *Hasher {
	parallel := cap(h.working[0])
	share := max(1, parallel/2)
	queue := cap(h.admitted) - parallel
	return &Hasher{
		admitted: make(places, share+queue),
		working:  []places{make(places, share), h.working[0]},
		derive:   h.derive,
	}
}

// Hash makes what is stored of a password: a PHC string with a salt of its own. The rules for passwords
// are CheckPassword's; only one that is too long to be hashed whole is refused here, never cut.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > maxPasswordBytes {
		return "", errPasswordTooLong
	}
	made := phc{cost: standard, salt: make([]byte, saltLength)}
	_, _ = rand.Read(made.salt)
	var err error
	if made.hash, err = h.run(ctx, password, made.salt, made.cost, hashLength); err != nil {
		return "", err
	}
	return made.String(), nil
}

// Verify tells whether a password is the one that was stored, and if so whether the stored hash is not as
// Hash makes them today, and should be made again now that the password is at hand. An error means that it could not
// be found out: ErrBusy, ErrPHC, or the end of the context.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got, err := h.run(ctx, password, want.salt, want.cost, len(want.hash))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want.hash) == 1 && len(password) <= maxPasswordBytes
	old := want.cost != standard || len(want.salt) != saltLength || len(want.hash) != hashLength
	return ok, ok && old, nil
}

// VerifyNobody does the work of Verify for an account that does not exist, so that the time of an answer
// does not tell which accounts do (S9). Its errors are those of Verify; there is no way to succeed.
func (h *Hasher) VerifyNobody(ctx context.Context, password string) error {
	_, err := h.run(ctx, password, nobodySalt, standard, hashLength)
	return err
}

// run hashes when it is this call's turn. A password over the limit costs the same as any other, and is
// not even looked at.
func (h *Hasher) run(ctx context.Context, password string, salt []byte, work cost, length int) ([]byte, error) {
	select {
	case h.admitted <- struct{}{}:
		defer func() { <-h.admitted }()
	default:
		return nil, ErrBusy
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, working := range h.working {
		select {
		case working <- struct{}{}:
			defer func() { <-working }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(password) > maxPasswordBytes {
		password = ""
	}
	return h.derive(norm.NFKC.Bytes([]byte(password)), salt, work, length), nil
}

func argon(password, salt []byte, work cost, length int) []byte {
	return argon2.IDKey(password, salt, work.passes, work.memoryKiB, work.lanes, uint32(length))
}
