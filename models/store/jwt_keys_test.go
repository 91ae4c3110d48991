package store_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Two servers that start at once on one database sign with one key: whichever of them makes it, it is made once, and each reads what
// the other has signed.
func TestServersAgreeOnAKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		first := newAccount(t, w)
		first.SetUp(t)
		second := first
		second.Store = w.Open(t)
		second = newAccount(t, second.World)
		both, texts := []account{first, second}, make([]secret.Text, 20)
		failed := atOnce(len(texts), func(i int) (err error) {
			now := w.Clock.Now()
			texts[i], err = both[i%2].ring.SignIn(t.Context(), secret.SignInClaims{PersonID: "p", Random: "r", IssuedAt: now, ExpiresAt: now.Add(time.Minute)})
			return err
		})
		if got := kinds(failed); got[""] != len(texts) {
			t.Fatalf("they ended as %v: %v", got, failed)
		}
		for i, text := range texts {
			for _, a := range both {
				if _, ok, err := a.ring.Parse(t.Context(), text); !ok || err != nil {
					t.Errorf("number %d is good: %v (%v)", i, ok, err)
				}
			}
		}
		list, err := w.JWTKeys(t.Context())
		if err != nil || len(list) != 1 || events(t, w, models.JWTKeyMade) != 1 {
			t.Fatalf("keys %+v (%v)", list, err)
		}
		if e := lastEvent(t, w); e.Action != models.JWTKeyMade || e.ActorKind != models.System || !slices.Equal(e.ChangeList(), []models.Change{{Field: "key", After: list[0].ID}}) {
			t.Errorf("the event is %+v", e)
		}
	})
}

// A key that the next one took over from stays as long as what it has signed may be good, and is removed then; the newest always stays.
func TestOldKeysAreRemoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		sign := func() secret.Text {
			t.Helper()
			now := w.Clock.Now()
			text, err := a.ring.SignIn(t.Context(), secret.SignInClaims{PersonID: "p", Random: "r", IssuedAt: now, ExpiresAt: now.Add(models.SignInTokenLife)})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		left := func() int {
			t.Helper()
			if err := w.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			list, err := w.JWTKeys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		sign()
		w.Clock.Advance(models.JWTKeyLife - time.Second)
		if n := left(); n != 1 {
			t.Errorf("a month later %d keys are left", n)
		}
		last := sign()
		w.Clock.Advance(2 * time.Second)
		sign()
		w.Clock.Advance(models.SignInTokenLife - 3*time.Second)
		if n := left(); n != 2 {
			t.Errorf("while its token is good, %d keys are left", n)
		}
		if _, ok, err := newAccount(t, w).ring.Parse(t.Context(), last); !ok || err != nil {
			t.Errorf("the last token of the key before is good: %v (%v)", ok, err)
		}
		w.Clock.Advance(2 * models.SignInTokenLife)
		if n := left(); n != 1 {
			t.Errorf("afterwards %d keys are left", n)
		}
		w.Clock.Advance(400 * 24 * time.Hour)
		if n := left(); n != 1 {
			t.Errorf("a year later %d keys are left", n)
		}
	})
}

// A key is added unless one is there that was made since; whoever came late is answered with that one. The newest is first.
func TestAddJWTKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		now := w.Clock.Now()
		add := func(id string, made, unlessSince time.Time, want ...string) {
			t.Helper()
			list, err := w.AddJWTKey(t.Context(), models.JWTKey{ID: id, Sealed: []byte(id), CreatedAt: made}, unlessSince)
			kept, again := w.JWTKeys(t.Context())
			var got, then []string
			for _, k := range list {
				got = append(got, k.ID)
			}
			for _, k := range kept {
				then = append(then, k.ID)
			}
			if err != nil || again != nil || !slices.Equal(got, want) || !slices.Equal(then, want) {
				t.Errorf("%s: answered %v, kept %v, want %v (%v, %v)", id, got, then, want, err, again)
			}
		}
		add("a", now, now.Add(-time.Hour), "a")
		unchanged(t, w, "one that is there", func() { add("b", now, now.Add(-time.Microsecond), "a") })
		add("c", now.Add(time.Minute), now, "c", "a")
		unchanged(t, w, "one that is younger", func() { add("d", now, now, "c", "a") })
		add("e", now.Add(2*time.Minute), now.Add(time.Minute), "e", "c", "a")
		list, err := w.JWTKeys(t.Context())
		if err != nil || string(list[0].Sealed) != "e" || list[0].CreatedAt != now.Add(2*time.Minute) {
			t.Errorf("kept %+v (%v)", list, err)
		}
	})
}

