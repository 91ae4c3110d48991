package views

// CredentialList is one page of the credentials of everybody.
type CredentialList struct {
	Rows              []CredentialLine
	Filter            CredentialFilter
	Count             string   // "1,000+ credentials"; empty where that is not known
	Looked            string   // what was looked through without finding a page's worth; empty: all there is
	FirstHref, OnHref string   // empty on the first page, at the end
	CSVHref           string   // empty: there is nothing to export
	Back              string   // this page, for after a revocation
	Choose            string   // a question: which of several was meant
	Choices           []Part   // its answers
	Find              Form     // the form that looks a pasted key up; never with what was pasted
	Picked            []string // IDs that were ticked
}

// CredentialFilter is what is asked for, as it stands in the address.
type CredentialFilter struct {
	Form                             Form // what is wrong with it
	Q, Kind, Status, Expires, Unused string
	Owner, OwnerName                 string // the name is that of a person whose ID is asked for
	CreatedBy, MakerName             string
	Workspace                        string
	Workspaces                       []Option // to choose from; none where there are too many
	Set                              bool
}

// CredentialLine is a credential in the list of everybody's.
type CredentialLine struct {
	ID, Name, Kind, Prefix, LastFour, Status string
	Owner, OwnerHref                         string // a person, or the workspace that it belongs to
	OwnerNote                                string // "in Marlowe Press", "by Ines Moreau"
	Expires                                  Time   // zero: never
	Soon                                     bool
	Ended                                    Time // when it was revoked or replaced
	LastUsed                                 Time
	Days                                     []int
	Calls                                    int64 // of the last 30 days; only where that is asked
}

func (l CredentialLine) path() string { return "/credentials/" + l.ID }

// ended says that there is nothing left to revoke.
func (l CredentialLine) ended() bool { return l.Status == "Revoked" || l.Status == "Replaced" }

// CredentialRevoke is the question before many credentials are revoked.
type CredentialRevoke struct {
	Form    Form
	IDs     []string         // of those that would be revoked
	Rows    []CredentialLine // the first of them
	More    int              // how many there are beside those
	Already int              // were chosen too, and had been revoked before
	Whose   string           // "3 people and 1 workspace"
	Calls   int64            // in the last 30 days
	Last    Time             // the newest use of any of them; zero: none was used
	Back    string
}

func (q CredentialRevoke) title() string {
	if len(q.IDs) == 1 {
		return "Revoke " + q.Rows[0].Name + "?"
	}
	return "Revoke " + plural(len(q.IDs), "credential", "credentials") + "?"
}

func (q CredentialRevoke) verb() string {
	return "Revoke " + plural(len(q.IDs), "credential", "credentials")
}

func (q CredentialRevoke) use() []Part {
	switch {
	case q.Last.IsZero():
		return []Part{plain("None of these was ever used.")}
	case q.Calls == 0:
		return []Part{plain("None of these was used in the last 30 days. The last use of any was "), strong(q.Last.Relative), plain(".")}
	}
	return []Part{plain("Still in use: last request "), strong(q.Last.Relative), plain(", "), strong(plural(q.Calls, "call", "calls")), plain(" in the last 30 days.")}
}

// tone warns where something will stop.
func (q CredentialRevoke) tone() string {
	if q.Calls > 0 {
		return "warn"
	}
	return ""
}

// CredentialPage is everything about one credential of any kind.
type CredentialPage struct {
	Line      CredentialLine
	Facts     []CredentialFact
	Death     []Part // why and when it ended; none: it has not
	Own       string // its page where it is managed; empty: there is none
	Chart     []ChartDay
	History   []Entry
	AllEvents string
}

// CredentialFact is a line of what is known of a credential.
type CredentialFact struct {
	Label string
	Parts []Part
	Note  string
}

// Said is a piece of a sentence; with an address it is a link.
func Said(text, href string) Part { return Part{Text: text, Href: href} }

// Said is a moment in a sentence.
func (t Time) Said() Part { return when(t) }

// Figure is a number of the overview, and the list that it counts.
type Figure struct {
	Label, Number, Note, Glyph, Href string
	Warn                             bool
}
