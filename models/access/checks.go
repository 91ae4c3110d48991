package access

import (
	"fmt"
	"time"

	"tokendesk/models"
)

// check asks, after the credential was found, what it is, whose it is and what for, in this order, until one answer is not Allowed; it names the
// question, and has a sentence for the caller. What is asked of a call to a product follows (reach). The questions are called by their names, and not from
// a list, because what is handed to a function that only a list knows is allocated.
func check(call *Call, d *Decision, look *sight) (name string, code Code, detail string) {
	if code, detail = ended(d, look.now); code != Allowed {
		return "credential.ended", code, detail
	}
	if code, detail = expired(d, look.now); code != Allowed {
		return "credential.expired", code, detail
	}
	if code, detail = inactive(d, look.now); code != Allowed {
		return "credential.inactive", code, detail
	}
	if code, detail = ownerActive(d); code != Allowed {
		return "owner.active", code, detail
	}
	if code, detail = ownerAdmin(call, d); code != Allowed {
		return "owner.admin", code, detail
	}
	if code, detail = itsCollection(call, d, look); code != Allowed {
		return "collection", code, detail
	}
	return "allowed", Allowed, ""
}

const signInOver = "A newer token took its place; or its sign-in has ended: by its person or an Admin, with a new password, with the membership, or because a refresh token came twice. Sign in again with POST /user/signin."

const signInAgain = "A sign-in token lives for 30 minutes, or until the next one. Sign in again with POST /user/signin."

const howToSend = "Send a valid token as 'Authorization: Bearer <token>', with no extra spaces or line breaks."

func presentedDetail(p Presented) string {
	switch {
	case p.Detail != "":
		return p.Detail
	case p.Code == CredentialMissing:
		return sendOne
	}
	return notGood(p)
}

// notGood is what to do about a credential that is none.
func notGood(p Presented) string {
	if p.Key {
		return invalidKey
	}
	return howToSend
}

func ended(d *Decision, now time.Time) (Code, string) {
	k := &d.Known
	switch k.State(now) {
	case models.Replaced:
		return CredentialReplaced, fmt.Sprintf("It was replaced on %s. Update this tool with the newer token, or create another one %s.", day(momentOf(k.over)), madeAt(k.Kind()))
	case models.Revoked:
		switch k.Kind() {
		case models.AutomationToken:
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Its person can create another one, in the console or by the account API.", day(momentOf(k.over)), because(k))
		case models.APIKey, models.CollectionKey:
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Another one is made %s.", day(momentOf(k.over)), because(k), madeAt(k.Kind()))
		}
		return CredentialRevoked, fmt.Sprintf("It was revoked on %s. Ask an Admin for a new one.", day(momentOf(k.over)))
	}
	return Allowed, ""
}

func expired(d *Decision, now time.Time) (Code, string) {
	if d.Known.State(now) != models.Expired {
		return Allowed, ""
	}
	return CredentialExpired, fmt.Sprintf("It expired on %s. Create a new token %s and update this tool.", day(d.Known.Expires()), madeAt(d.Known.Kind()))
}

// because tells why a token ended that nobody revoked: those reasons are ours, and for its holder too.
func because(k *Known) string {
	if k.why == 0 {
		return ""
	}
	return ": " + reasons[k.why]
}

// madeAt is where credentials of a kind are made.
func madeAt(kind models.CredentialKind) string {
	switch kind {
	case models.APIToken:
		return "under API Tokens in the workspace's settings"
	case models.AutomationToken:
		return "with GET /workspace/automation_token"
	case models.SignInToken:
		return "with POST /user/signin"
	case models.APIKey:
		return "under API keys in your account settings"
	case models.CollectionKey:
		return "where the collection is shared"
	}
	return "on the user record"
}

func inactive(d *Decision, now time.Time) (Code, string) {
	if d.Known.State(now) != models.Inactive {
		return Allowed, ""
	}
	return CredentialInactive, "It was switched off in the console. It can be switched on again."
}

func ownerActive(d *Decision) (Code, string) {
	if d.Known.is&ownerThere != 0 { // which nobody is too: an API token has no owner
		return Allowed, ""
	}
	return OwnerDeactivated, "Ask an Admin to activate the person, or use somebody else's token."
}

func ownerAdmin(call *Call, d *Decision) (Code, string) {
	if !call.Need.Admin {
		return Allowed, ""
	}
	switch d.Known.Kind() {
	case models.CollectionKey:
		return ScopeMissing, readsOnly
	case models.AutomationToken, models.SignInToken: // they are for one workspace, and an Admin's rights are for all
		return AdminRequired, "This takes the bearer token of a person with Admin access. An automation token and a sign-in token open their own workspace only."
	}
	if d.Known.is&ownerAdmins != 0 {
		return Allowed, ""
	}
	return AdminRequired, "The token must belong to a person with Admin access. Contact your site administrator."
}

const readsOnly = "A collection access key reads its own collection, with GET, and does nothing else."

// itsCollection lets a collection access key read its own collection, and nothing else whatsoever.
func itsCollection(call *Call, d *Decision, look *sight) (Code, string) {
	switch {
	case d.Known.Kind() != models.CollectionKey:
		return Allowed, ""
	case call.Need.Live: // for whatever it reads
	case call.Need.Collection == "":
		return ScopeMissing, readsOnly
	case id(call.Need.Collection) != d.Known.Of:
		return WrongCollection, "Ask whoever shared it for a key of this collection."
	}
	if look.place.closed {
		return WrongWorkspace, "Its workspace was deleted."
	}
	return Allowed, ""
}

func outcome(code Code) models.Outcome {
	switch code {
	case Allowed:
		return models.CallAccepted
	case CredentialReplaced, CredentialRevoked, CredentialExpired, CredentialInactive:
		return models.CallLate
	}
	return models.CallRefused
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
