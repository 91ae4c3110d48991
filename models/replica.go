package models

import (
	"fmt"
	"strings"
	"time"
)

// How long a replica may answer from memory after it asked the database what changed, and how long a change waits for one that says nothing. The
// difference is what two clocks may disagree about a second: a fifth.
const (
	LeaseUse  = 2 * time.Second
	LeaseWait = 3 * time.Second
)

// Snapshot is the moment of the database that something was read at.
type Snapshot struct {
	Seq int64     // the newest event that what was read can have seen
	At  time.Time // the database's time; zero where it has none, because it is a file of this machine
}

// Replica is a server that answers from memory, and says so: whatever changes a verdict waits for it.
type Replica struct {
	ID        string `gorm:"primaryKey"` // a new one at every start
	Name      string // what its operator calls it
	Version   string // of the program
	StartedAt time.Time
	AckedSeq  int64     // up to here it has put into effect what changed
	LeaseNo   int64     // counts its renewals: one that stands still is a replica that does
	SeenAt    time.Time // the database's time of the last renewal
	Entries   int64     // credentials in its memory
	Notice    string    // what is wrong with it, in a word; empty: nothing
	Timeline  string    `gorm:"-"` // of the database whose events AckedSeq counts: in another history it says nothing. Empty: it comes from none
}

// What may be wrong with a replica.
const (
	NoticePolling = "polling" // the database does not tell it of changes, so that it asks for them
)

// LeaseRenewal is what a replica learns when it renews its lease.
type LeaseRenewal struct {
	Snapshot
	Timeline string // of the database: another one is another history
}

// Receipt says what became of a change after its commit: which replicas have put it into effect, and which did not answer
// until their permission to answer from memory was over.
type Receipt struct {
	Seq       int64    // of the event
	Confirmed int      // replicas that said so
	Silent    []string // the names of those that did not
	Unread    bool     // the replicas could not be asked: those there are were waited for as if all were silent
	Took      time.Duration
}

// Said tells what became of the change, after "Refused by" or "In effect on"; empty where nobody had to be waited for.
func (r Receipt) Said(verb string) string {
	took := fmt.Sprintf("%d ms", max(1, r.Took.Milliseconds()))
	switch {
	case r.Unread:
		return "The replicas could not be asked, and were waited for: none of them may go by what it remembered any more (" + took + ")."
	case len(r.Silent) == 1:
		return fmt.Sprintf("%s confirmed; %s did not answer, and its permission to answer from memory has ended, so it cannot go by what was before (%s).",
			r.confirmed(), r.Silent[0], took)
	case len(r.Silent) > 1:
		return fmt.Sprintf("%s confirmed; %s did not answer, and their permission to answer from memory has ended, so they cannot go by what was before (%s).",
			r.confirmed(), strings.Join(r.Silent, ", "), took)
	case r.Confirmed == 1:
		return "In effect after " + took + "."
	case r.Confirmed > 1:
		return fmt.Sprintf("%s all %d replicas (%s).", verb, r.Confirmed, took)
	}
	return ""
}

// What a receipt begins with.
const (
	RefusedBy  = "Refused by"
	InEffectOn = "In effect on"
)

func (r Receipt) confirmed() string {
	switch r.Confirmed {
	case 0:
		return "No replica"
	case 1:
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", r.Confirmed)
}
