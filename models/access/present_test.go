package access

import (
	"strings"
	"testing"

	"tokendesk/models/secret"
)

func mint(t testing.TB) secret.Text {
	t.Helper()
	text, err := secret.Mint("user", nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A credential is taken from one field, once, in its one canonical form (T2, RFC 6750); what is nearly
// that is refused, and two at once are refused even when they say the same.
func TestPresent(t *testing.T) {
	text := mint(t)
	s := text.Reveal()
	none := []string(nil)
	for _, c := range []struct {
		name                            string
		authorization, apiKey, apiToken []string
		want                            Code
	}{
		{"nothing", none, none, none, CredentialMissing},
		{"empty lists", []string{}, []string{}, []string{}, CredentialMissing},
		{"bearer", []string{"Bearer " + s}, none, none, Allowed},
		{"bearer in lower case", []string{"bearer " + s}, none, none, Allowed},
		{"bearer in mixed case", []string{"bEaReR " + s}, none, none, Allowed},
		{"API key", none, []string{s}, none, Allowed},
		{"API token", none, none, []string{s}, Allowed},
		{"two spaces", []string{"Bearer  " + s}, none, none, CredentialMalformed},
		{"a tab", []string{"Bearer\t" + s}, none, none, CredentialMalformed},
		{"a space after", []string{"Bearer " + s + " "}, none, none, CredentialMalformed},
		{"a line break after", []string{"Bearer " + s + "\n"}, none, none, CredentialMalformed},
		{"a space before", []string{" Bearer " + s}, none, none, CredentialMalformed},
		{"quoted", []string{`Bearer "` + s + `"`}, none, none, CredentialMalformed},
		{"no scheme", []string{s}, none, none, CredentialMalformed},
		{"no space", []string{"Bearer" + s}, none, none, CredentialMalformed},
		{"a colon", []string{"Bearer: " + s}, none, none, CredentialMalformed},
		{"another scheme", []string{"Basic " + s}, none, none, CredentialMalformed},
		{"a scheme only", []string{"Bearer"}, none, none, CredentialMalformed},
		{"a scheme and a space", []string{"Bearer "}, none, none, CredentialMalformed},
		{"an empty field", []string{""}, none, none, CredentialMalformed},
		{"an empty API key", none, []string{""}, none, CredentialMalformed},
		{"two in one field", []string{"Bearer " + s + "," + s}, none, none, CredentialMalformed},
		{"bearer as an API key", none, []string{"Bearer " + s}, none, CredentialMalformed},
		{"shortened", []string{"Bearer " + s[:53]}, none, none, CredentialMalformed},
		{"lengthened", []string{"Bearer " + s + "0"}, none, none, CredentialMalformed},
		{"in capitals", []string{"Bearer " + strings.ToUpper(s)}, none, none, CredentialMalformed},
		{"another checksum", []string{"Bearer " + s[:53] + otherDigit(s[53])}, none, none, CredentialMalformed},
		{"one field twice", []string{"Bearer " + s, "Bearer " + s}, none, none, RequestAmbiguous},
		{"one field twice, once empty", []string{"Bearer " + s, ""}, none, none, RequestAmbiguous},
		{"API key twice", none, []string{s, s}, none, RequestAmbiguous},
		{"two fields", []string{"Bearer " + s}, []string{s}, none, RequestAmbiguous},
		{"two others", none, []string{s}, []string{s}, RequestAmbiguous},
		{"all three", []string{"Bearer " + s}, []string{s}, []string{s}, RequestAmbiguous},
		{"another scheme and a key", []string{"Basic eDp5"}, []string{s}, none, RequestAmbiguous},
		{"an empty field and a key", []string{""}, none, []string{s}, RequestAmbiguous},
	} {
		got := Present(c.authorization, c.apiKey, c.apiToken)
		if got.Code != c.want || (got.Text == text) != (c.want == Allowed) {
			t.Errorf("%s: %s with %q, want %s", c.name, got.Code, got.Text.Reveal(), c.want)
		}
		if strings.Contains(got.Detail, s[5:15]) || (got.Detail != "") != (c.want == RequestAmbiguous) {
			t.Errorf("%s: the detail is %q", c.name, got.Detail)
		}
	}
}

func otherDigit(last byte) string {
	if last == '0' {
		return "1"
	}
	return "0"
}

// What is there twice is named, so that the sender knows what to leave out.
func TestPresentNamesWhatIsTwice(t *testing.T) {
	if got := Present(nil, []string{"a", "b"}, nil).Detail; !strings.Contains(got, "X-API-Key") {
		t.Errorf("got %q", got)
	}
	if got := Present([]string{"a"}, nil, []string{"b"}).Detail; !strings.Contains(got, "Authorization and X-API-Token") {
		t.Errorf("got %q", got)
	}
}

// T2: whatever stands in the fields, nothing panics, and only a canonical credential in exactly one field,
// after exactly "Bearer " where the field is Authorization, is taken, and taken as it is.
func FuzzPresent(f *testing.F) {
	const good = "user_0000000000000000000000000000000000000000000" // 48 of the 54 characters
	for _, seed := range [][3]string{
		{"", "", ""}, {"Bearer ", "", ""}, {"bearer x", "", ""}, {"Bearer " + good + "000000", "", ""}, {"", good + "000000", ""},
		{"Basic a", "b", "c"}, {"BEARER \xff", "", "\x00"}, {"Bearer " + mint(f).Reveal(), "", ""}, {"", "", mint(f).Reveal()}, {"Bearer " + mint(f).Reveal(), "", mint(f).Reveal()},
	} {
		f.Add(seed[0], seed[1], seed[2], byte(7))
		f.Add(seed[0], seed[1], seed[2], byte(1))
	}
	f.Fuzz(func(t *testing.T, authorization, apiKey, apiToken string, times byte) {
		fields := [3][]string{}
		sent, value := 0, ""
		for i, v := range []string{authorization, apiKey, apiToken} {
			for range times >> (2 * i) & 3 { // each field up to three times
				fields[i] = append(fields[i], v)
				sent, value = sent+1, v
				if i == 0 {
					value = strings.TrimPrefix(v, v[:min(len(v), len("Bearer "))])
				}
			}
		}
		scheme := len(fields[0]) == 0 || len(authorization) >= 7 && strings.ToLower(authorization[:7]) == "bearer "
		_, canonical := secret.Parse(value)
		got := Present(fields[0], fields[1], fields[2])
		switch {
		case sent == 0 && got.Code != CredentialMissing, sent > 1 && got.Code != RequestAmbiguous:
			t.Fatalf("%d values: %s", sent, got.Code)
		case sent == 1 && (got.Code == Allowed) != (scheme && canonical):
			t.Fatalf("%q: %s", fields, got.Code)
		case got.Code == Allowed && got.Text.Reveal() != value, got.Code != Allowed && got.Text != "":
			t.Fatalf("%q: took %q", fields, got.Text.Reveal())
		}
	})
}
