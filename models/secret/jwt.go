package secret

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SignInClaims are what a sign-in token says (RFC 7519). Nothing of it is believed but with what is stored: the random value, whose hash
// finds the sign-in, and the sign-in, which says who it is and in which workspace.
type SignInClaims struct {
	PersonID    string
	WorkspaceID string
	Random      Text // 256 bits; its hash is stored
	IssuedAt    time.Time
	ExpiresAt   time.Time
}

// signInClaims is how they are written. The random value is the token's ID, which must be one of a kind anyway.
type signInClaims struct {
	WorkspaceID string `json:"workspace_id"`
	jwt.RegisteredClaims
}

const (
	signInDomain   = "tokendesk/sign-in/v1"
	signInIssuer   = "tokendesk"
	signInAudience = "tokendesk/account-api"
	longestJWT     = 4 << 10         // bytes; ours have 600
	clockSkew      = 5 * time.Second // by which the clocks of two servers may differ
)

// NewSignIn makes the random value of a sign-in token, and what is stored of it.
func NewSignIn() (Text, Hash) { return Random(signInDomain) }

// JWTKey signs sign-in tokens, with EdDSA over Ed25519 (RFC 8037). What signs is behind a function, as in Key: package fmt prints
// of one only its address.
type JWTKey struct {
	ID      string // which of several; it is public
	Public  ed25519.PublicKey
	private func() ed25519.PrivateKey
}

// NewJWTKey makes a key. What it is kept as is sealed: a stolen database signs nothing.
func NewJWTKey(id string, k Key) (made JWTKey, sealed []byte, err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return made, nil, err
	}
	sealed, err = k.Seal(jwtKeyPurpose(id), private.Seed())
	return jwtKey(id, private), sealed, err
}

// OpenJWTKey gives back what NewJWTKey has sealed, or ErrSealed.
func OpenJWTKey(id string, k Key, sealed []byte) (JWTKey, error) {
	seed, err := k.Open(jwtKeyPurpose(id), sealed)
	if err == nil && len(seed) != ed25519.SeedSize {
		err = ErrSealed
	}
	if err != nil {
		return JWTKey{}, err
	}
	return jwtKey(id, ed25519.NewKeyFromSeed(seed)), nil
}

func jwtKey(id string, private ed25519.PrivateKey) JWTKey {
	return JWTKey{id, private.Public().(ed25519.PublicKey), func() ed25519.PrivateKey { return private }}
}

func jwtKeyPurpose(id string) string { return "jwt-key/" + id }

// SignIn writes a sign-in token.
func (k JWTKey) SignIn(c SignInClaims) (Text, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, signInClaims{c.WorkspaceID, jwt.RegisteredClaims{
		Issuer: signInIssuer, Audience: jwt.ClaimStrings{signInAudience}, Subject: c.PersonID, ID: string(c.Random),
		IssuedAt: jwt.NewNumericDate(c.IssuedAt), ExpiresAt: jwt.NewNumericDate(c.ExpiresAt),
	}})
	t.Header["kid"] = k.ID
	text, err := t.SignedString(k.private())
	return Text(text), err
}

// LooksLikeJWT tells a sign-in token from a credential at first sight: three parts of base64url, with dots between them.
func LooksLikeJWT(s string) bool {
	if len(s) > longestJWT || strings.Count(s, ".") != 2 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isBase62(c) && c != '-' && c != '_' && c != '.' { // decoders pass over line breaks
			return false
		}
	}
	return true
}

// ParseSignIn reads a sign-in token that one of the keys has signed, by its ID, and that is good at the moment. Everything else is
// refused: another algorithm than EdDSA, or none; a key that is not among these; another audience or issuer; no end, an
// end that has come, a beginning that has not; and any other text than the one that was signed (RFC 8725).
func ParseSignIn(text Text, now time.Time, key func(id string) (ed25519.PublicKey, bool)) (c SignInClaims, ok bool) {
	if !LooksLikeJWT(string(text)) {
		return c, false
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithIssuer(signInIssuer), jwt.WithAudience(signInAudience), jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var read signInClaims
	_, err := parser.ParseWithClaims(string(text), &read, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if public, known := key(id); known {
			return public, nil
		}
		return nil, jwt.ErrTokenUnverifiable
	})
	if err != nil || read.Subject == "" || read.ID == "" || read.IssuedAt == nil || read.IssuedAt.After(now.Add(clockSkew)) {
		return c, false
	}
	return SignInClaims{read.Subject, read.WorkspaceID, Text(read.ID), read.IssuedAt.Time, read.ExpiresAt.Time}, true
}

// Hash is what the sign-in is found by.
func (c SignInClaims) Hash() Hash { return HashOf(signInDomain, string(c.Random)) }

// JWK is the public half as a JSON Web Key has it (RFC 8037, section 2).
type JWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	X         string `json:"x"`
}

// JWK is how others are told of the key.
func (k JWTKey) JWK() JWK {
	return JWK{"OKP", "Ed25519", "sig", jwt.SigningMethodEdDSA.Alg(), k.ID, base64.RawURLEncoding.EncodeToString(k.Public)}
}
