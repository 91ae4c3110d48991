package models

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// T12: of everything that may be said of a credential at once, its state is the first that holds, in
// the order revoked or replaced, expired, inactive. Nothing brings a revoked one back.
func TestStateOrder(t *testing.T) {
	past, future := noon.Add(-time.Hour), noon.Add(time.Hour)
	for _, c := range []struct {
		credential Credential
		want       State
	}{
		{Credential{}, Inactive}, // one that nobody filled in opens nothing
		{Credential{Enabled: true}, Active},
		{Credential{Enabled: true, ExpiresAt: &future}, Active},
		{Credential{ExpiresAt: &future}, Inactive},
		{Credential{Enabled: true, ExpiresAt: &past}, Expired},
		{Credential{ExpiresAt: &past}, Expired},
		{Credential{Enabled: true, RevokedAt: &past}, Revoked},
		{Credential{RevokedAt: &past, ExpiresAt: &past}, Revoked},
		{Credential{Enabled: true, RevokedAt: &future}, Revoked}, // another server's clock may be ahead
		{Credential{Enabled: true, RevokedAt: &past, ReplacedBy: "c2"}, Replaced},
		{Credential{RevokedAt: &past, ReplacedBy: "c2", ExpiresAt: &past}, Replaced},
		{Credential{Enabled: true, ReplacedBy: "c2"}, Active}, // only the date ends it
	} {
		if got := c.credential.State(noon); got != c.want {
			t.Errorf("%+v is %s, want %s", c.credential, got, c.want)
		}
	}
}

// T13: a credential expires at the very instant of its date, not a microsecond later, wherever the
// two times say that they are.
func TestExpiryIsExact(t *testing.T) {
	date := noon.In(time.FixedZone("", -5*60*60))
	c := Credential{Enabled: true, ExpiresAt: &date}
	for _, step := range []struct {
		now  time.Time
		want State
	}{{noon.Add(-time.Microsecond), Active}, {noon, Expired}, {noon.Add(time.Microsecond), Expired}} {
		if got := c.State(step.now); got != step.want {
			t.Errorf("at %s it is %s, want %s", step.now, got, step.want)
		}
	}
}

// Seed 001: a bearer token lives a year, to the same day; one of 29 February to 1 March.
func TestBearerTokenLife(t *testing.T) {
	for made, want := range map[string]string{
		"2026-11-21T09:30:15.123456Z": "2027-11-21T09:30:15.123456Z",
		"2027-03-01T00:00:00Z":        "2028-03-01T00:00:00Z", // over a leap day: 366 days
		"2028-02-29T23:59:59.999999Z": "2029-03-01T23:59:59.999999Z",
	} {
		at, _ := time.Parse(time.RFC3339Nano, made)
		if got := BearerTokenLife(at).Format(time.RFC3339Nano); got != want {
			t.Errorf("made %s, expires %s, want %s", made, got, want)
		}
	}
}

// Each kind has a prefix of four characters that no other has; an API token has its product's, and a kind that nobody knows
// has none, and no token either.
func TestKindsHavePrefixes(t *testing.T) {
	if Bearer.Prefix() != "user" || APIToken.Prefix() != "" || CredentialKind("no such").Prefix() != "" {
		t.Errorf("%q, %q, %q", Bearer.Prefix(), APIToken.Prefix(), CredentialKind("no such").Prefix())
	}
	seen := map[string]bool{}
	for kind, prefix := range kindPrefixes {
		if !fourCharacters.MatchString(prefix) || seen[prefix] {
			t.Errorf("%s has the prefix %q", kind, prefix)
		}
		seen[prefix] = true
	}
}

// A reason is optional, trimmed, and neither too long nor a trap for whoever reads the log.
func TestRevocationClean(t *testing.T) {
	for reason, want := range map[string]string{
		"":                              "",
		"  left the\n company ":         "left the company",
		strings.Repeat("é", 200):        strings.Repeat("é", 200),
		"a" + strings.Repeat(" b", 100): "-",
		"\x1b[2Jgone":                   "-",
		"\u202egnp":                     "-",
	} {
		r := Revocation{Reason: reason}
		problems := r.Clean()
		if want == "-" && problems.Message("reason") == "" || want != "-" && (len(problems) > 0 || r.Reason != want) {
			t.Errorf("%q: %q with %v", reason, r.Reason, problems)
		}
	}
}
