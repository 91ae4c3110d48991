package access

import "sync/atomic"

// Door is where a credential is shown. What is decided there is counted apart.
type Door uint8

const (
	AtGateway     Door = iota // a call to a product
	AtForwardAuth             // a proxy's question about one
	AtIntrospect              // RFC 7662
	AtVerify                  // a question of the management API about a credential that somebody else was shown
	AtManagement              // the management API
	AtAccount                 // the account API
	AtInstall                 // POST /installCollection
	doorCount
)

// Doors are all of them, as they are called in metrics.
var Doors = [doorCount]string{"gateway", "forward_auth", "introspect", "verify", "management", "account", "install"}

// Codes are all verdicts. What is added to them is counted from then on; the order is nobody's business.
var Codes = [...]Code{
	Allowed, RequestAmbiguous, CredentialMissing, CredentialMalformed, CredentialUnknown, CredentialExpired, CredentialRevoked, CredentialReplaced,
	CredentialInactive, OwnerDeactivated, AdminRequired, WrongWorkspace, WrongCollection, NoSuchResource, MethodNotAllowed, ScopeMissing, RateLimited,
	VerifierUnavailable,
}

var codeAt = func() map[Code]int {
	at := make(map[Code]int, len(Codes))
	for i, code := range Codes {
		at[code] = i
	}
	return at
}()

// Verdicts counts what was decided, by door and code, since the start. It allocates nothing, and each count has a cache line to itself, so that
// calls on several processors do not wait for one another unless they end alike. The zero value is ready; safe for concurrent use.
type Verdicts struct {
	counts [doorCount][len(Codes)]lonelyCount
}

// lonelyCount fills a cache line.
type lonelyCount struct {
	atomic.Int64
	_ [56]byte
}

// Count adds one.
func (v *Verdicts) Count(door Door, code Code) {
	if code == Allowed { // by far the most, and spared the look-up
		v.counts[door][0].Add(1)
		return
	}
	if i, known := codeAt[code]; known {
		v.counts[door][i].Add(1)
	}
}

// Each tells the counts, those that are nought too: a metric that comes into being with its first event hides that event from whoever looks
// at its rate.
func (v *Verdicts) Each(tell func(door string, code Code, count int64)) {
	for d := range v.counts {
		for i := range v.counts[d] {
			tell(Doors[d], Codes[i], v.counts[d][i].Load())
		}
	}
}
