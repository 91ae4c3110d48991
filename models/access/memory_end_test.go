package access

import (
	"errors"
	"testing"
	"time"

	"tokendesk/models"
)

// sharing is remember, for a collection access key that ends a minute from now, and the time that the gate goes by.
func sharing(t *testing.T) (r *remembering, now *time.Time) {
	t.Helper()
	r, now = remember(t), new(noon)
	end := noon.Add(time.Minute)
	r.grant.Credential.Kind, r.grant.Credential.CollectionID, r.grant.Credential.ExpiresAt = models.CollectionKey, x2, &end
	r.call.Need = Need{Live: true}
	r.gate.now = func() time.Time { return *now }
	r.asOf(5)
	return r, now
}

// The end of a collection access key that is remembered may have been moved out by its use, which no event tells: when it is over, it is read again.
func TestMemoryReadsAMovedEndAgain(t *testing.T) {
	r, now := sharing(t)
	r.decide(t, Allowed, 1)
	moved := noon.Add(models.CollectionKeyLife)
	r.grant.Credential.ExpiresAt = &moved
	r.decide(t, Allowed, 0)
	*now = noon.Add(time.Minute)
	if d := r.decide(t, Allowed, 1); !d.Known.Expires().Equal(moved) {
		t.Errorf("it ends %s", d.Known.Expires())
	}
	r.decide(t, Allowed, 0)
	*now = moved.Add(-time.Microsecond)
	r.decide(t, Allowed, 0)
	*now = moved
	r.decide(t, CredentialExpired, 1) // never late
}

// One that has ended, and whose end did not move, is asked for once a second; where the database does not answer, nobody says that it has ended.
func TestMemoryOfWhatHasEnded(t *testing.T) {
	r, now := sharing(t)
	r.decide(t, Allowed, 1)
	*now = noon.Add(2 * time.Minute)
	r.decide(t, CredentialExpired, 1)
	for range 5 {
		r.decide(t, CredentialExpired, 0)
	}
	moved := noon.Add(time.Hour)
	r.grant.Credential.ExpiresAt = &moved // by a use that another server wrote down late
	r.now = r.now.After(time.Second, time.Second)
	r.lease()
	r.decide(t, Allowed, 1)
	*now = moved
	r.err = errors.New("away")
	r.decide(t, VerifierUnavailable, 1)
	r.err = nil
	r.decide(t, CredentialExpired, 1)
}

// What else has expired stays so, without a question.
func TestMemoryOfAnEndThatStands(t *testing.T) {
	for _, kind := range []models.CredentialKind{models.APIToken, models.APIKey, models.Bearer, models.AutomationToken} {
		r, now := sharing(t)
		r.grant.Credential.Kind = kind
		if d := r.gate.Decide(t.Context(), r.call); !d.Allowed() {
			t.Fatalf("%s: %s %s", kind, d.Code, d.Detail)
		}
		*now = noon.Add(time.Minute)
		r.decide(t, CredentialExpired, 0)
	}
	r, now := sharing(t)
	past := noon.Add(-time.Hour)
	r.grant.Credential.RevokedAt = &past
	r.decide(t, CredentialRevoked, 1)
	*now = noon.Add(time.Minute)
	r.decide(t, CredentialRevoked, 0)
}
