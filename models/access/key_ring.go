package access

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// KeySource keeps the keys that sign sign-in tokens, sealed.
type KeySource interface {
	// JWTKeys are all that there are, the newest first.
	JWTKeys(ctx context.Context) ([]models.JWTKey, error)

	// AddJWTKey adds one, unless there is another by now that is newer than a moment; and answers all.
	AddJWTKey(ctx context.Context, k models.JWTKey, unlessSince time.Time) ([]models.JWTKey, error)
}

// KeyRing signs sign-in tokens with the newest key that every server knows and finds the one that has signed a token. When the newest is a month old, the next
// token is signed by another one; keys that signed nothing that can still be good are forgotten. Safe for concurrent use.
type KeyRing struct {
	source KeySource
	seal   secret.Key
	newID  models.IDs
	now    models.Clock

	mu   sync.Mutex
	list []ringKey // the newest first
	lost time.Time // when the newest was made of those that do not open with the key file; its successor is a later one
	read time.Time // when they were
}

type ringKey struct {
	secret.JWTKey
	made time.Time
}

// NewKeyRing makes a ring that has read no keys yet.
func NewKeyRing(source KeySource, seal secret.Key, newID models.IDs, now models.Clock) *KeyRing {
	return &KeyRing{source: source, seal: seal, newID: newID, now: now}
}

// rereadAfter is how long the ring believes that a key which it does not know is not there: whoever makes keys up has it ask the
// database no more often.
const rereadAfter = time.Second

// SignIn writes a sign-in token.
func (r *KeyRing) SignIn(ctx context.Context, c secret.SignInClaims) (secret.Text, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fresh() {
		if err := r.reread(ctx); err != nil {
			return "", err
		}
	}
	if !r.fresh() {
		if err := r.add(ctx); err != nil {
			return "", err
		}
	}
	return r.signer().SignIn(c)
}

// rests is how long a new key waits before it signs, while there is another: by then every server finds it when it looks, also one that has just
// looked for a key that somebody made up.
const rests = 10 * time.Second

// signer is the newest key that has rested, or else the oldest.
func (r *KeyRing) signer() ringKey {
	for _, k := range r.list {
		if r.now().Sub(k.made) >= rests {
			return k
		}
	}
	return r.list[len(r.list)-1]
}

// fresh says whether the newest key may sign. The caller holds the lock, as for all that follow.
func (r *KeyRing) fresh() bool {
	return len(r.list) > 0 && r.now().Sub(r.list[0].made) < models.JWTKeyLife
}

func (r *KeyRing) add(ctx context.Context) error {
	now := models.Instant(r.now())
	made, sealed, err := secret.NewJWTKey(r.newID(), r.seal)
	if err != nil {
		return err
	}
	kept, err := r.source.AddJWTKey(ctx, models.JWTKey{ID: made.ID, Sealed: sealed, CreatedAt: now}, later(now.Add(-models.JWTKeyLife), r.lost))
	if err != nil {
		return err
	}
	if err := r.open(kept); err != nil {
		return err
	}
	if !r.fresh() {
		return errors.New("the key that signs sign-in tokens was made, and is not there")
	}
	return nil
}

func (r *KeyRing) reread(ctx context.Context) error {
	kept, err := r.source.JWTKeys(ctx)
	if err != nil {
		return err
	}
	return r.open(kept)
}

// open opens keys, those that are open already excepted. One is good until half an hour after the next one took its place. What was sealed
// under a key file that was lost is good for nothing any more, and must not keep everybody out for good.
func (r *KeyRing) open(kept []models.JWTKey) error {
	now := r.now()
	var list []ringKey
	var lost time.Time
	for i, k := range kept {
		if i > 0 && now.Sub(kept[i-1].CreatedAt) > models.SignInTokenLife+time.Minute {
			break
		}
		key, known := r.known(k.ID)
		if !known {
			opened, err := secret.OpenJWTKey(k.ID, r.seal, k.Sealed)
			if errors.Is(err, secret.ErrSealed) {
				lost = later(lost, k.CreatedAt)
				continue
			}
			if err != nil {
				return err
			}
			key = ringKey{opened, k.CreatedAt}
		}
		list = append(list, key)
	}
	r.list, r.lost, r.read = list, lost, now
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *KeyRing) known(id string) (ringKey, bool) {
	for _, k := range r.list {
		if k.ID == id {
			return k, true
		}
	}
	return ringKey{}, false
}

// Parse reads a sign-in token; ok is false for one that is not good. An error means that it could not be found out.
func (r *KeyRing) Parse(ctx context.Context, text secret.Text) (c secret.SignInClaims, ok bool, err error) {
	return r.parse(text, func(id string) (ed25519.PublicKey, error) { return r.public(ctx, id) })
}

// ParseNow is Parse for whoever takes a token away: that its key is not there is not believed of a moment ago. The first key signs at once, and who relied on
// an answer that nothing was left to take away would find the token good. How often somebody may ask so is for others to say.
func (r *KeyRing) ParseNow(ctx context.Context, text secret.Text) (c secret.SignInClaims, ok bool, err error) {
	return r.parse(text, func(id string) (ed25519.PublicKey, error) {
		if public, err := r.public(ctx, id); public != nil || err != nil {
			return public, err
		}
		if err := r.lookAgain(ctx); err != nil {
			return nil, err
		}
		return r.public(ctx, id)
	})
}

func (r *KeyRing) parse(text secret.Text, find func(id string) (ed25519.PublicKey, error)) (c secret.SignInClaims, ok bool, err error) {
	c, ok = secret.ParseSignIn(text, r.now(), func(id string) (ed25519.PublicKey, bool) {
		var public ed25519.PublicKey
		public, err = find(id)
		return public, public != nil
	})
	return c, ok && err == nil, err
}

// lookAgain reads the keys, and nobody waits for it who needs one that is known.
func (r *KeyRing) lookAgain(ctx context.Context) error {
	kept, err := r.source.JWTKeys(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(kept) == 0 || len(r.list) > 0 && kept[0].CreatedAt.Before(r.list[0].made) { // somebody has read newer ones meanwhile
		return nil
	}
	return r.open(kept)
}

// public is the public half of a key; nil where there is none of that ID.
func (r *KeyRing) public(ctx context.Context, id string) (ed25519.PublicKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, known := r.known(id)
	if since := r.now().Sub(r.read); !known && (since < 0 || since >= rereadAfter) {
		if err := r.reread(ctx); err != nil {
			return nil, err
		}
		k, known = r.known(id)
	}
	if !known {
		return nil, nil
	}
	return k.Public, nil
}

// JWKs are the public halves of all keys whose tokens may still be good, the newest first (RFC 7517).
func (r *KeyRing) JWKs(ctx context.Context) ([]secret.JWK, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := r.now().Sub(r.read); since < 0 || since >= rereadAfter { // it is open to everybody
		if err := r.reread(ctx); err != nil {
			return nil, err
		}
	}
	list := make([]secret.JWK, len(r.list))
	for i, k := range r.list {
		list[i] = k.JWK()
	}
	return list, nil
}
