package views

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tokendesk/models"
)

// TokenList is one page of a workspace's API tokens, and one of its automation tokens.
type TokenList struct {
	Path                string // of the list
	Manages             bool   // the reader manages API tokens; to others only Automation is shown
	Cards               []TokenCard
	Query, Status, Sort string // what is asked for
	Count               string // "6 tokens"
	Looked              string // what was looked through without finding a page's worth; empty: all there is
	FirstHref, MoreHref string // empty on the first page, at the end
	None                bool   // the workspace has no token at all
	Create              TokenForm
	Here                bool // the form stands in a dialog of the page
	Opener              bool // it was sent just now: the keyboard goes back to what leads to it
	Automation          AutomationList
}

// AutomationList is one page of a workspace's automation tokens, or of one's own there.
type AutomationList struct {
	Path                string // below which they have their pages
	Cards               []TokenCard
	Count               string // "6 automation tokens"; empty where there is none
	FirstHref, MoreHref string // empty on the first page, at the end
	MayCreate           bool   // who is no member has none of their own
	Create              TokenForm
	Here, Opener        bool // as of TokenList
}

// TokenCard is a workspace's token in a list, and what may be done with it.
type TokenCard struct {
	ID, Path, Name   string
	Prefix, LastFour string
	Status           string // "Active", "Expires soon", "Inactive", "Expired", "Revoked"
	Created          Time
	CreatedBy        string
	Expires          Time // zero: never
	Soon             bool
	Revoked          Time // zero: it was not
	RevokedBy        string
	Reason           string
	Calls            int64
	Refused          int64
	LastUsed         Time
	LastFrom         string
	Days             []int  // accepted calls a day, oldest first; 14 of them
	Product          string // empty where the workspace has only one
	Person           string // whose automation token it is; empty where that is clear
	Named            bool   // a link leads to where its name is changed
	MayRegenerate    bool
	MayHistory       bool // the reader may read its events
	InUse            bool // used so recently that its end will be noticed
}

func (t TokenCard) ended() bool { return t.Status == "Revoked" }

// TokenForm is the form that makes a token.
type TokenForm struct {
	Path, Workspace string // of the list; the workspace's name
	FormID          string
	Form            Form
	Chosen          []string // scopes that were ticked
	Products        []Option // to choose from, before there is anything else to fill in
	Product         Option   // that was chosen; empty where there is only one
	Presets         []Preset
	Periods         []Option // in place of Presets, for an automation token
	Zone            string
	Resources       []ScopeGroup
	Policy          string // what Admins decided about how long it may live; empty: nothing
	AskEnd          bool   // the one that is regenerated cannot keep its end
}

// Preset is an expiration that is offered, and what it comes to.
type Preset struct {
	Value, Text string
	Ends        string // "19 Feb 2027, 09:00"
}

// ScopeGroup is a resource with its operations.
type ScopeGroup struct {
	Name, Path string
	Operations []ScopeOption
}

// ScopeOption is an operation, and its name for those who do not see what it stands beside.
type ScopeOption struct{ Value, Text, Label string }

func (f TokenForm) has(scope string) bool {
	for _, chosen := range f.Chosen {
		if chosen == scope {
			return true
		}
	}
	return false
}

// form is what was typed, and before that what is suggested: a token that ends.
func (f TokenForm) form() Form { return f.Form.or("expiration", f.suggested()).or("access", "all") }

// suggested is three months, or the longest of what Admins let people choose.
func (f TokenForm) suggested() string {
	longest := "custom"
	for _, preset := range f.Presets {
		if preset.Value == "3mo" {
			return preset.Value
		}
		if preset.Ends != "" {
			longest = preset.Value
		}
	}
	return longest
}

// TokenPage is everything about one token.
type TokenPage struct {
	Card      TokenCard
	ActsAs    string // the person whose rights an automation token has; empty for an API token
	Form      Form   // name
	List      string
	Access    []ScopeGroup // nil: every resource
	Gone      []string     // scopes that its product no longer has
	Chart     []ChartDay
	History   []Entry
	AllEvents string // where the rest of the history is; empty: here is all of it
}

// ChartDay is a day of a chart.
type ChartDay struct {
	Text              string // "23 Oct"
	Accepted, Refused int64
}

// TokenReveal is the one answer that carries the secret of a workspace's token.
type TokenReveal struct {
	Secret           string // the whole token; written into the page exactly once
	Title            string
	Card             TokenCard
	Workspace        string
	Access, AccessIn string // "3 operations", "Knowledge Base, Storage"
	Replaced         bool   // the one before says so from now on
	Receipt          string // since when, and which servers said so
	Try              string // the path of a first call; empty: there is none without a name in it
}

