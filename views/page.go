// Package views turns finished values into pages. A page is one exported component: it takes a Page,
// which every page has, and the values of its own, and decides nothing but how they look. What a
// person may do, how a date reads and where a list goes on are decided before and arrive as bools,
// text and addresses.
package views

// Page is what every page has around its own content. The zero value draws a page for a stranger.
// Title, Nav and Crumbs may stay empty: each page then uses its own.
type Page struct {
	Title      string // without the product's name; "Error: " is put before it when a form has errors
	Theme      string // "", "light" or "dark"; empty follows the system
	Nav        string // one of the Nav names; empty marks what the page itself belongs to
	Crumbs     []Crumb
	Note       *Note           // what the last request did; shown once
	Me         *Me             // nil for a stranger
	Workspace  *WorkspaceLink  // the one the page is about, or the person's first; nil when there is none
	Workspaces []WorkspaceLink // the first ones by name
	More       bool            // there are more workspaces than these
	Address    string          // scheme and host of this installation, "https://desk.example", for commands to copy
	Version    string
	RequestID  string // shown on error pages
}

// The places of the main navigation, for Page.Nav.
const (
	NavOverview    = "overview"
	NavPeople      = "people"
	NavCredentials = "credentials"
	NavAudit       = "audit"
	NavPolicies    = "policies"
	NavReplicas    = "replicas"
	NavTokens      = "tokens"
	NavCollections = "collections"
	NavSettings    = "settings"
	NavAccount     = "account"
	NavAPIGuide    = "api guide"
	NavReference   = "reference"
)

// Crumb is one step of the breadcrumb; the last one has no Href.
type Crumb struct{ Text, Href string }

// Note is one message at the top of a page. Kind is "ok", "warn", "bad" or "" for plain information;
// Lead is set in bold before Text and may be empty.
type Note struct{ Kind, Lead, Text string }

// Me is the person who is signed in. Role is "Admin" or "Member".
type Me struct {
	ID, Name, Email, Initials, Role string
	IsAdmin                         bool
}

// WorkspaceLink names a workspace; Host is shown small below the name.
type WorkspaceLink struct {
	Name, Slug, Initials, Host string
	MayAudit                   bool // the reader may see the workspace's own events
	MayTokens                  bool // the reader may manage the workspace's API tokens
}

// Settings is the address of the workspace's settings.
func (w WorkspaceLink) Settings() string { return "/w/" + w.Slug + "/settings" }

// Collections is the address of the workspace's list of collections.
func (w WorkspaceLink) Collections() string { return w.Settings() + "/collections" }

// Tokens is the address of the workspace's list of API tokens.
func (w WorkspaceLink) Tokens() string { return w.Settings() + "/api-tokens" }

// Resources is the address of what the workspace's tokens may reach.
func (w WorkspaceLink) Resources() string { return w.Settings() + "/resources" }

// Members is the address of the workspace's list of members.
func (w WorkspaceLink) Members() string { return w.Settings() + "/members" }

// Audit is the address of the workspace's own events.
func (w WorkspaceLink) Audit() string { return w.Settings() + "/audit" }

// Time is a moment as text. ISO is RFC 3339 in UTC, Text what is read ("2 Mar 2027, 09:00"), Relative
// what stands beside it ("in 101 days", "12 minutes ago"). The zero value is "no such moment".
type Time struct{ ISO, Text, Relative string }

// IsZero tells that there is no such moment.
func (t Time) IsZero() bool { return t.ISO == "" }

// Part is a piece of a sentence: plain text, or text that is a link, strong or in the fixed-width face.
// Pieces are joined as they are: they carry their own spaces.
type Part struct {
	Text, Href   string
	Strong, Mono bool

	at string // RFC 3339, when the text is a moment
}

// Action is a link drawn as a button.
type Action struct {
	Text, Href string
	Primary    bool
}

// as fills in what the caller left open: the title, the place in the navigation and the breadcrumb.
func (p Page) as(title, nav string, crumbs ...Crumb) Page {
	if p.Title == "" {
		p.Title = title
	}
	if p.Nav == "" {
		p.Nav = nav
	}
	if len(p.Crumbs) == 0 {
		p.Crumbs = crumbs
	}
	return p
}

func (p Page) isAdmin() bool { return p.Me != nil && p.Me.IsAdmin }

// home is the first crumb of the pages that stand beside the overview.
func (p Page) home() Crumb {
	if p.Workspace != nil {
		return Crumb{p.Workspace.Name, "/"}
	}
	return Crumb{"Overview", "/"}
}
