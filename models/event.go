package models

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"time"
)

// Action names what an event did: the noun that changed and what happened to it.
type Action string

const (
	SetupOffered          Action = "setup.offered"
	SetupCompleted        Action = "setup.completed"
	InstallationRestored  Action = "installation.restored" // from a backup
	JWTKeyMade            Action = "installation.key_made" // which signs sign-in tokens from now on
	PolicyChanged         Action = "policy.changed"        // what holds for everybody's credentials
	PersonCreated         Action = "person.created"
	PersonChanged         Action = "person.changed"
	PersonDeactivated     Action = "person.deactivated"
	PersonActivated       Action = "person.activated"
	PasswordChanged       Action = "person.password_changed"
	SessionStarted        Action = "session.started"
	SessionConfirmed      Action = "session.confirmed"
	SessionEnded          Action = "session.ended"
	SessionRenewed        Action = "session.renewed" // a program's: it has other tokens now, and may be in another workspace
	SessionStolen         Action = "session.stolen"  // ended, because a refresh token that was used came again
	SessionsEnded         Action = "person.signed_out"
	TokensEnded           Action = "person.tokens_revoked" // by the person, in one workspace: sign-in tokens, automation tokens, or both
	WorkspaceCreated      Action = "workspace.created"
	WorkspaceChanged      Action = "workspace.changed"
	WorkspaceDeleted      Action = "workspace.deleted"
	WorkspaceHandedOver   Action = "workspace.handed_over" // to another Owner
	MemberAdded           Action = "member.added"
	MemberChanged         Action = "member.changed"
	MemberRemoved         Action = "member.removed"
	CredentialCreated     Action = "credential.created"
	CredentialRevoked     Action = "credential.revoked"
	CredentialRegenerated Action = "credential.regenerated" // another secret on the same card
	CredentialActivated   Action = "credential.activated"
	CredentialDeactivated Action = "credential.deactivated"
	CredentialRenamed     Action = "credential.renamed"
	CredentialLeaked      Action = "credential.leaked" // reported by somebody who has all of it: revoked, where it was not over already
	ProductCreated        Action = "product.created"
	ProductChanged        Action = "product.changed"
	CollectionInstalled   Action = "collection.installed"
	CollectionReinstalled Action = "collection.reinstalled" // bytes that were current already
	CollectionRestored    Action = "collection.restored"    // an earlier version, which is current again
	CollectionDeleted     Action = "collection.deleted"
	SignInRefused         Action = "session.refused"    // one attempt, or many together: see Refused
	InstallRefused        Action = "collection.refused" // the same
	AccessDenied          Action = "access.denied"      // the same
	CallDenied            Action = "call.denied"        // the same, of a call to a product
)

// SubjectKind is the kind of thing that an event changed.
type SubjectKind string

const (
	OfInstallation SubjectKind = "installation"
	OfPerson       SubjectKind = "person"
	OfSession      SubjectKind = "session"
	OfWorkspace    SubjectKind = "workspace"
	OfCredential   SubjectKind = "credential"
	OfProduct      SubjectKind = "product"
	OfCollection   SubjectKind = "collection"
)

// Change is one value before and after. Neither is ever a secret.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Event is one change. Events are numbered without gaps in the order of their commits, each
// carries the hash of the one before it, and none is ever changed or removed.
type Event struct {
	Seq          int64  `gorm:"primaryKey;autoIncrement:false"`
	ID           string // UUIDv7
	At           time.Time
	Action       Action
	ActorKind    ActorKind
	ActorID      string
	ActorName    string
	SessionID    string
	CredentialID string // with which the actor came
	SubjectKind  SubjectKind
	SubjectID    string
	SubjectName  string // as it was at the time
	PersonID     string // whose thing the subject is, where it is a person's
	WorkspaceID  string
	Address      string
	RequestID    string
	Changes      string // JSON: []Change
	Hash         []byte // Sum of the event before it and of this one
}

// EventFilter says which events of the audit log are meant. Empty fields let everything pass.
type EventFilter struct {
	ActorID     string    // a person's ID
	ActorKind   ActorKind // for actors who are nobody in particular: the command line, the server, visitors
	Address     string    // an IP address
	Action      Action
	SubjectID   string
	PersonID    string // whose thing the subject is
	WorkspaceID string
	From, To    time.Time // From and later, before To
	Before      int64     // numbers below this one; 0: from the newest on
	Limit       int       // how many at most, newest first
}

// EventsFound is what a page of the audit log found. Where it did not look through all of the log, the search goes on
// before the event Further, which is of the moment Since; 0 where there is no more to find.
type EventsFound struct {
	Events  []Event // newest first
	Further int64
	Since   time.Time
}

// EventSeen is one event with its neighbours in the chain.
type EventSeen struct {
	Event
	HashBefore   []byte // of the event before it, which its own hash covers
	Holds        bool   // the hash is that of the event before and of this one
	Older, Newer int64  // the neighbours that may be seen too; 0 when there is none
}

// WithChanges attaches what changed.
func (e Event) WithChanges(changes ...Change) Event {
	if len(changes) > 0 {
		text, err := json.Marshal(changes)
		if err != nil { // strings always encode
			panic(err)
		}
		e.Changes = string(text)
	}
	return e
}

// ChangeList reads Changes back; text that is none is an empty list.
func (e Event) ChangeList() []Change {
	var changes []Change
	if json.Unmarshal([]byte(e.Changes), &changes) != nil {
		return nil
	}
	return changes
}

// Sum is the chain's hash at this event: SHA-256 over a domain, the hash before it, and every
// field with its length in front, so that no two different events have one encoding.
func (e Event) Sum(before []byte) []byte {
	h := sha256.New()
	put(h, []byte("tokendesk/event/v1"))
	put(h, before)
	put(h, binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	put(h, binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	for _, field := range []string{
		e.ID, string(e.Action), string(e.ActorKind), e.ActorID, e.ActorName, e.SessionID, e.CredentialID,
		string(e.SubjectKind), e.SubjectID, e.SubjectName, e.PersonID, e.WorkspaceID, e.Address, e.RequestID, e.Changes,
	} {
		put(h, []byte(field))
	}
	return h.Sum(nil)
}

func put(h hash.Hash, field []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
	h.Write(field)
}