func (r TokenReveal) sub() []Part {
	parts := []Part{{Text: r.Card.Name + ", for " + r.Workspace}}
	if r.Replaced {
		parts = append(parts, Part{Text: ". The token before is refused from now on."}, Part{Text: after(r.Receipt)})
	}
	if r.Card.Status == "Inactive" {
		parts = append(parts, Part{Text: " It is inactive: activate it before you use it."})
	}
	return parts
}

// sub says where else a token belongs, on its card: what it opens, or whose it is.
func (t TokenCard) sub() string {
	text := ""
	for _, part := range []string{t.Product, t.Person} {
		if part != "" {
			text += " · " + part
		}
	}
	return text
}

// use is the evidence to look at before a secret ends.
func (t TokenCard) use() []Part {
	return []Part{plain("Still in use: last request "), strong(t.LastUsed.Relative), plain(", from " + t.LastFrom + ".")}
}

// period is what was chosen in the form of an automation token, and before that what is suggested: a day.
func (f TokenForm) period() Form {
	return f.Form.or("expiration_period", string(models.DefaultPeriod)).in("automation")
}

// shown is the form as its page has it, where what is wrong leads to the fields.
func (f TokenForm) shown() Form {
	if len(f.Periods) > 0 {
		return f.period()
	}
	return f.Form
}

// opener are the attributes of a link to a form that may also be a dialog of the page.
func opener(dialog string, here, back bool) templ.Attributes {
	switch {
	case here:
		return opens(dialog)
	case back:
		return templ.Attributes{"data-opener": true}
	}
	return nil
}

func (p Page) token(path, text string) Page {
	p = p.settings("API tokens", NavTokens)
	p.Crumbs[len(p.Crumbs)-1].Href = path
	p.Title, p.Crumbs = text, append(p.Crumbs, Crumb{Text: text})
	return p
}

func (t TokenCard) asksRevoke(f Form, list string) question {
	return question{
		id: "revoke", title: "Revoke " + t.Name + "?", action: t.Path + "/revoke", verb: "Revoke token", glyph: "ban", kind: "stop",
		keep: "Cancel", back: list, body: revokeTokenBody(t, f),
	}
}

func (t TokenCard) asksRegenerate(f TokenForm, list string) question {
	return question{
		id: "regenerate", title: "Regenerate " + t.Name + "?", action: t.Path + "/regenerate", verb: "Regenerate", glyph: "rotate", kind: "primary",
		keep: "Cancel", back: list, body: regenerateBody(t, f),
	}
}

// chart geometry: a viewBox of 1000 by 200.
const (
	chartWide = 1000.0
	chartHigh = 200.0
)

type chartBar struct{ x, width, barX, barWidth, acceptedY, acceptedHigh, refusedY, refusedHigh, title string }

func chartTop(days []ChartDay) int64 {
	top := int64(4)
	for _, d := range days {
		top = max(top, d.Accepted+d.Refused)
	}
	return (top + 3) / 4 * 4
}

func chartBars(days []ChartDay) []chartBar {
	top, step := float64(chartTop(days)), chartWide/float64(len(days))
	place := func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
	bars := make([]chartBar, len(days))
	for i, d := range days {
		x, accepted, refused := float64(i)*step, float64(d.Accepted)/top*chartHigh, float64(d.Refused)/top*chartHigh
		bars[i] = chartBar{
			place(x), place(step), place(x + step*.22), place(step * .56),
			place(chartHigh - accepted), place(accepted), place(chartHigh - accepted - refused), place(refused),
			d.Text + ": " + count(d.Accepted) + " accepted, " + count(d.Refused) + " refused",
		}
	}
	return bars
}

func chartSentence(days []ChartDay) string {
	var accepted, refused int64
	for _, d := range days {
		accepted, refused = accepted+d.Accepted, refused+d.Refused
	}
	return "Requests a day over " + plural(len(days), "day", "days") + ": " + count(accepted) + " accepted and " + count(refused) + " refused in all"
}

// chartAxis are four days under the chart, the first and the last among them.
func chartAxis(days []ChartDay) []string {
	last := len(days) - 1
	return []string{days[0].Text, days[last/3].Text, days[last*2/3].Text, days[last].Text}
}

func chartSteps(days []ChartDay) []string {
	top := chartTop(days)
	return []string{count(top), count(top * 3 / 4), count(top / 2), count(top / 4), "0"}
}

// fingerprintKept is what stays of a token.
const fingerprintKept = "We keep a fingerprint, not the token."

// shellWord is an address as a shell takes it: what it would expand stands in quotes.
func shellWord(address string) string {
	if strings.ContainsAny(address, "?*&[]") {
		return `"` + address + `"`
	}
	return address
}
