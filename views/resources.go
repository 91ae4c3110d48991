package views

import "strings"

// ProductList is a workspace's products, and what their tokens may reach.
type ProductList struct {
	Path       string // where a product is added
	Products   []ProductCard
	Gateway    string // the address of the gateway
	MayEdit    bool   // names and resources
	MayPoint   bool   // where calls go
	MayAdd     bool
	Form       Form   // name, prefix of a product
	FormOf     string // the product that the form is of; empty: of another one
	CallsLimit string // "600 calls a minute for each API token"
}

// ProductCard is a product with its resources.
type ProductCard struct {
	ID, Path, Name, Prefix string
	Upstream               string // empty: the sample product
	Used                   bool   // tokens have its prefix, which therefore stays
	Resources              []ScopeGroup
}

// ResourceForm edits a product's resources as text.
type ResourceForm struct {
	Product, Path, Back string
	Form                Form // resources, revision, lose
	Text, Revision      string
	Losses              Losses // zero: nothing is lost
}

// Losses are what tokens lose when a form is saved.
type Losses struct {
	Value  string // of the box to tick: all that is lost
	Lead   string // "2 tokens lose operations."
	Tokens []Loss // the first of them
	More   string // "And 3 tokens more."; may be empty
}

// Loss is one token's.
type Loss struct {
	Name, Scopes string
	More         string // "and 20 operations more"; may be empty
}

// UpstreamPage is where a product's calls go, and how.
type UpstreamPage struct {
	Product, Path, Back string
	Form                Form     // see upstreamFields; headers are those that were typed just now, and never those that are kept
	HeaderNames         []string // that are sent now
	Signed              bool     // there is a signing key
	FormID              string   // of the form that makes one
	Revision            string   // of the product as it is
	Tested              string   // what a test found; empty: there was none
	TestedWell          bool
}

func (p Page) product(name, text string) Page {
	p = p.settings("Resources", NavSettings)
	p.Crumbs[len(p.Crumbs)-1].Href = p.Workspace.Resources()
	p.Title, p.Crumbs = text+", "+name, append(p.Crumbs, Crumb{Text: text})
	return p
}

func (l ProductList) form(p ProductCard) Form {
	f := Form{}
	if l.FormOf == p.ID {
		f = l.Form
	}
	return f.or("name", p.Name).or("prefix", p.Prefix).in(p.Prefix)
}

// failed is the form that came back, by the ids that its fields have.
func (l ProductList) failed() Form {
	for _, p := range l.Products {
		if p.ID == l.FormOf {
			return l.form(p)
		}
	}
	return l.addForm()
}

func (l ProductList) addForm() Form {
	if l.FormOf == "" {
		return l.Form.in("new")
	}
	return Form{}.in("new")
}

func (u UpstreamPage) asksKey() question {
	return question{
		id: "key", title: "Make a new signing key?", action: u.Back + "/signing-key", verb: "Make a new signing key", glyph: "key", kind: "primary",
		keep: "Cancel", back: u.Path, body: newKeyBody(u),
	}
}

func testNote(u UpstreamPage) Note {
	if u.TestedWell {
		return Note{Kind: "ok", Text: u.Tested}
	}
	return Note{Kind: "bad", Text: u.Tested}
}

func headersHint(names []string) string {
	hint := "Sent with every call, a line each: Name: value. They are kept encrypted and not shown again."
	if len(names) > 0 {
		hint += " Sent now: " + strings.Join(names, ", ") + ". What you type takes their place."
	}
	return hint
}
