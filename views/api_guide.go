package views

import "strings"

// APIGuide is what the page that leads through the account API needs besides the installation's address.
type APIGuide struct {
	Email      string
	Workspaces []APIWorkspace // those that the reader is a member of
	Periods    []APIPeriod
	Limits     string // of the calls, in a sentence
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
	{"403 You are in your own workspace", "The token that you wanted is for another workspace: switch to it first (step 2)."},
	{"429 Too many requests", "Wait as many seconds as the field Retry-After says."},
}

// switchTo is the workspace that the guide switches to: the first one that is not the reader's own, for which switching is needed.
func (g APIGuide) switchTo() string {
	for _, w := range g.Workspaces {
		if w.Role != "Owner" {
			return w.ID
		}
	}
	if len(g.Workspaces) > 0 {
		return g.Workspaces[0].ID
	}
	return "WORKSPACE_ID"
}

// quoted is a word of a shell, whatever is in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
