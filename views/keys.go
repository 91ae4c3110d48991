package views

// KeyList is one's own API keys, how long the next ones live, and the access keys of collections.
type KeyList struct {
	Keys                []KeyRow
	Ended               []KeyRow // the newest that were deleted or revoked, a few
	Count               string   // "6 API keys"; empty where the page has all of them
	FirstHref, MoreHref string   // empty on the first page, at the end
	Refusal             string   // why none may be generated; empty: they may
	Create              KeyForm
	Here                bool // the form stands in a dialog of the page
	Opener              bool // it was sent just now: the keyboard goes back to what leads to it
	Settings            KeySettings
	Shares              ShareList
}

// KeyRow is an API key in the list, and what may be done with it.
type KeyRow struct {
	ID, Path, Name    string
	Prefix, LastFour  string
	Status            string // "Active", "Expires soon", "Expired", "Revoked"
	Created           Time
	Expires           Time // zero: never
	Revoked           Time // zero: it was not
	RevokedBy, Reason string
	LastUsed          Time
	LastFrom          string
	Refused           int64
	Days              []int // accepted calls a day, oldest first; 14 of them
	InUse             bool  // used so recently that its end will be noticed
}

// KeyForm is the form that generates an API key, or gives one another secret.
type KeyForm struct {
	FormID string
	Form   Form   // name
	Ends   string // "Expires in 90 days, from your API key settings."
}

// KeySettings is the form that says how long new API keys live.
type KeySettings struct {
	Form    Form // expiration_days, days
	Options []Option
	Chosen  string // of the options
	Days    string // for the option custom
	Fixed   string // why it cannot be changed; empty: it can
	Limit   string // what the policy allows; empty: everything
}

// KeyReveal is the one answer that carries the secret of a key.
type KeyReveal struct {
	Secret           string // the whole key; written into the page exactly once
	Title            string
	Sub              []Part
	Noun             string // "API key"
	Prefix, LastFour string
	Expires          Time   // zero: never
	Access, AccessIn string // "Your own rights", "As they are at each call"
	Heading, Try     string // of a first call, its path
	Lost             string // what to do when it is lost
	Here, Back       string // the page's own address from then on; where the button leads
}

// ShareList is a page of access keys of collections: of one, or of all the workspaces that the reader is a member of.
type ShareList struct {
	Rows                []ShareRow
	FirstHref, MoreHref string // empty on the first page, at the end
	OfOne               bool   // of one collection, which the page is about
	Collections         string // where collections are; empty: the reader has no workspace
}

// ShareRow is an access key of a collection.
type ShareRow struct {
	ID, Name, Prefix, LastFour string
	Status                     string
	Collection, Href           string // its name, its page
	Workspace                  string // empty where it is clear
	CreatedBy                  string
	Created, Expires, LastUsed Time
	Refused                    int64
	EndHref                    string // where it is deleted; empty: the reader may not
}

// ShareForm is the form that makes an access key of a collection.
type ShareForm struct {
	Collection, Path string
	Back             string // the list of collections
	FormID           string
	Form             Form   // name
	Life             string // how long it lives, and who decided that
}

// ShareEnd asks before an access key is deleted.
type ShareEnd struct {
	ShareRow
	Action, Back, Next string
	Form               Form // reason
}

// from adds where the reader's collections are.
func (l ShareList) from(p Page) ShareList {
	if p.Workspace != nil {
		l.Collections = p.Workspace.Collections()
	}
	return l
}

func (p Page) keys(below ...Crumb) Page {
	keys := Crumb{Text: "API keys"}
	if len(below) == 0 {
		return p.as("API keys", NavAccount, p.home(), Crumb{Text: "Account settings"}, keys)
	}
	keys.Href = keysPath
	return p.as(below[len(below)-1].Text, NavAccount, append([]Crumb{p.home(), keys}, below...)...)
}

const keysPath = "/account/api-keys"

// ended tells when a key ended, by whom, and why.
func (k KeyRow) ended() []Part {
	parts := []Part{plain("Ended "), {Text: k.Revoked.Text, at: k.Revoked.ISO}, plain(" by " + k.RevokedBy)}
	if k.Reason != "" {
		parts = append(parts, plain(": "+k.Reason))
	}
	return parts
}

// use is the evidence to look at before a secret ends.
func (k KeyRow) use() []Part {
	return []Part{plain("Still in use: last request "), strong(k.LastUsed.Relative), plain(", from " + k.LastFrom + ".")}
}

func (k KeyRow) asksDelete(f Form) question {
	return question{
		id: "delete-key", title: "Delete " + k.Name + "?", action: k.Path + "/delete", verb: "Delete key", glyph: "trash", kind: "stop",
		keep: "Keep key", back: keysPath, body: deleteKeyBody(k, f),
	}
}

func (k KeyRow) asksRegenerate(f KeyForm) question {
	return question{
		id: "regenerate-key", title: "Regenerate " + k.Name + "?", action: k.Path + "/regenerate", verb: "Regenerate", glyph: "rotate", kind: "primary",
		keep: "Cancel", back: keysPath, body: regenerateKeyBody(k, f),
	}
}

func (s ShareEnd) page(p Page) Page {
	return p.keys(Crumb{Text: "Delete " + s.Name})
}

func (s ShareEnd) asks() question {
	return question{
		id: "delete-share", title: "Delete " + s.Name + "?", action: s.Action, verb: "Delete key", glyph: "trash", kind: "stop",
		keep: "Keep key", back: s.Back, body: endShareBody(s),
	}
}

func (f ShareForm) page(p Page) Page {
	return p.as("Share "+f.Collection, NavCollections, p.home(), Crumb{"Collections", f.Back}, Crumb{f.Collection, f.Path}, Crumb{Text: "Share"})
}

// form is what was typed, and before that what is set.
func (k KeySettings) form() Form {
	return k.Form.or("expiration_days", k.Chosen).or("days", k.Days).in("keys")
}

// calledKey is how an actions menu speaks of a key.
func calledKey(name string) string { return "Actions for " + name }
