package views

// General is the first tab of a workspace's settings.
type General struct {
	Name, Slug string
	MayEdit    bool
	MayDelete  bool
	Form       Form // name
	Limits     Form // calls_a_minute, user_calls_a_minute, automation_calls_a_minute

	Calls, UserCalls, AutomationCalls string // a minute, of each API token, sign-in and automation token
}

// WorkspaceEnd asks before a workspace is deleted.
type WorkspaceEnd struct {
	Name, Path, Back string
	Tokens           string // those that are in the way, "3 tokens"; empty: none
	Form             Form   // typed
}

func (e WorkspaceEnd) asks() question {
	return question{
		id: "delete", title: "Delete " + e.Name + "?", action: e.Path, verb: "Delete workspace", glyph: "ban", kind: "stop",
		keep: "Keep workspace", back: e.Back, body: workspaceEndBody(e),
	}
}

// CollectionList is one page of a workspace's collections.
type CollectionList struct {
	Rows       []CollectionRow
	Count      string // "4 of 12 versions"; may be empty
	OlderHref  string
	NewestHref string // set on every page but the first
	Upload     Upload
}

// CollectionRow is one installed version of a collection.
type CollectionRow struct {
	Name, Description          string
	Version                    int    // counted here, from 1
	Label                      string // what the manifest calls the version; may be empty
	Size                       string // "1.2 MB"
	Entries                    int
	SHA256                     string // 64 hex digits
	FileName                   string
	Installed                  Time
	By, ByHref                 string
	TokenPrefix, TokenLastFour string // empty: installed in the console
	Href                       string // the collection's own page
}

// settings puts the title, place and breadcrumb of a tab of the workspace's settings on a page.
func (p Page) settings(tab, nav string) Page {
	crumbs := []Crumb{p.home(), {Text: "Settings"}, {Text: tab}}
	if p.Workspace != nil {
		crumbs[1].Href = p.Workspace.Settings()
	}
	return p.as(tab, nav, crumbs...)
}

// shortHash shows both ends of a digest, which is enough to compare by eye.
func shortHash(sum string) string {
	if len(sum) <= 16 {
		return sum
	}
	return sum[:8] + "…" + sum[len(sum)-4:]
}
