package views

// Sentences with something set apart in them are put together here and drawn by say, because in
// templ the white space between a word and a component is easily one too many or one too few.

func plain(text string) Part       { return Part{Text: text} }
func strong(text string) Part      { return Part{Text: text, Strong: true} }
func mono(text string) Part        { return Part{Text: text, Mono: true} }
func when(t Time) Part             { return Part{Text: t.Text, at: t.ISO} }
func prefixPart(first string) Part { return mono(first + "...") }

// changed is "Last changed 11 Jun 2026."
func (s Security) changed() []Part {
	return []Part{plain("Last changed "), when(s.PasswordChanged), plain(".")}
}

func (row SessionRow) from() []Part {
	parts := []Part{plain(row.Address + " · signed in "), when(row.Started)}
	if row.Workspace != "" {
		parts = append(parts, plain(" · in "+row.Workspace))
	}
	return parts
}

func (v Reveal) sub(name string) []Part {
	parts := []Part{plain("For " + name + ".")}
	if v.Replaced != "" {
		parts = append(parts, plain(" The previous token, "), prefixPart(v.Replaced), plain(", no longer works."), plain(after(v.Receipt)))
	}
	return parts
}

// after is a sentence behind another one.
func after(sentence string) string {
	if sentence == "" {
		return ""
	}
	return " " + sentence
}

func (s Shown) sentence() []Part {
	parts := []Part{plain("It was created before.")}
	if !s.Made.IsZero() {
		parts = []Part{plain("It was created on "), when(s.Made), plain(".")}
	}
	return append(parts, plain(" Its secret was shown once and can’t be shown again. If it wasn’t stored, create a new "+s.noun()+"."))
}

// stops names what a new token puts out of use.
func (b Bearer) stops() []Part {
	return []Part{
		plain("Creating a new token replaces the previous one. Any tool still using "),
		prefixPart(b.Prefix), plain(" stops working at once."),
	}
}

func (b Bearer) refused() []Part {
	return []Part{
		plain("Requests that use "), prefixPart(b.Prefix),
		plain(" are refused from the next second. A revoked token can’t be switched back on."),
	}
}

// use is the evidence to look at before a token is ended.
func (b Bearer) use() []Part {
	if b.LastUsed.IsZero() {
		return []Part{plain("Not used yet.")}
	}
	parts := []Part{plain("Last request "), strong(b.LastUsed.Relative)}
	if b.InUse {
		parts[0] = plain("Still in use: last request ")
	}
	if b.LastFrom != "" {
		parts = append(parts, plain(" from "), mono(b.LastFrom))
	}
	return append(parts, plain("."))
}

// ending tells how an earlier token ended: "Revoked 2 Mar 2026 by Ines Moreau: “Found in a chat”".
func (e PastBearer) ending() []Part {
	parts := []Part{plain(e.Status + " "), when(e.Ended)}
	if e.EndedBy != "" {
		parts = append(parts, plain(" by "+e.EndedBy))
	}
	if e.Reason != "" {
		parts = append(parts, plain(": “"+e.Reason+"”"))
	}
	return parts
}

// after counts what still arrives with a token that ended.
func (e PastBearer) after() string {
	if e.CallsAfter == 0 {
		return "no calls since"
	}
	return plural(e.CallsAfter, "refused call", "refused calls") + " since"
}

// life says where an automation token is for, and for how long.
func (t AutomationRow) life() []Part {
	where := "In " + t.Workspace
	if t.Workspace == "" {
		where = "In a workspace that was deleted"
	}
	parts := []Part{plain(where + " · created "), when(t.Created)}
	switch {
	case !t.Revoked.IsZero():
		return append(parts, plain(" · revoked "), when(t.Revoked))
	case t.Expires.IsZero():
		return append(parts, plain(" · never expires"))
	case t.Status == "Expired":
		return append(parts, plain(" · expired "), when(t.Expires))
	}
	return append(parts, plain(" · expires "), when(t.Expires))
}

// ended says whose tokens are on the page of those that ended.
func (r Record) ended() string {
	return "Bearer tokens of " + r.Name + " that were replaced, revoked or expired. None of these works any more. " +
		"Calls that still arrive with one are refused and counted."
}

// noBearer stands where the card of the live token would be.
func (r Record) noBearer() string {
	if len(r.Earlier) > 0 {
		return "No working bearer token. The earlier ones are below."
	}
	return "No bearer token yet."
}

// reach says what the token may do now, or why there cannot be one.
func (r Record) reach() string {
	first := firstName(r.Name)
	switch {
	case !r.Active && r.Bearer == nil:
		return "A new token can be created when " + first + " is activated again."
	case !r.Active:
		return "Every request with it is refused, because " + first + " is deactivated."
	case r.Role == "Admin":
		return "Works on admin endpoints, because " + first + " has Admin access."
	}
	return "Requests that need Admin access are answered “Admin access required”, because " + first + " is a Member."
}

// signedIn counts the sessions of the person.
func (r Record) signedIn() string {
	first := firstName(r.Name)
	if r.Sessions == 0 {
		return first + " is not signed in anywhere."
	}
	return first + " has " + plural(r.Sessions, "open session", "open sessions") + "."
}

// deactivated says what being deactivated means, on the record of someone who is.
func (r Record) deactivated() []Part {
	parts := []Part{plain(firstName(r.Name) + " is deactivated")}
	if !r.Deactivated.IsZero() {
		parts = append(parts, plain(", since "), when(r.Deactivated))
	}
	return append(parts, plain(". They can’t sign in, and their credentials are refused."))
}

// endsForGood says what activating again does not bring back.
func (r Record) endsForGood() string {
	if r.LiveAutomation == "" {
		return ""
	}
	return r.LiveAutomation + " of theirs will end for good: being active again does not bring them back."
}

func (r Record) deactivation() string {
	if r.Credentials == 0 {
		return "They are signed out everywhere and can’t sign in while deactivated. Nothing is deleted, and you can lift it at any time."
	}
	return "They are signed out everywhere and their " +
		plural(r.Credentials, "working credential is", "working credentials are") +
		" refused while deactivated. Nothing is deleted, and you can lift it at any time."
}

func (r Record) signOut() string {
	if r.IsYou {
		return "You have " + plural(r.Sessions, "open session", "open sessions") +
			". All of them end at once, this one too, and you sign in again with your password. Bearer tokens keep working."
	}
	return r.signedIn() + " All of it ends at once, and they sign in again with their password. Bearer tokens keep working."
}
