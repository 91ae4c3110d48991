package models

import "time"

// ActorKind says through which door somebody came.
type ActorKind string

const (
	Guest   ActorKind = "guest"   // nobody is signed in
	Human   ActorKind = "person"  // a person's browser session
	Program ActorKind = "program" // a credential, or a program that signed in; its rights are its owner's, now
	Command ActorKind = "command" // the command line on the server's own machine
	System  ActorKind = "system"  // the server itself
)

// Actor is whoever asks for a change, and where from. Every store method that changes something
// takes one, and every event keeps it.
type Actor struct {
	Kind         ActorKind
	ID           string     // the person's ID; empty for guests, commands and the system
	Name         string     // as it was at the time; for a command the operating system's user
	Role         Role       // the person's role now
	SessionID    string     // of a Human, and of a Program that signed in: the session's ID (not its secret)
	CredentialID string     // of a Program: the credential that it presented
	Within       string     // of a Program whose credential is for one workspace: its ID. The role is a Member's then
	Until        *time.Time // when that credential ends; nil: never. What it makes ends no later (security rule T10)
	Reads        string     // of a Program with a collection access key: the ID of the collection, and nobody's ID
	Once         string     // the one-use number of what it asks for, which the write uses up; empty: it may be asked for again
	Address      string     // the caller's IP address, as far as trusted
	RequestID    string     // unique for each attempt
}

// What a role may do. Every right of the product is a method here and a row in the table of
// actor_test.go; nothing else compares roles.

// admin is an active Admin of the installation, in a browser or with a credential, or somebody
// who has the server's own command line and with it the database.
func (a Actor) admin() bool {
	return a.Kind == Command || ((a.Kind == Human || a.Kind == Program) && a.Role == Admin)
}

// MayManagePeople covers the list under People, adding, editing, deactivating, and ending sessions.
func (a Actor) MayManagePeople() bool { return a.admin() }

// MayCreateBearerTokens covers creating and revoking the bearer token of anybody. It needs a
// browser: a credential must not beget another one that outlives it (security rule T10).
func (a Actor) MayCreateBearerTokens() bool { return a.Kind == Human && a.Role == Admin }

// MayRevoke covers ending a credential of anybody.
func (a Actor) MayRevoke() bool { return a.admin() }

// MayReadAudit covers the audit log of the installation.
func (a Actor) MayReadAudit() bool { return a.admin() }

// MayReadWorkspaceAudit covers the events of one workspace.
func (a Actor) MayReadWorkspaceAudit(membership WorkspaceRole) bool {
	return a.MayReadAudit() || membership == WorkspaceOwner || membership == WorkspaceAdmin
}

// MayInstall covers installing a collection into any workspace, making an earlier version current, and
// deleting one.
func (a Actor) MayInstall() bool { return a.admin() }

// MayCreateWorkspaces covers making a workspace. Whoever makes one is its Owner, so it takes a person.
func (a Actor) MayCreateWorkspaces() bool { return a.person() && a.Role == Admin }

// MayOpenWorkspace covers reading a workspace's settings; membership is empty for a person who
// has none there.
func (a Actor) MayOpenWorkspace(membership WorkspaceRole) bool { return a.admin() || membership != "" }

// MayEditWorkspace covers changing a workspace's settings.
func (a Actor) MayEditWorkspace(membership WorkspaceRole) bool {
	return a.admin() || membership == WorkspaceOwner || membership == WorkspaceAdmin
}

// MayManageMembers covers adding people to a workspace, changing their role there, and removing them; its Owner is
// changed by MayHandOver alone.
func (a Actor) MayManageMembers(membership WorkspaceRole) bool {
	return a.admin() || membership == WorkspaceOwner || membership == WorkspaceAdmin
}

// MayManageTokens covers seeing a workspace's API tokens and what is done with them, but for making one's secret known.
func (a Actor) MayManageTokens(membership WorkspaceRole) bool { return a.MayEditWorkspace(membership) }

// MayMintTokens covers creating and regenerating API tokens. What a program makes so lives no longer than what it came with.
func (a Actor) MayMintTokens(membership WorkspaceRole) bool {
	return a.person() && a.MayManageTokens(membership)
}

// person says whether somebody acts, in a browser or by a program.
func (a Actor) person() bool { return (a.Kind == Human || a.Kind == Program) && a.ID != "" }

// MayHaveKeys covers one's own API keys. They are for everywhere, so that what is for one workspace makes none and changes none.
func (a Actor) MayHaveKeys() bool { return a.person() && a.Within == "" }

// MayShare covers making a collection access key of a collection in a workspace.
func (a Actor) MayShare(membership WorkspaceRole) bool {
	return a.person() && a.MayOpenWorkspace(membership)
}

// MayEndShare covers revoking a collection access key: one's own, and for whoever runs the workspace anybody's.
func (a Actor) MayEndShare(membership WorkspaceRole, maker string) bool {
	return a.MayEditWorkspace(membership) || a.person() && membership != "" && a.ID == maker
}

// MaySetPolicy covers what holds for everybody's credentials.
func (a Actor) MaySetPolicy() bool { return a.admin() }

// MaySeeCredentials covers the list of all credentials of the installation.
func (a Actor) MaySeeCredentials() bool { return a.admin() }

// MayMintAutomation covers creating automation tokens of one's own in a workspace. It takes the password, in a browser or of a
// program that signed in.
func (a Actor) MayMintAutomation(membership WorkspaceRole) bool {
	return membership != "" && (a.Kind == Human || a.Kind == Program && a.SessionID != "")
}

// MayManageAutomation covers seeing a person's automation token of a workspace and what is done with it, but for making its secret
// known: that of one's own, and for whoever manages the workspace's API tokens anybody's.
func (a Actor) MayManageAutomation(membership WorkspaceRole, personID string) bool {
	return a.MayManageTokens(membership) || membership != "" && (a.Kind == Human || a.Kind == Program) && a.ID == personID
}

// MayRegenerateAutomation covers giving a person's automation token another secret. It takes that person, who is still a member, in a
// browser: anybody else, an Admin too, would come to a credential that acts as another person.
func (a Actor) MayRegenerateAutomation(membership WorkspaceRole, personID string) bool {
	return a.Kind == Human && a.ID == personID && membership != ""
}

// MayEditResources covers a workspace's products: their names, and what tokens may reach of them.
func (a Actor) MayEditResources(membership WorkspaceRole) bool { return a.MayEditWorkspace(membership) }

// MayPointProducts covers where a product's calls go. The address may be one that only this server can reach, so it is
// not for everybody who owns a workspace.
func (a Actor) MayPointProducts() bool { return a.admin() }

// MayDeleteWorkspace covers deleting a workspace.
func (a Actor) MayDeleteWorkspace(membership WorkspaceRole) bool {
	return a.admin() || membership == WorkspaceOwner
}

// MayHandOver covers making another member the Owner of a workspace.
func (a Actor) MayHandOver(membership WorkspaceRole) bool {
	return a.admin() || membership == WorkspaceOwner
}
