package models

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What is not ours is a fault of ours; what is ours keeps its kind however it is wrapped.
func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{nil, ""},
		{errors.New("disk full"), Internal},
		{Fail(Conflict, "No."), Conflict},
		{fmt.Errorf("load: %w", Fail(NotFound, "No.")), NotFound},
		{errors.Join(errors.New("x"), Fail(TooMany, "Wait.")), TooMany},
		{Fail(Unavailable, "No.").Because(Fail(NotFound, "No.")), Unavailable}, // "could not find out" is not "not there"
		{Problems{}.Err(), ""},
		{Problems{{"name", "Enter a name."}}.Err(), Invalid},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// A cause is for the log: it is there to be unwrapped, and neither the message nor the error that it
// was attached to has it.
func TestCauseIsNotInTheMessage(t *testing.T) {
	cause := errors.New("pq: password authentication failed")
	plain := Fail(Unavailable, "The database does not answer.")
	with := plain.Because(cause)
	if !errors.Is(with, cause) || errors.Is(plain, cause) || with.Message != plain.Message || !strings.Contains(with.Error(), cause.Error()) {
		t.Errorf("with %q, plain %q", with, plain)
	}
}

// A message with a percent sign in it, as a name may have, comes out as it went in.
func TestFailFormatsOnlyWithArguments(t *testing.T) {
	if got := Fail(Invalid, "100% of it").Message; got != "100% of it" {
		t.Errorf("got %q", got)
	}
	if got := Fail(Invalid, "%s of it", "100%d").Message; got != "100%d of it" {
		t.Errorf("got %q", got)
	}
}

// All problems are told at once, in the order of the form, and of each field the first.
func TestProblems(t *testing.T) {
	var p Problems
	p.Add(false, "role", "Never.")
	p.Add(true, "name", "Enter a name.")
	p.Add(true, "email", "Enter an email address.")
	p.Add(true, "name", "Name is too short.")
	var e *Error
	if !errors.As(p.Err(), &e) || len(e.Fields) != 2 || e.Fields[0] != (Field{"name", "Enter a name."}) || e.Fields[1].Name != "email" {
		t.Fatalf("got %v", p.Err())
	}
	if p.Message("email") != "Enter an email address." || p.Message("role") != "" {
		t.Errorf("messages %q, %q", p.Message("email"), p.Message("role"))
	}
}
