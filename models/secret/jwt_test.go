package secret

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var signInMoment = time.Date(2027, 2, 19, 9, 0, 0, 0, time.UTC)

// jwtKeys are keys by their ID, as ParseSignIn asks for them.
type jwtKeys map[string]ed25519.PublicKey

func (k jwtKeys) find(id string) (ed25519.PublicKey, bool) { key, ok := k[id]; return key, ok }

func newTestJWTKey(t testing.TB, id string) JWTKey {
	t.Helper()
	key, _, err := NewJWTKey(id, anyKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func anyKey(t testing.TB) Key {
	t.Helper()
	k, err := OpenKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testSignIn(t testing.TB, key JWTKey) (Text, SignInClaims) {
	t.Helper()
	random, _ := NewSignIn()
	c := SignInClaims{"person", "workspace", random, signInMoment, signInMoment.Add(30 * time.Minute)}
	text, err := key.SignIn(c)
	if err != nil {
		t.Fatal(err)
	}
	return text, c
}

func TestSignInTokens(t *testing.T) {
	key := newTestJWTKey(t, "k1")
	keys := jwtKeys{"k1": key.Public}
	text, want := testSignIn(t, key)
	for name, at := range map[string]time.Time{"at once": signInMoment, "just before the end": want.ExpiresAt.Add(-time.Microsecond), "by a clock that is slow": signInMoment.Add(-4 * time.Second)} {
		if got, ok := ParseSignIn(text, at, keys.find); !ok || got.Hash() != want.Hash() || got.PersonID != "person" || got.WorkspaceID != "workspace" || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.IssuedAt.Equal(want.IssuedAt) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	for name, at := range map[string]time.Time{"at its end": want.ExpiresAt, "after it": want.ExpiresAt.Add(time.Hour), "before its beginning": signInMoment.Add(-6 * time.Second)} {
		if _, ok := ParseSignIn(text, at, keys.find); ok {
			t.Errorf("good %s", name)
		}
	}
	if _, ok := ParseSignIn(text, signInMoment, jwtKeys{}.find); ok {
		t.Error("good without its key")
	}
	if _, ok := ParseSignIn(text, signInMoment, jwtKeys{"k1": newTestJWTKey(t, "k1").Public}.find); ok {
		t.Error("good with another key of that name")
	}
	_, hash := NewSignIn()
	if want.Hash() == hash || want.Hash() == want.Random.Hash() {
		t.Error("hashes of two domains, or of two values, are the same")
	}
}

// Whatever is not exactly what we sign, with a key of ours, for us, is refused (RFC 8725, section 3).
func TestForeignSignInTokens(t *testing.T) {
	key := newTestJWTKey(t, "k1")
	keys := jwtKeys{"k1": key.Public}
	good := func() (map[string]any, jwt.MapClaims) {
		return map[string]any{"kid": "k1"}, jwt.MapClaims{
			"iss": signInIssuer, "aud": signInAudience, "sub": "person", "jti": "random", "workspace_id": "w", "iat": signInMoment.Unix(), "exp": signInMoment.Add(time.Minute).Unix(),
		}
	}
	sign := func(method jwt.SigningMethod, with any, change func(header map[string]any, c jwt.MapClaims)) Text {
		header, claims := good()
		change(header, claims)
		token := jwt.NewWithClaims(method, claims)
		maps.Copy(token.Header, header)
		for name, value := range token.Header {
			if value == nil {
				delete(token.Header, name)
			}
		}
		text, err := token.SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return Text(text)
	}
	as := func(map[string]any, jwt.MapClaims) {}
	if _, ok := ParseSignIn(sign(jwt.SigningMethodEdDSA, key.private(), as), signInMoment, keys.find); !ok {
		t.Fatal("what all others differ from is refused itself")
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	ours := func(change func(header map[string]any, c jwt.MapClaims)) Text {
		return sign(jwt.SigningMethodEdDSA, key.private(), change)
	}
	claim := func(name string, value any) Text {
		return ours(func(_ map[string]any, c jwt.MapClaims) {
			c[name] = value
			if value == nil {
				delete(c, name)
			}
		})
	}
	other := newTestJWTKey(t, "k2")
	for name, text := range map[string]Text{
		"no algorithm":                     sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, as),
		"HMAC with the public key":         sign(jwt.SigningMethodHS256, []byte(key.Public), as),
		"HMAC with the public key as PEM":  sign(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), as),
		"RSA":                              sign(jwt.SigningMethodRS256, rsaKey, as),
		"EdDSA, told as HMAC":              ours(func(h map[string]any, _ jwt.MapClaims) { h["alg"] = "HS256" }),
		"EdDSA, told as none":              ours(func(h map[string]any, _ jwt.MapClaims) { h["alg"] = "none" }),
		"EdDSA, told in lower case":        ours(func(h map[string]any, _ jwt.MapClaims) { h["alg"] = "eddsa" }),
		"another's key":                    sign(jwt.SigningMethodEdDSA, other.private(), as),
		"another's key, that is not known": sign(jwt.SigningMethodEdDSA, other.private(), func(h map[string]any, _ jwt.MapClaims) { h["kid"] = "k2" }),
		"another's key, that it brings": sign(jwt.SigningMethodEdDSA, other.private(), func(h map[string]any, _ jwt.MapClaims) {
			h["jwk"] = other.JWK()
			h["jku"] = "https://evil.example/jwks.json"
		}),
		"no key":                 ours(func(h map[string]any, _ jwt.MapClaims) { h["kid"] = nil }),
		"a key that is a number": ours(func(h map[string]any, _ jwt.MapClaims) { h["kid"] = 1 }),
		"another audience":       claim("aud", "tokendesk/other"),
		"no audience":            claim("aud", nil),
		"an empty audience":      claim("aud", []string{}),
		"another issuer":         claim("iss", "somebody"),
		"no issuer":              claim("iss", nil),
		"nobody":                 claim("sub", nil),
		"no random value":        claim("jti", nil),
		"no end":                 claim("exp", nil),
		"an end that is text":    claim("exp", "2030-01-01"),
		"an end long ago":        claim("exp", 1),
		"an end of 0":            claim("exp", 0),
		"no beginning":           claim("iat", nil),
		"a beginning to come":    claim("iat", signInMoment.Add(time.Hour).Unix()),
		"not good before":        claim("nbf", signInMoment.Add(time.Hour).Unix()),
	} {
		if c, ok := ParseSignIn(text, signInMoment, keys.find); ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// One text is one token (security rule T2): nothing that decodes to the same is taken, nor anything near.
func TestSignInTokensHaveOneSpelling(t *testing.T) {
	key := newTestJWTKey(t, "k1")
	keys := jwtKeys{"k1": key.Public}
	text, _ := testSignIn(t, key)
	plain := string(text)
	others := []string{
		plain + "=", plain + "\n", " " + plain, strings.Replace(plain, ".", "\n.", 1), strings.Replace(plain, ".", ".\r\n", 1), plain + ".", "." + plain, plain + ".x",
		plain[:len(plain)-1], plain + "A", strings.ToUpper(plain), strings.Replace(plain, ".", "", 1), "", "..", strings.Repeat("a", longestJWT) + "." + "." + "b",
	}
	last := plain[len(plain)-1] // of 86 characters, the last has four bits that are nothing
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if byte(c) != last {
			others = append(others, plain[:len(plain)-1]+string(c))
		}
	}
	for _, other := range others {
		if _, ok := ParseSignIn(Text(other), signInMoment, keys.find); ok {
			t.Errorf("%q is taken for %q", other, plain)
		}
	}
}

func TestJWTKeysAreSealed(t *testing.T) {
	k := anyKey(t)
	made, sealed, err := NewJWTKey("k1", k)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, made.private().Seed()) {
		t.Error("the sealed key holds the key")
	}
	opened, err := OpenJWTKey("k1", k, sealed)
	if err != nil || !opened.Public.Equal(made.Public) || !opened.private().Equal(made.private()) {
		t.Errorf("%v", err)
	}
	if _, err := OpenJWTKey("k2", k, sealed); err != ErrSealed {
		t.Errorf("under another ID: %v", err)
	}
	short, err := k.Seal(jwtKeyPurpose("k1"), []byte("short"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJWTKey("k1", k, short); err != ErrSealed {
		t.Errorf("what is no key: %v", err)
	}
	seed := fmt.Sprint(made.private().Seed())
	if shown := fmt.Sprintf("%v %+v %#v", made, made, made); strings.Contains(shown, seed[1:len(seed)-1]) {
		t.Error("printing a key shows it")
	}
}

// Others verify with what we publish: here the library reads it as any client would.
func TestJWK(t *testing.T) {
	key := newTestJWTKey(t, "k1")
	text, err := json.Marshal(key.JWK())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	x, err := base64.RawURLEncoding.DecodeString(got["x"])
	want := map[string]string{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "k1", "x": got["x"]}
	if err != nil || !maps.Equal(got, want) || !key.Public.Equal(ed25519.PublicKey(x)) {
		t.Errorf("%s, %v", text, err)
	}
}

func FuzzParseSignIn(f *testing.F) {
	key := newTestJWTKey(f, "k1")
	keys := jwtKeys{"k1": key.Public}
	text, want := testSignIn(f, key)
	for _, seed := range []string{string(text), "", "..", "a.b.c", "e30.e30.e30", strings.Replace(string(text), ".", "..", 1), string(text) + "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := ParseSignIn(Text(s), signInMoment, keys.find); ok && (Text(s) != text || c.Hash() != want.Hash()) {
			t.Errorf("%q is %+v", s, c)
		}
	})
}
