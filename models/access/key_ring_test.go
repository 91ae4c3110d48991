package access

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// keys keeps keys as a store does.
type keys struct {
	mu    sync.Mutex
	list  []models.JWTKey
	err   error
	asked int
}

func (k *keys) JWTKeys(context.Context) ([]models.JWTKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	return append([]models.JWTKey(nil), k.list...), k.err
}

func (k *keys) AddJWTKey(_ context.Context, key models.JWTKey, unlessSince time.Time) ([]models.JWTKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil && (len(k.list) == 0 || !k.list[0].CreatedAt.After(unlessSince)) {
		k.list = append([]models.JWTKey{key}, k.list...)
	}
	return append([]models.JWTKey(nil), k.list...), k.err
}

// ringAt is a ring over keys, with a key file, that tells the time by a clock of the test's.
func ringAt(t *testing.T, from *keys, seal secret.Key, now *time.Time) *KeyRing {
	t.Helper()
	return NewKeyRing(from, seal, models.NewID, func() time.Time { return *now })
}

func keyFile(t *testing.T) secret.Key {
	t.Helper()
	seal, err := secret.OpenKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return seal
}

func signInToken(t *testing.T, r *KeyRing, now time.Time) secret.Text {
	t.Helper()
	random, _ := secret.NewSignIn()
	text, err := r.SignIn(t.Context(), secret.SignInClaims{PersonID: "p", WorkspaceID: "w", Random: random, IssuedAt: now, ExpiresAt: now.Add(models.SignInTokenLife)})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wantGood insists that a token is good, or is not, and that this could be found out.
func wantGood(t *testing.T, what string, r *KeyRing, text secret.Text, want bool) {
	t.Helper()
	if _, ok, err := r.Parse(t.Context(), text); ok != want || err != nil {
		t.Errorf("%s: good is %v (%v)", what, ok, err)
	}
}

// A key signs for thirty days; then the next token is signed by another one. What was signed before stays good to its end, on servers that
// have never seen the new key too, and then the old key is forgotten and no longer published.
func TestKeyRingRotates(t *testing.T) {
	now, from, seal := noon, &keys{}, keyFile(t)
	one, two := ringAt(t, from, seal, &now), ringAt(t, from, seal, &now)
	published := func(want int) {
		t.Helper()
		if list, err := two.JWKs(t.Context()); err != nil || len(list) != want || list[0].ID != from.list[0].ID {
			t.Errorf("published %+v (%v), want %d", list, err, want)
		}
	}
	signInToken(t, one, now)
	now = noon.Add(models.JWTKeyLife - time.Microsecond)
	last := signInToken(t, one, now)
	if len(from.list) != 1 {
		t.Fatalf("%d keys", len(from.list))
	}
	published(1)
	now = noon.Add(models.JWTKeyLife)
	next := signInToken(t, one, now)
	if len(from.list) != 2 || from.list[0].CreatedAt != now {
		t.Fatalf("keys %+v", from.list)
	}
	now = now.Add(time.Second)
	for what, r := range map[string]*KeyRing{"the one that signed": one, "another": two, "one that starts now": ringAt(t, from, seal, &now)} {
		wantGood(t, what+", the new key", r, next, true)
		wantGood(t, what+", the old key", r, last, true)
	}
	published(2)
	now = now.Add(models.SignInTokenLife - 2*time.Second)
	wantGood(t, "just before its end", two, next, true)
	now = now.Add(2*time.Minute + 2*time.Second)
	published(1)
	wantGood(t, "after its end", two, next, false)
	if len(from.list) != 2 {
		t.Errorf("%d keys", len(from.list))
	}
}

// A new key rests before it signs: a server that has just looked for a key which somebody made up, and asks again a second later, refuses
// nobody meanwhile.
func TestANewKeyRests(t *testing.T) {
	now, from, seal := noon, &keys{}, keyFile(t)
	one, two := ringAt(t, from, seal, &now), ringAt(t, from, seal, &now)
	signInToken(t, one, now)
	now = noon.Add(models.JWTKeyLife)
	made, _, err := secret.NewJWTKey("made up", keyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := made.SignIn(secret.SignInClaims{PersonID: "p", Random: "r", IssuedAt: now, ExpiresAt: now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, "a forged one", two, forged, false)
	wantGood(t, "one of that moment", two, signInToken(t, one, now), true)
	if len(from.list) != 2 {
		t.Fatalf("%d keys", len(from.list))
	}
	for after, by := range map[time.Duration]int{rests - time.Microsecond: 1, rests: 0} {
		now = noon.Add(models.JWTKeyLife + after)
		header, err := base64.RawURLEncoding.DecodeString(strings.Split(signInToken(t, one, now).Reveal(), ".")[0])
		if err != nil || !strings.Contains(string(header), from.list[by].ID) {
			t.Errorf("%s later it is signed by %s (%v)", after, header, err)
		}
	}
}

// The first key signs at once. A server that has just looked whether there is one takes nobody's word for it that a token, which somebody has now and wants to
// have taken away, is none.
func TestTheFirstKeyIsFoundToTakeAway(t *testing.T) {
	now, from, seal := noon, &keys{}, keyFile(t)
	one, two := ringAt(t, from, seal, &now), ringAt(t, from, seal, &now)
	if _, err := two.JWKs(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := signInToken(t, one, now)
	if _, ok, err := two.ParseNow(t.Context(), text); !ok || err != nil {
		t.Errorf("to take away, it is good: %v (%v)", ok, err)
	}
	wantGood(t, "as a credential", two, text, true)
}

// Whoever makes keys up has the database asked once a second and no more; a key that is known asks nothing.
func TestKeyRingAsksSeldom(t *testing.T) {
	now, from, seal := noon, &keys{}, keyFile(t)
	r := ringAt(t, from, seal, &now)
	good := signInToken(t, r, now)
	foreign := signInToken(t, ringAt(t, &keys{}, keyFile(t), &now), now)
	asked := func(what string, text secret.Text, good bool, want int) {
		t.Helper()
		before := from.asked
		for range 100 {
			wantGood(t, what, r, text, good)
		}
		if n := from.asked - before; n != want {
			t.Errorf("%s: asked %d times, want %d", what, n, want)
		}
	}
	asked("a good one", good, true, 0)
	now = now.Add(time.Second)
	asked("a foreign one", foreign, false, 1)
	now = now.Add(time.Second - time.Microsecond)
	asked("again within a second", foreign, false, 0)
	now = now.Add(time.Microsecond)
	asked("again", foreign, false, 1)
	now = now.Add(-time.Hour) // the clock was set back
	asked("by a clock that was set back", foreign, false, 1)
	asked("no token at all", "a.b.c", false, 0)
}

// "Could not find out" is not "not good", and an outage signs nothing with a key that is not kept. What needs no database goes on.
func TestKeyRingInAnOutage(t *testing.T) {
	now, from, seal := noon, &keys{}, keyFile(t)
	away := errors.New("connection refused")
	r := ringAt(t, from, seal, &now)
	from.err = away
	if text, err := r.SignIn(t.Context(), secret.SignInClaims{}); !errors.Is(err, away) || text != "" {
		t.Errorf("signed in an outage: %v", err)
	}
	from.err = nil
	good := signInToken(t, r, now)
	from.err = away
	wantGood(t, "a key that is known", r, good, true)
	wantGood(t, "made by a key that is known", r, signInToken(t, r, now), true)
	fresh := ringAt(t, from, seal, &now)
	if _, ok, err := fresh.Parse(t.Context(), good); ok || !errors.Is(err, away) {
		t.Errorf("a key that is not known: %v (%v)", ok, err)
	}
	now = now.Add(rereadAfter)
	if list, err := r.JWKs(t.Context()); !errors.Is(err, away) || list != nil {
		t.Errorf("published %+v (%v)", list, err)
	}
	now = now.Add(models.JWTKeyLife)
	if _, err := r.SignIn(t.Context(), secret.SignInClaims{}); !errors.Is(err, away) {
		t.Errorf("signed with a key of thirty days: %v", err)
	}
	from.err = nil
	wantGood(t, "afterwards", fresh, signInToken(t, r, now), true)
}

// A key file that was lost takes the keys with it that were sealed under it. The next sign-in makes a new one, once, however young the
// lost one was, and however the clock stands; nobody is kept out.
func TestKeyRingAfterALostKeyFile(t *testing.T) {
	for name, since := range map[string]time.Duration{"at once": 0, "within a month": time.Hour, "after it": 2 * models.JWTKeyLife, "by a clock that was set back": -time.Hour} {
		now, from, seal := noon, &keys{}, keyFile(t)
		lost := signInToken(t, ringAt(t, from, keyFile(t), &now), now)
		now = now.Add(since)
		one, two := ringAt(t, from, seal, &now), ringAt(t, from, seal, &now)
		text := signInToken(t, one, now)
		for range 3 {
			wantGood(t, name+", a new one", one, text, true)
			wantGood(t, name+", on another server", two, signInToken(t, one, now), true)
			wantGood(t, name+", on the first", one, signInToken(t, two, now), true)
			now = now.Add(time.Second)
		}
		wantGood(t, name+", one of before", two, lost, false)
		if list, err := two.JWKs(t.Context()); err != nil || len(list) != 1 || len(from.list) != 2 {
			t.Errorf("%s: of %d keys %d are published (%v)", name, len(from.list), len(list), err)
		}
	}
}

// A key that is damaged is as one that was lost.
func TestKeyRingAfterDamage(t *testing.T) {
	now, seal := noon, keyFile(t)
	sealed, err := seal.Seal("jwt-key/k1", []byte("short"))
	if err != nil {
		t.Fatal(err)
	}
	from := &keys{list: []models.JWTKey{{ID: "k1", Sealed: sealed, CreatedAt: noon}, {ID: "k2", CreatedAt: noon}}}
	r := ringAt(t, from, seal, &now)
	wantGood(t, "signed in spite of it", r, signInToken(t, r, now), true)
}

// Many at once sign, read and ask for what is published, while keys change.
func TestKeyRingAtOnce(t *testing.T) {
	from, seal := &keys{}, keyFile(t)
	var mu sync.Mutex
	now := noon
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Hour)
		return now
	}
	r := NewKeyRing(from, seal, models.NewID, clock)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				at := clock()
				random, _ := secret.NewSignIn()
				text, err := r.SignIn(t.Context(), secret.SignInClaims{PersonID: "p", Random: random, IssuedAt: at, ExpiresAt: at.Add(365 * 24 * time.Hour)})
				if err == nil {
					_, _, err = r.Parse(t.Context(), text)
				}
				if err == nil {
					_, err = r.JWKs(t.Context())
				}
				if err != nil || strings.Count(text.Reveal(), ".") != 2 {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
