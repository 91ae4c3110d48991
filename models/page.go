package models

import "unicode/utf8"

// PageSize is how many rows a list shows at once.
const PageSize = 50

// CountCap is how far a list counts what it has; beyond it says "1,000+".
const CountCap = 1000

// Place is where a list goes on: after the row with this key and ID. The zero Place is the beginning.
type Place struct {
	Key   string `json:"k,omitempty"`
	ID    string `json:"i,omitempty"`
	Limit int    `json:"-"` // how many rows a page has at most; 0: PageSize
}

// Size is how many rows a page has at most that begins at the place.
func (p Place) Size() int { return size(p.Limit) }

func size(limit int) int {
	if limit == 0 {
		return PageSize
	}
	return limit
}

// PeopleFilter says which people a list shows.
type PeopleFilter struct {
	Query  string // part of a name or an email address; where it Begins, the beginning of a name
	Role   Role   // empty: any
	Status string // "active", "deactivated", or empty: any
	After  Place
}

// searchInside is what the index of the search is made of: it knows nothing shorter.
const searchInside = 3 // characters

// Begins says whether a text is too short to be searched for inside names and addresses: it is looked for at
// the beginning of names. An empty text begins them all.
func Begins(text string) bool { return utf8.RuneCountInString(Fold(text)) < searchInside }

// PersonSeen is a person as the list shows them.
type PersonSeen struct {
	Person
	Bearer *Credential // the one that is not revoked or replaced; nil when there is none
}

// PersonRecord is everything that a person's page shows.
type PersonRecord struct {
	Person    Person
	Bearer    *CredentialSeen  // the one that is not revoked or replaced; it may be expired
	Earlier   []CredentialSeen // ended ones, newest first
	MoreEnded bool             // there are more than those
	Sessions  int              // live ones

	Automation     []CredentialSeen  // automation tokens in all workspaces, newest first, a page of them at most
	MoreAutomation bool              // there are more than those
	LiveAutomation int               // that have not ended, up to CountCap and one more
	LiveKeys       int               // API keys that have not ended, counted likewise
	Policy         Policy            // as it is now
	Workspaces     map[string]string // the names of the workspaces that those are for and that are not deleted, by ID
}
