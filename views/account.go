package views

// Security is the page of one's own password and sessions.
type Security struct {
	PasswordChanged Time
	Password        Form // current_password, new_password
	SignOut         Form // current_password; sent to end one session or all
	AskPassword     bool // ending sessions asks for the password
	Sessions        []SessionRow
	Ends            string   // the automation tokens that a new password ends, "3 automation tokens"; empty where there is none
	Zone            Form     // time_zone
	ZoneNow         string   // the one that is set
	Zones           []string // to choose from
	Now             string   // the time there
}

// SessionRow is one sign-in, of a browser or of a program.
type SessionRow struct {
	ID         string
	Agent      string // "Firefox on Linux", "Program (curl)"
	Workspace  string // in which a program is; empty for a browser
	Address    string
	Started    Time
	LastActive Time
	Current    bool // this very one
}
