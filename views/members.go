package views

// MemberList is one page of a workspace's members.
type MemberList struct {
	Rows                []MemberRow
	Path                string // of the list, and where somebody is added
	MayManage           bool
	Form                Form   // email, role
	Count               string // "9 members"
	FirstHref, MoreHref string // empty on the first page, at the end
}

// MemberRow is a member in a list, and what may be done with the membership.
type MemberRow struct {
	ID, Name, Email, Initials, Role string // Email is empty for who may not know it
	Href                            string // the person's record; may be empty
	Path                            string // of what is done with the membership
	Active, You                     bool
	Added                           Time
	MayChange, MayRemove, MayOwn    bool

	Workspace   string // its name, where something is asked about this member
	AskPassword bool
}

func (m MemberRow) page(p Page, text string) Page {
	p = p.settings("Members", NavSettings)
	p.Crumbs[len(p.Crumbs)-1].Href = p.Workspace.Members()
	p.Title, p.Crumbs = text, append(p.Crumbs, Crumb{Text: text})
	return p
}

func (m MemberRow) asksRemove(back string) question {
	q := question{
		id: "remove", title: "Remove " + m.Name + " from " + m.Workspace + "?", action: m.Path + "/remove", verb: "Remove " + m.Name, glyph: "ban", kind: "stop",
		keep: "Keep member", back: back, body: removeBody(m),
	}
	if m.You {
		q.title, q.verb, q.keep = "Leave "+m.Workspace+"?", "Leave workspace", "Stay"
	}
	return q
}

func (m MemberRow) asksOwner(f Form, back string) question {
	return question{
		id: "owner", title: "Make " + m.Name + " the Owner of " + m.Workspace + "?", action: m.Path + "/hand-over", verb: "Make Owner", kind: "stop",
		keep: "Keep the Owner", back: back, ask: m.AskPassword, body: ownerBody(m, f),
	}
}
