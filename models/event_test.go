package models

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"
)

func someEvent() Event {
	return Event{
		Seq: 7, ID: "e7", At: noon, Action: PersonChanged, ActorKind: Human, ActorID: "p1", ActorName: "Ines", SessionID: "s1",
		CredentialID: "c1", SubjectKind: OfPerson, SubjectID: "p2", SubjectName: "Tom", PersonID: "p2", WorkspaceID: "w1",
		Address: "192.0.2.7", RequestID: "r1", Changes: `[{"field":"name"}]`,
	}
}

// A2: whatever is changed in an event changes the chain's hash. The fields are taken from the type, so
// that one which is added and forgotten in Sum fails here.
func TestSumCoversEveryField(t *testing.T) {
	before := []byte("the hash before")
	original := someEvent().Sum(before)
	all := reflect.TypeFor[Event]()
	for i := range all.NumField() {
		changed := someEvent()
		switch field := reflect.ValueOf(&changed).Elem().Field(i); {
		case all.Field(i).Name == "Hash":
			field.SetBytes([]byte("x"))
			if !bytes.Equal(changed.Sum(before), original) {
				t.Error("the hash counts into itself")
			}
			continue
		case field.Kind() == reflect.String:
			field.SetString(field.String() + "x")
		case field.CanInt():
			field.SetInt(field.Int() + 1)
		default:
			field.Set(reflect.ValueOf(noon.Add(time.Microsecond)))
		}
		if bytes.Equal(changed.Sum(before), original) {
			t.Errorf("%s can be changed without a trace", all.Field(i).Name)
		}
	}
	if bytes.Equal(someEvent().Sum([]byte("another")), original) {
		t.Error("the hash before does not count")
	}
}

// No two different events have one encoding: text that moves from a field into its neighbour shows, and
// so does text that swaps with it.
func TestSumKeepsFieldsApart(t *testing.T) {
	moved, swapped := someEvent(), someEvent()
	moved.ActorID, moved.ActorName = "p1I", "nes"
	swapped.ActorID, swapped.ActorName = swapped.ActorName, swapped.ActorID
	original := someEvent().Sum(nil)
	if bytes.Equal(moved.Sum(nil), original) || bytes.Equal(swapped.Sum(nil), original) {
		t.Error("two different events have one sum")
	}
	a, b := Event{ID: "x"}, Event{Action: "x"}
	if bytes.Equal(a.Sum(nil), b.Sum(nil)) {
		t.Error("an empty field and a full one can change places")
	}
}

// The chain of an installation outlives its programs: the sum of an event is fixed for good, and it does
// not depend on the time zone that a driver gives the time in.
func TestSumGolden(t *testing.T) {
	const want = "7a28610c1013f60993486d150ec09c5b2bf58344347470409f775391ab764a97"
	e := someEvent()
	if got := hex.EncodeToString(e.Sum([]byte("before"))); got != want {
		t.Errorf("got %s", got)
	}
	e.At = e.At.In(time.FixedZone("", 3600))
	if got := hex.EncodeToString(e.Sum([]byte("before"))); got != want {
		t.Errorf("in another zone %s", got)
	}
}

// Changes are read back as they were attached, with characters that JSON writes in its own way; text that
// is no list of changes is an empty list and no panic.
func TestChangesReadBack(t *testing.T) {
	changes := []Change{{Field: "name", Before: "A & B <b>", After: "“C”\u2028\\ \""}, {Field: "role", After: "Admin"}}
	if got := (Event{}).WithChanges(changes...).ChangeList(); !reflect.DeepEqual(got, changes) {
		t.Errorf("got %v", got)
	}
	for _, text := range []string{"", "null", "{", `{"field":1}`, `[{"field":1}]`} {
		if got := (Event{Changes: text}).ChangeList(); len(got) != 0 {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if got := (Event{}).WithChanges(); got.Changes != "" {
		t.Errorf("nothing changed: %q", got.Changes)
	}
}
