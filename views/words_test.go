package views

import (
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 12408: "12,408", 1204377: "1,204,377", -1: "-1", -1000: "-1,000", -999: "-999"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

// The highest day fills the height, a day with any call is seen, and a day without one is a faint line.
func TestSparkBars(t *testing.T) {
	bars := sparkBars([]int{0, 1, 500, 1000})
	want := []sparkBar{
		{"0", "26.5", "1.5", true}, {"5", "26", "2", false}, {"10", "14", "14", false}, {"15", "0", "28", false},
	}
	for i := range want {
		if bars[i] != want[i] {
			t.Errorf("bar %d is %+v, want %+v", i, bars[i], want[i])
		}
	}
	if got := sparkWidth(make([]int, 14)); got != "68.5" {
		t.Errorf("14 days are %s wide", got)
	}
	if got := sparkSentence(make([]int, 14)); got != "No requests in the last 14 days" {
		t.Errorf("no calls at all: %q", got)
	}
}

// Values stand below one another, whatever the script of the labels.
func TestChangeLines(t *testing.T) {
	got := changeLines([]Change{{"rôle", "Admin", "Member"}, {"email", "", "a@b.example"}})
	want := "rôle   Admin → Member\nemail  a@b.example"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Every status has a word, a shape and a colour of its own.
func TestStatusesAreToldApart(t *testing.T) {
	shapes := map[string]string{}
	for _, status := range []string{"Active", "Expires soon", "Inactive", "Expired", "Revoked", "Replaced", "Current"} {
		if badgeTone(status) == "" {
			t.Errorf("%s has no colour", status)
		}
		if other, taken := shapes[badgeIcon(status)]; taken {
			t.Errorf("%s and %s look the same", status, other)
		}
		shapes[badgeIcon(status)] = status
	}
}

// Every error page speaks, for known and unknown statuses, and always offers a way on.
func TestProblemsSpeakForTheirStatus(t *testing.T) {
	heard := map[string]int{}
	for _, status := range []int{400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503} {
		words := Failure{Status: status}.words()
		if words.heading == "" || !strings.HasSuffix(words.sentence, ".") {
			t.Errorf("%d says %q", status, words)
		}
		if other, taken := heard[words.heading]; taken {
			t.Errorf("%d and %d say the same", status, other)
		}
		heard[words.heading] = status
	}
	if got := (Failure{Status: 418}).words(); got != failures[500] {
		t.Errorf("an unknown status says %q", got)
	}
	if got := (Failure{Status: 403, Sentence: "Your account can’t do that."}).words(); got.heading != "Not allowed" || got.sentence != "Your account can’t do that." {
		t.Errorf("the caller’s words became %q", got)
	}
	if got := (Failure{Status: 404}).actions(); len(got) != 1 || got[0].Href != "/" {
		t.Errorf("the way on is %v", got)
	}
}
