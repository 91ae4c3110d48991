package views

// PeopleList is one page of the list of people, with what was asked for.
type PeopleList struct {
	Rows            []PersonRow
	Q, Role, Status string // the filter: Role "", "Admin", "Member"; Status "", "active", "deactivated"
	Begins          bool   // so few letters are looked for at the beginning of names alone
	Count           string // "24 people", "1,000+ people"
	FirstHref       string // the first page; empty on it
	MoreHref        string // the next page; empty at the end
}

// PersonRow is a person in a list. Bearer parts are empty when there is no live token.
type PersonRow struct {
	ID, Name, Email, Initials, Role string
	Active                          bool
	BearerPrefix, BearerLastFour    string
	LastActive                      Time // zero: never signed in
}

func personStatus(active bool) string {
	if active {
		return "Active"
	}
	return "Deactivated"
}

func nobodyTitle(l PeopleList) string {
	if l.Q != "" {
		return "No one matches “" + l.Q + "”"
	}
	return "No one matches"
}

func nobodyHelp(l PeopleList) string {
	if l.Begins && l.Q != "" {
		return "Fewer than three letters are searched for at the beginning of names. Type one more to search inside names and addresses."
	}
	return "Check the spelling, or search by email address."
}
