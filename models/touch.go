package models

import "slices"

// Touched is what an event may have changed a verdict about: things by their IDs, which are a credential's, a person's, a session's, a workspace's, a product's
// or a collection's; and whole kinds of knowledge.
type Touched struct {
	IDs        []string
	Everything bool
	Openings   bool // which workspaces people open, all of them
	Automation bool // all automation tokens
}

// Nothing says that no verdict can have changed.
func (t Touched) Nothing() bool {
	return len(t.IDs) == 0 && !t.Everything && !t.Openings && !t.Automation
}

// Touches says what an event may have changed a verdict about. An action that is not listed here touches everything.
func (e Event) Touches() Touched {
	switch e.Action {
	case SetupOffered, SetupCompleted, JWTKeyMade, PersonCreated, SessionConfirmed, CredentialRenamed,
		PolicyChanged, // it holds for what is made from then on
		CollectionInstalled, CollectionReinstalled, CollectionRestored, SignInRefused, InstallRefused, AccessDenied, CallDenied:
		return Touched{}
	case CredentialCreated: // which nobody can have asked for before; the one whose place it takes ends
		return Touched{IDs: e.changedTo("replaces")}
	case CredentialRevoked, CredentialRegenerated, CredentialActivated, CredentialDeactivated, CredentialLeaked,
		PersonChanged, PersonDeactivated, PersonActivated, SessionEnded, SessionRenewed, SessionStolen, SessionsEnded, TokensEnded,
		MemberAdded, MemberChanged, MemberRemoved, ProductChanged, CollectionDeleted:
		return Touched{IDs: []string{e.SubjectID}}
	case SessionStarted: // one too many ends the person's oldest, and the event does not say which
		if !e.Changed(SignInsEnded) {
			return Touched{}
		}
		return Touched{IDs: []string{e.PersonID}}
	case PasswordChanged: // of an Owner: everybody's automation tokens there end too
		return Touched{IDs: []string{e.SubjectID}, Automation: e.Changed(AutomationEnded)}
	case WorkspaceChanged, WorkspaceHandedOver, ProductCreated:
		return Touched{IDs: []string{e.SubjectID, e.WorkspaceID}}
	case WorkspaceCreated, WorkspaceDeleted: // an Admin opens the only one there is without naming it
		return Touched{IDs: []string{e.SubjectID}, Openings: true}
	}
	return Touched{Everything: true}
}

// Changed says whether an event tells of a change of a field.
func (e Event) Changed(field string) bool {
	return slices.ContainsFunc(e.ChangeList(), func(c Change) bool { return c.Field == field })
}

func (e Event) changedTo(field string) (values []string) {
	for _, c := range e.ChangeList() {
		if c.Field == field {
			values = append(values, c.After)
		}
	}
	return values
}
