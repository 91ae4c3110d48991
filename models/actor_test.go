package models

import (
	"reflect"
	"strings"
	"testing"
)

// Who may do what. A right that is not in this table fails the test, and so does an actor who may do
// more or less than it says (T9: rights are the owner's role now; T10: no credential begets another).
func TestRights(t *testing.T) {
	actors := []Actor{
		{},
		{Kind: Guest},
		{Kind: Guest, ID: "p", Role: Admin}, // a role without a door is nothing
		{Kind: System},
		{Kind: Human, ID: "p", Role: Member},
		{Kind: Program, ID: "p", Role: Member},
		{Kind: Human, ID: "p", Role: "admin"}, // roles are spelled in one way
		{Kind: Human, ID: "p", Role: Admin},
		{Kind: Program, ID: "p", Role: Admin},
		{Kind: Command},
		{Kind: Program, ID: "p", Role: Member, SessionID: "s"}, // that signed in
	}
	const ( // one letter an actor: may, or may not
		admins   = "-------YYY-"
		browsers = "-------Y---"
		members  = "YYYYYYYYYYY" // whoever is a member of the workspace in question
		people   = "----Y-YY---" // the same, in a browser
		signedIn = "----Y-YY--Y" // the same, or of a program that has the password
		theirs   = "----YYYYYYY" // whoever p is, through any door, and the command line
		doors    = "----YYYYY-Y" // the same, through any door
		adminToo = "-------YY--" // Admins, through any door of a person
		nobody   = "-----------"
	)
	rights := []struct {
		name string
		may  func(Actor) bool
		who  string
	}{
		{"MayManagePeople", Actor.MayManagePeople, admins},
		{"MayCreateBearerTokens", Actor.MayCreateBearerTokens, browsers},
		{"MayRevoke", Actor.MayRevoke, admins},
		{"MayReadAudit", Actor.MayReadAudit, admins},
		{"MayInstall", Actor.MayInstall, admins},
		{"MayCreateWorkspaces", Actor.MayCreateWorkspaces, adminToo},
		{"MayManageMembers", in("", Actor.MayManageMembers), admins},
		{"MayManageMembers", in(WorkspaceMember, Actor.MayManageMembers), admins},
		{"MayManageMembers", in(WorkspaceAdmin, Actor.MayManageMembers), members},
		{"MayManageMembers", in(WorkspaceOwner, Actor.MayManageMembers), members},
		{"MayHandOver", in("", Actor.MayHandOver), admins},
		{"MayHandOver", in(WorkspaceMember, Actor.MayHandOver), admins},
		{"MayHandOver", in(WorkspaceAdmin, Actor.MayHandOver), admins},
		{"MayHandOver", in(WorkspaceOwner, Actor.MayHandOver), members},
		{"MayOpenWorkspace", in("", Actor.MayOpenWorkspace), admins},
		{"MayOpenWorkspace", in(WorkspaceMember, Actor.MayOpenWorkspace), members},
		{"MayOpenWorkspace", in(WorkspaceAdmin, Actor.MayOpenWorkspace), members},
		{"MayOpenWorkspace", in(WorkspaceOwner, Actor.MayOpenWorkspace), members},
		{"MayReadWorkspaceAudit", in("", Actor.MayReadWorkspaceAudit), admins},
		{"MayReadWorkspaceAudit", in(WorkspaceMember, Actor.MayReadWorkspaceAudit), admins},
		{"MayReadWorkspaceAudit", in(WorkspaceAdmin, Actor.MayReadWorkspaceAudit), members},
		{"MayReadWorkspaceAudit", in(WorkspaceOwner, Actor.MayReadWorkspaceAudit), members},
		{"MayEditWorkspace", in("", Actor.MayEditWorkspace), admins},
		{"MayEditWorkspace", in(WorkspaceMember, Actor.MayEditWorkspace), admins},
		{"MayEditWorkspace", in(WorkspaceAdmin, Actor.MayEditWorkspace), members},
		{"MayEditWorkspace", in(WorkspaceOwner, Actor.MayEditWorkspace), members},
		{"MayPointProducts", Actor.MayPointProducts, admins},
		{"MayManageTokens", in("", Actor.MayManageTokens), admins},
		{"MayManageTokens", in(WorkspaceMember, Actor.MayManageTokens), admins},
		{"MayManageTokens", in(WorkspaceAdmin, Actor.MayManageTokens), members},
		{"MayManageTokens", in(WorkspaceOwner, Actor.MayManageTokens), members},
		{"MayMintTokens", in("", Actor.MayMintTokens), adminToo},
		{"MayMintTokens", in(WorkspaceMember, Actor.MayMintTokens), adminToo},
		{"MayMintTokens", in(WorkspaceAdmin, Actor.MayMintTokens), doors},
		{"MayMintTokens", in(WorkspaceOwner, Actor.MayMintTokens), doors},
		{"MayMintAutomation", in("", Actor.MayMintAutomation), nobody},
		{"MayMintAutomation", in(WorkspaceMember, Actor.MayMintAutomation), signedIn},
		{"MayMintAutomation", in(WorkspaceAdmin, Actor.MayMintAutomation), signedIn},
		{"MayMintAutomation", in(WorkspaceOwner, Actor.MayMintAutomation), signedIn},
		{"MayManageAutomation", inOf("", "p", Actor.MayManageAutomation), admins},
		{"MayManageAutomation", inOf("", "another", Actor.MayManageAutomation), admins},
		{"MayManageAutomation", inOf(WorkspaceMember, "p", Actor.MayManageAutomation), theirs},
		{"MayManageAutomation", inOf(WorkspaceMember, "another", Actor.MayManageAutomation), admins},
		{"MayManageAutomation", inOf(WorkspaceAdmin, "another", Actor.MayManageAutomation), members},
		{"MayManageAutomation", inOf(WorkspaceOwner, "another", Actor.MayManageAutomation), members},
		{"MayRegenerateAutomation", inOf("", "p", Actor.MayRegenerateAutomation), nobody},
		{"MayRegenerateAutomation", inOf(WorkspaceMember, "p", Actor.MayRegenerateAutomation), people},
		{"MayRegenerateAutomation", inOf(WorkspaceAdmin, "p", Actor.MayRegenerateAutomation), people},
		{"MayRegenerateAutomation", inOf(WorkspaceOwner, "p", Actor.MayRegenerateAutomation), people},
		{"MayRegenerateAutomation", inOf(WorkspaceMember, "another", Actor.MayRegenerateAutomation), nobody},
		{"MayRegenerateAutomation", inOf(WorkspaceAdmin, "another", Actor.MayRegenerateAutomation), nobody},
		{"MayRegenerateAutomation", inOf(WorkspaceOwner, "another", Actor.MayRegenerateAutomation), nobody},
		{"MayHaveKeys", Actor.MayHaveKeys, doors},
		{"MayHaveKeys", func(a Actor) bool { a.Within = "w"; return a.MayHaveKeys() }, nobody},
		{"MayShare", in("", Actor.MayShare), adminToo},
		{"MayShare", in(WorkspaceMember, Actor.MayShare), doors},
		{"MayEndShare", inOf("", "p", Actor.MayEndShare), admins},
		{"MayEndShare", inOf(WorkspaceMember, "p", Actor.MayEndShare), theirs},
		{"MayEndShare", inOf(WorkspaceMember, "another", Actor.MayEndShare), admins},
		{"MayEndShare", inOf(WorkspaceAdmin, "another", Actor.MayEndShare), members},
		{"MaySetPolicy", Actor.MaySetPolicy, admins},
		{"MaySeeCredentials", Actor.MaySeeCredentials, admins},
		{"MayEditResources", in("", Actor.MayEditResources), admins},
		{"MayEditResources", in(WorkspaceMember, Actor.MayEditResources), admins},
		{"MayEditResources", in(WorkspaceAdmin, Actor.MayEditResources), members},
		{"MayEditResources", in(WorkspaceOwner, Actor.MayEditResources), members},
		{"MayDeleteWorkspace", in("", Actor.MayDeleteWorkspace), admins},
		{"MayDeleteWorkspace", in(WorkspaceMember, Actor.MayDeleteWorkspace), admins},
		{"MayDeleteWorkspace", in(WorkspaceAdmin, Actor.MayDeleteWorkspace), admins},
		{"MayDeleteWorkspace", in(WorkspaceOwner, Actor.MayDeleteWorkspace), members},
	}
	listed := map[string]bool{}
	for _, right := range rights {
		listed[right.name] = true
		for i, who := range actors {
			if may := right.may(who); may != (right.who[i] == 'Y') {
				t.Errorf("%s of %s %q: %v", right.name, who.Kind, who.Role, may)
			}
		}
	}
	all := reflect.TypeFor[Actor]()
	for i := range all.NumMethod() {
		if name := all.Method(i).Name; strings.HasPrefix(name, "May") && !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// inOf is for rights to what is a person's.
func inOf(role WorkspaceRole, personID string, may func(Actor, WorkspaceRole, string) bool) func(Actor) bool {
	return func(a Actor) bool { return may(a, role, personID) }
}

func in(role WorkspaceRole, may func(Actor, WorkspaceRole) bool) func(Actor) bool {
	return func(a Actor) bool { return may(a, role) }
}
