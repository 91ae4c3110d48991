package secret

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// ASVS 6.2.4: the embedded list holds at least 3,000 passwords that are long enough for the policy, and
// each is refused.
func TestListIsLongEnough(t *testing.T) {
	long := 0
	for _, entry := range commonPasswords() {
		if utf8.RuneCountInString(entry) < MinPasswordLength {
			continue
		}
		long++
		if CheckPassword(entry) == "" || CheckPassword(strings.ToUpper(entry)) == "" {
			t.Errorf("%s is accepted", entry)
		}
	}
	if long < 3000 {
		t.Errorf("%d entries of %d characters or more, want 3,000", long, MinPasswordLength)
	}
}

// The list can be searched: sorted, folded, without doubles, and without what may be somebody's address.
func TestListIsSearchable(t *testing.T) {
	list := commonPasswords()
	for i, entry := range list {
		if i > 0 && list[i-1] >= entry {
			t.Fatalf("%q comes after %q", entry, list[i-1])
		}
		if entry != fold(entry) || len(entry) < shortestWord || strings.ContainsAny(entry, "@ \t\r") {
			t.Errorf("%q should not be listed", entry)
		}
	}
	for _, entry := range []string{list[0], list[len(list)-1], "password", "rumpelstiltskin"} {
		if !listed(entry) {
			t.Errorf("%q is not found", entry)
		}
	}
	if listed("") || listed("kettles ferry lanterns") {
		t.Error("what is not on the list is found")
	}
}

// S7: people reach 15 characters by writing common passwords one after the other. Every pair of thirty
// of the most common ones is refused, whatever is between: two thousand more than are listed.
func TestPairsAreRefused(t *testing.T) {
	top := strings.Fields(`password baseball football superman sunshine starwars computer michelle internet
		princess whatever samantha mercedes danielle jennifer iloveyou trustno1 corvette midnight victoria
		chocolate butterfly liverpool elizabeth qwertyuiop password1 asdfghjkl 123456789 1q2w3e4r5t 987654321`)
	pairs := 0
	for _, first := range top {
		for _, second := range top {
			for _, joint := range []string{"", "1", "-"} {
				pair := first + joint + second
				if len(pair) < MinPasswordLength {
					continue
				}
				if pairs++; CheckPassword(pair) == "" {
					t.Errorf("%s is accepted", pair)
				}
			}
		}
	}
	if pairs < 2000 {
		t.Errorf("%d pairs", pairs)
	}
}
