package handlers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
)

// Whatever the body of a report is, it is read as encoding/json reads it, or refused in one of two sentences that hold nothing of it.
func FuzzReport(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"credentials":["a"]}`, `{"credentials":[]}`, `{"credentials":null}`, `{"credentials":[null]}`, `{"credentials":["a",1]}`, `{"credentials":[["a"]]}`,
		`{"credentials":["a"],"credentials":["b"]}`, `{"Credentials":["a"]}`, `["a"]`, `{"credentials":["a"]}{`, "{\"credentials\":[\"\xff\"]}", ` { "credentials" : [ "\u0000" ] } `,
		`{"credentials":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 101), ",") + `]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := readReport(body)
		if err != nil {
			if message := err.Error(); message != reportedHowTo && message != "That is more than 100 credentials. Send them in several calls." {
				t.Fatalf("%q is refused as %q", body, message)
			}
			if kind := models.KindOf(err); kind != models.Ambiguous && kind != models.TooLarge || len(list) > 0 {
				t.Fatalf("%q is %s with %q", body, kind, list)
			}
			return
		}
		var plain struct {
			Credentials []string `json:"credentials"`
		}
		if err := json.Unmarshal(body, &plain); err != nil || !slices.Equal(plain.Credentials, list) || len(list) == 0 || len(list) > mostInAReport {
			t.Fatalf("%q was read as %q, and by encoding/json as %q (%v)", body, list, plain.Credentials, err)
		}
	})
}
