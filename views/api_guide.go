package views

import "strings"

// APIGuide is what the page that leads through the account API needs besides the installation's address.
type APIGuide struct {
	Email      string
	Workspaces []APIWorkspace // those that the reader is a member of
	Here       APIWorkspace   // of them the one that is open in the console, or the first; the zero value where there is none
	Try        string         // path and query of a call that its product answers; empty where there is none
	Periods    []APIPeriod    // those that the policy allows
	Decided    string         // what it says of them; empty: nothing
	Limits     string         // of the calls, in a sentence
}

// APIWorkspace is a workspace as the account API tells of it.
type APIWorkspace struct{ Name, Role, ID string }

// APIPeriod is a value of expiration_period and what it means.
type APIPeriod struct{ Value, Meaning string }

// between is what stands behind a value in their list.
func (p APIPeriod) between(i, n int) string {
	after := ", "
	switch i {
	case n - 2:
		after = " and "
	case n - 1:
		after = "."
	}
	return " (" + p.Meaning + ")" + after
}

// postman is where the collection is.
func (p Page) postman() string { return p.Address + "/postman_collection.json" }

// apiErrors are the answers that the guide explains: what it says, and what to do.
var apiErrors = [][2]string{
	{"401 Incorrect JWT token", "The sign-in token is over (it lives for 30 minutes, or until the next one), or it was not sent. Sign in again, and send it as Authorization: Bearer."},
	{"400 Invalid refresh token", "Each refresh token is for one use: take the one of the last answer. One that comes a second time ends the whole sign-in; then sign in again."},
	{"400 Incorrect expiration period", "Use one of the values above, spelled as they are."},
	{"You are in your own workspace", "Of a new automation token: it was made, and is for your own workspace. For another one, switch first (step 2). With workspace_id in the call, it is refused with 403 instead."},
	{"429 Too many requests", "Wait as many seconds as the field Retry-After says."},
}

// quoted is a word of a shell, whatever is in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