// In the database a key is sealed: whoever has it, and not the key file, signs nothing. What is published is the public half and
// nothing else, and it is enough to verify a token with (RFC 7517, RFC 8037).
func TestJWTKeysGiveNothingAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		s := a.signIn(t, "ines@marlowe.example")
		published, err := a.ring.JWKs(t.Context())
		must(t, err)
		text, err := json.Marshal(published)
		must(t, err)
		var read []map[string]string
		must(t, json.Unmarshal(text, &read))
		if names := slices.Sorted(maps.Keys(read[0])); len(read) != 1 || !slices.Equal(names, []string{"alg", "crv", "kid", "kty", "use", "x"}) {
			t.Fatalf("published %s", text)
		}
		public, err := base64.RawURLEncoding.DecodeString(read[0]["x"])
		must(t, err)
		signed, signature, _ := cutLast(s.token.Reveal(), ".")
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		if err != nil || !ed25519.Verify(public, []byte(signed), raw) {
			t.Errorf("what is published does not verify a token (%v)", err)
		}
		kept, err := w.JWTKeys(t.Context())
		must(t, err)
		for at := range len(kept[0].Sealed) - ed25519.SeedSize + 1 {
			if bytes.Equal(ed25519.NewKeyFromSeed(kept[0].Sealed[at : at+ed25519.SeedSize])[ed25519.SeedSize:], public) {
				t.Errorf("the key lies open at byte %d", at)
			}
		}
		other, err := secret.OpenKey(filepath.Join(t.TempDir(), "key"))
		must(t, err)
		if _, err := secret.OpenJWTKey(kept[0].ID, other, kept[0].Sealed); err != secret.ErrSealed {
			t.Errorf("with another key file: %v", err)
		}
	})
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	return s[:max(i, 0)], s[i+len(sep):], i >= 0
}

// Nothing opens the gate but what the server has signed, as it has signed it, for a sign-in that is there: no other algorithm, key, claim or
// moment (RFC 8725), and not with the database in hand either.
func TestForgedSignInTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		s := a.signIn(t, tom.Email)
		kept, err := w.JWTKeys(t.Context())
		must(t, err)
		key, err := secret.OpenKey(filepath.Join(w.Dir, "key"))
		must(t, err)
		seed, err := key.Open("jwt-key/"+kept[0].ID, kept[0].Sealed) // as nobody can who has not the key file
		must(t, err)
		private := ed25519.NewKeyFromSeed(seed)
		_, foreign, err := ed25519.GenerateKey(nil)
		must(t, err)
		now := a.Clock.Now()
		claims, _, err := a.ring.Parse(t.Context(), s.token)
		must(t, err)
		forge := func(method jwt.SigningMethod, with any, kid string, change jwt.MapClaims) secret.Text {
			c := jwt.MapClaims{"iss": "tokendesk", "aud": "tokendesk/account-api", "sub": tom.ID, "jti": claims.Random.Reveal(), "workspace_id": s.Workspace.ID, "iat": now.Unix(), "exp": now.Add(30 * time.Minute).Unix()}
			maps.Copy(c, change)
			token := jwt.NewWithClaims(method, c)
			token.Header["kid"] = kid
			text, err := token.SignedString(with)
			must(t, err)
			return secret.Text(text)
		}
		ours := func(change jwt.MapClaims) secret.Text {
			return forge(jwt.SigningMethodEdDSA, private, kept[0].ID, change)
		}
		if d := a.decide(t, ours(nil), ""); !d.Allowed() {
			t.Fatalf("what all others differ from: %s, %s", d.Code, d.Detail)
		}
		parts := strings.Split(s.token.Reveal(), ".")
		random, hash := secret.NewSignIn()
		for what, text := range map[string]secret.Text{
			"no algorithm":                  forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kept[0].ID, nil),
			"HMAC with the public key":      forge(jwt.SigningMethodHS256, []byte(private.Public().(ed25519.PublicKey)), kept[0].ID, nil),
			"HMAC with what is sealed":      forge(jwt.SigningMethodHS256, kept[0].Sealed, kept[0].ID, nil),
			"a foreign key":                 forge(jwt.SigningMethodEdDSA, foreign, kept[0].ID, nil),
			"a key that is not known":       forge(jwt.SigningMethodEdDSA, foreign, models.NewID(), nil),
			"a key without a name":          forge(jwt.SigningMethodEdDSA, private, "", nil),
			"another audience":              ours(jwt.MapClaims{"aud": "tokendesk/other"}),
			"another issuer":                ours(jwt.MapClaims{"iss": "somebody"}),
			"a beginning to come":           ours(jwt.MapClaims{"iat": now.Add(time.Minute).Unix()}),
			"an end that has come":          ours(jwt.MapClaims{"exp": now.Unix()}),
			"somebody else":                 ours(jwt.MapClaims{"sub": root.ID}),
			"another workspace":             ours(jwt.MapClaims{"workspace_id": models.NewID()}),
			"no workspace":                  ours(jwt.MapClaims{"workspace_id": ""}),
			"a value that nobody was given": ours(jwt.MapClaims{"jti": random.Reveal()}),
			"the hash that is stored":       ours(jwt.MapClaims{"jti": s.hash.Hex()}),
			"a hash of nothing":             ours(jwt.MapClaims{"jti": hash.Hex()}),
			"the refresh token":             ours(jwt.MapClaims{"jti": s.refresh.Reveal()}),
			"the session's ID":              ours(jwt.MapClaims{"jti": s.Session.ID}),
			"without its signature":         secret.Text(parts[0] + "." + parts[1] + "."),
			"with another's signature":      secret.Text(parts[0] + "." + parts[1] + "." + strings.Split(a.signIn(t, tom.Email).token.Reveal(), ".")[2]),
		} {
			d := a.decide(t, text, "")
			if d.Code != access.CredentialUnknown && d.Code != access.CredentialRevoked || d.Grant().Owner.ID != "" || !strings.Contains(d.Detail, "POST /user/signin") {
				t.Errorf("%s: %s, %s", what, d.Code, d.Detail)
			}
		}
		a.finds(t, "afterwards", s, true)
	})
}
