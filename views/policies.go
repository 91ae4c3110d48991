package views

// Policies is what Admins decided for everybody's credentials.
type Policies struct {
	Form    Form       // all fields have a value
	Longest []Lifetime // a field for each kind of credential
	Unused  string     // how many API keys the policy revokes today: "14 API keys"; empty where it revokes none ever
	Days    string     // in the form, after which it does
	Ask     string     // how many a policy that is about to be saved revokes at once; empty: nothing is asked
	Look    UnusedKeys // which ones the number in the form would revoke now, where that was asked
}

// Lifetime is the field that says how long a kind of credential lives at most.
type Lifetime struct{ Name, Label, Hint string }

// UnusedKeys is the list of API keys that a policy of so many days would revoke now.
type UnusedKeys struct {
	Form    Form // days
	Asked   bool // there are days, and so there is a list
	One     bool // it has one API key
	Rows    []UnusedKey
	Count   string // "14 API keys"
	Days    string // "90 days"
	Next    Action
	First   Action
	Decided bool // the policy says so already
}

// UnusedKey is an API key that nobody has used for long.
type UnusedKey struct {
	Name, Prefix, LastFour     string
	Owner, OwnerHref           string
	Created, LastUsed, Expires Time // LastUsed is zero where it never was, and Expires where it never does
}

const (
	policiesPath = "/settings/policies"
	unusedPath   = policiesPath + "/unused"
)

// told is what such a policy does with the keys that are listed.
func (u UnusedKeys) told() string {
	them := "them"
	if u.One {
		them = "it"
	}
	if u.Decided {
		return u.Count + " unused for " + u.Days + ". The policy revokes " + them + " within the hour."
	}
	return u.Count + " unused for " + u.Days + ". Such a policy would revoke " + them + " within the hour."
}

func (p Policies) previewHref() string { return unusedPath + "?days=" + p.Days }
