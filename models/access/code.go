package access

// Code is the stable name of a verdict; programs may rely on it.
type Code string

const (
	Allowed             Code = "allowed"
	RequestAmbiguous    Code = "request_ambiguous"
	CredentialMissing   Code = "credential_missing"
	CredentialMalformed Code = "credential_malformed"
	CredentialUnknown   Code = "credential_unknown"
	CredentialExpired   Code = "credential_expired"
	CredentialRevoked   Code = "credential_revoked"
	CredentialReplaced  Code = "credential_replaced"
	CredentialInactive  Code = "credential_inactive"
	OwnerDeactivated    Code = "owner_deactivated"
	AdminRequired       Code = "admin_required"
	WrongWorkspace      Code = "wrong_workspace"
	WrongCollection     Code = "wrong_collection"
	NoSuchResource      Code = "no_such_resource"
	MethodNotAllowed    Code = "method_not_allowed"
	ScopeMissing        Code = "scope_missing"
	RateLimited         Code = "rate_limited"
	VerifierUnavailable Code = "verifier_unavailable"
)

// Title is the verdict in the words that the console and the documents use.
func (c Code) Title() string { return titles[c] }

var titles = map[Code]string{
	Allowed:             "Allowed",
	RequestAmbiguous:    "The request can be read in two ways",
	CredentialMissing:   "Authentication required",
	CredentialMalformed: "Authentication required",
	CredentialUnknown:   "Authentication required",
	CredentialExpired:   "Token has expired",
	CredentialRevoked:   "Token was revoked",
	CredentialReplaced:  "Token was replaced by a newer one",
	CredentialInactive:  "Token is inactive",
	OwnerDeactivated:    "The person this token belongs to is deactivated",
	AdminRequired:       "Admin access required",
	WrongWorkspace:      "Token belongs to another workspace",
	WrongCollection:     "Access key is for another collection",
	NoSuchResource:      "No resource of the product answers this path",
	MethodNotAllowed:    "The resource takes another method",
	ScopeMissing:        "Token is not allowed to do this",
	RateLimited:         "Too many requests",
	VerifierUnavailable: "The credential could not be checked",
}
