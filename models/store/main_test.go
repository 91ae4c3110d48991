package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("nowhere", -9*60*60) // no server is in UTC by chance
	os.Exit(storetest.Run(m))
}

// wantKind insists on how something failed; the empty kind is success.
func wantKind(t *testing.T, what string, err error, want models.Kind) {
	t.Helper()
	if got := models.KindOf(err); got != want {
		t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

// wantField insists that a field of the form has a message that says something.
func wantField(t *testing.T, what string, err error, field, says string) {
	t.Helper()
	var e *models.Error
	if !errors.As(err, &e) || e.Kind != models.Invalid || len(e.Fields) != 1 || e.Fields[0].Name != field || !strings.Contains(e.Fields[0].Message, says) {
		t.Errorf("%s: got %v, want %q beside the field %s", what, err, says, field)
	}
}

// exec does what the store would not, with the database in hand.
func exec(t *testing.T, w storetest.World, sql string, args ...any) {
	t.Helper()
	if err := w.DB().Exec(sql, args...).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// number reads one number.
func number(t *testing.T, w storetest.World, sql string, args ...any) (n int64) {
	t.Helper()
	if err := w.DB().Raw(sql, args...).Scan(&n).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// events counts what was written down of an action; of all where it is empty.
func events(t *testing.T, w storetest.World, action models.Action) int64 {
	t.Helper()
	return number(t, w, "SELECT count(*) FROM events WHERE ? IN ('', action)", action)
}

// lastEvent is the newest one.
func lastEvent(t *testing.T, w storetest.World) models.Event {
	t.Helper()
	list, err := w.Events(t.Context(), models.Actor{Kind: models.Command}, models.EventFilter{Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatalf("events: %v (%v)", list, err)
	}
	return list[0]
}

// unchanged runs something that must write nothing.
func unchanged(t *testing.T, w storetest.World, what string, do func()) {
	t.Helper()
	before := events(t, w, "")
	do()
	if after := events(t, w, ""); after != before {
		t.Errorf("%s: %d events more", what, after-before)
	}
}

// atOnce runs a function n times, all of them begun before any ends if the machine can, and gives the
// failures in the order of the numbers.
func atOnce(n int, do func(i int) error) []error {
	failed, start := make([]error, n), make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			failed[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return failed
}

// kinds counts how things ended, by kind; the empty kind is success.
func kinds(failed []error) map[models.Kind]int {
	count := map[models.Kind]int{}
	for _, err := range failed {
		count[models.KindOf(err)]++
	}
	return count
}

// fields are the problems of a form; none where the failure is another one.
func fields(err error) []models.Field {
	var e *models.Error
	if !errors.As(err, &e) {
		return nil
	}
	return e.Fields
}

// subject is what a used form made.
func subject(err error) string {
	var e *models.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.SubjectID
}

func sum(content string) string {
	hash := sha256.Sum256([]byte(content))
	return hex.EncodeToString(hash[:])
}
