package models

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Workspace is where collections and credentials live.
type Workspace struct {
	ID        string `gorm:"primaryKey"`
	Slug      string // in paths; unique, and never changed
	Name      string
	CreatedAt time.Time `gorm:"autoCreateTime:false"`

	DeletedAt              *time.Time
	APICallsAMinute        int `gorm:"column:api_calls_a_minute"` // of each API token
	UserCallsAMinute       int // of each sign-in
	AutomationCallsAMinute int // of each automation token; at least as many as of a sign-in
}

// How many calls a minute each of a kind may make until somebody says otherwise.
const (
	DefaultAPICalls        = 600
	DefaultUserCalls       = 50
	DefaultAutomationCalls = 300
)

// ManagementCalls is how many calls a minute a person's API keys and bearer token may make together to the management API.
const ManagementCalls = 300

// BornWorkspace is a workspace as it begins. Its slug is the name's, as long as nobody else has it.
func BornWorkspace(id, name string, at time.Time) Workspace {
	return Workspace{
		ID: id, Slug: Slug(name), Name: name, CreatedAt: at,
		APICallsAMinute: DefaultAPICalls, UserCallsAMinute: DefaultUserCalls, AutomationCallsAMinute: DefaultAutomationCalls,
	}
}

// CallsAMinute is how many each credential of a kind may make.
func (w Workspace) CallsAMinute(kind CredentialKind) int {
	switch kind {
	case AutomationToken:
		return w.AutomationCallsAMinute
	case SignInToken:
		return w.UserCallsAMinute
	}
	return w.APICallsAMinute
}

// WorkspaceRole is a person's role in one workspace.
type WorkspaceRole string

const (
	WorkspaceOwner  WorkspaceRole = "Owner"
	WorkspaceAdmin  WorkspaceRole = "Admin"
	WorkspaceMember WorkspaceRole = "Member"
)

// Membership is a person's place in a workspace. A workspace has exactly one Owner.
type Membership struct {
	WorkspaceID string `gorm:"primaryKey"`
	PersonID    string `gorm:"primaryKey"`
	Role        WorkspaceRole
	NameKey     string    // the person's, by which members are listed
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// MemberSeen is a membership as a page shows it.
type MemberSeen struct {
	Membership
	Name, Email string
	Active      bool
}

// NewMember is the input of adding somebody to a workspace.
type NewMember struct {
	Email string
	Role  WorkspaceRole
}

// Clean trims what was typed and tells everything that is wrong with it.
func (n *NewMember) Clean() Problems {
	var p Problems
	n.Email = strings.TrimSpace(n.Email)
	p.Add(n.Email == "", "email", "Enter an email address.")
	p.Add(!validEmail(n.Email), "email", "Enter an email address in the format name@example.com.")
	p.Add(!n.Role.Given(), "role", "Choose a role.")
	return p
}

// Given says whether it is a role that is given to a member. There is one Owner, whom another one makes it.
func (r WorkspaceRole) Given() bool { return r == WorkspaceAdmin || r == WorkspaceMember }

// WorkspaceSeen is a workspace as one person sees it.
type WorkspaceSeen struct {
	Workspace
	Role WorkspaceRole // empty for an Admin of the installation who is no member
}

// NewWorkspace is the input of a workspace's creation, and of its renaming.
type NewWorkspace struct{ Name string }

// Clean trims what was typed and tells everything that is wrong with it.
func (n *NewWorkspace) Clean() Problems {
	var p Problems
	n.Name = CleanText(n.Name)
	p.Add(n.Name == "", "workspace", "Enter a workspace name.")
	p.Add(utf8.RuneCountInString(n.Name) > 60, "workspace", "Workspace name must be 60 characters or fewer.")
	p.Add(!Printable(n.Name), "workspace", "Workspace name has characters that can't be shown. Type it again.")
	return p
}

// Slug makes the path form of a name: lower-case letters, digits and single hyphens, at most 40
// characters; "workspace" where nothing is left, or what is left would be an ID.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 40 {
			break
		}
	}
	slug := strings.Trim(b.String(), "-")
	if slug == "" || ValidID(slug) { // a path names a workspace by either
		return "workspace"
	}
	return slug
}

// CallLimits is the input of limiting a workspace's calls: how many a minute each of a kind may make.
type CallLimits struct{ API, User, Automation int }

// MostCallsAMinute is as many as there is any point in counting.
const MostCallsAMinute = 1_000_000

// Clean tells what is wrong with the numbers.
func (l *CallLimits) Clean() Problems {
	var p Problems
	for _, n := range []struct {
		field, what string
		calls       int
	}{{"calls_a_minute", "Calls of an API token", l.API}, {"user_calls_a_minute", "Calls of a sign-in", l.User}, {"automation_calls_a_minute", "Calls of an automation token", l.Automation}} {
		p.Add(n.calls < 1 || n.calls > MostCallsAMinute, n.field, n.what+" must be a whole number from 1 to 1,000,000.")
	}
	p.Add(len(p) == 0 && l.Automation < l.User, "automation_calls_a_minute", "An automation token may make at least as many calls as a sign-in. Raise this one, or lower the other.")
	return p
}
