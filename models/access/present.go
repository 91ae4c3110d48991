package access

import (
	"strings"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Presented is what a call showed as its credential: a well-formed one, or why there is none.
type Presented struct {
	Text   secret.Text
	Key    bool   // it came in X-API-Key
	SignIn bool   // Text is a sign-in token, of which nothing is checked yet
	Code   Code   // Allowed when Text is there
	Detail string // for RequestAmbiguous: what was there twice
}

// Present takes the credential from the values of the three fields that may carry one: Authorization
// (RFC 6750, section 2.1), X-API-Key and X-API-Token; and, of a call that reads a collection, from the parameter access_key, which may be
// a collection access key alone, for addresses are written down on the way. Two credentials at once, or one field twice, are
// ambiguous even when they say the same: whoever stands between may have read the other one.
func Present(authorization, apiKey, apiToken []string, accessKey ...string) Presented {
	fields := []struct {
		name   string
		values []string
	}{{"Authorization", authorization}, {apiKeyField, apiKey}, {"X-API-Token", apiToken}, {inAddress, accessKey}}
	var from, value string
	for _, f := range fields {
		if len(f.values) == 0 {
			continue
		}
		if len(f.values) > 1 {
			return Presented{Code: RequestAmbiguous, Detail: f.name + " was sent more than once. Send it once."}
		}
		if from != "" {
			return Presented{Code: RequestAmbiguous, Detail: "Both " + from + " and " + f.name + " were sent. Send one credential, in one field."}
		}
		from, value = f.name, f.values[0]
	}
	if from == "" {
		return Presented{Code: CredentialMissing}
	}
	if from == "Authorization" {
		if value = bearer(value); value == "" {
			return Presented{Code: CredentialMalformed}
		}
	}
	if from == inAddress && !strings.HasPrefix(value, models.CollectionKey.Prefix()+"_") {
		return Presented{Code: CredentialMalformed, Detail: "Only a collection access key may stand in the address. Send any other credential in the field Authorization or X-API-Key; and replace it, for it may stand in logs on the way."}
	}
	p := PresentText(value)
	if p.SignIn && from != "Authorization" {
		p = Presented{Code: CredentialMalformed}
	}
	p.Key = from == apiKeyField
	return p
}

// PresentText takes a credential by itself: that of a call that somebody asks about.
func PresentText(value string) Presented {
	if text, ok := secret.Parse(value); ok {
		return Presented{Text: text, Code: Allowed}
	}
	if secret.LooksLikeJWT(value) {
		return Presented{Text: secret.Text(value), SignIn: true, Code: Allowed}
	}
	return Presented{Code: CredentialMalformed}
}

// inAddress is the parameter that may carry a collection access key.
const inAddress = "access_key"

const apiKeyField = "X-API-Key"

// bearer takes what follows the scheme, which is written in any case, and one space.
func bearer(value string) string {
	const scheme = "Bearer "
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return ""
	}
	return value[len(scheme):]
}
