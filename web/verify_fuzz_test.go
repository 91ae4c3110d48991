package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"tokendesk/models"
)

// Whatever the body is, it is read as encoding/json reads it, or refused in a sentence that holds nothing of it.
func FuzzVerifyBody(f *testing.F) {
	good := `{"credential":"a","method":"GET","path":"/api/x"}`
	for _, body := range []string{
		`{}`, `{"requests":[` + good + `]}`, `{"requests":[` + good + `,` + good + `],"workspace":"w"}`, ` { "requests" : [ {"credential":"\u0061\"","method":"G","path":"\/","workspace":"x"} ] } `,
		`{"requests":[]}`, `{"requests":null}`, `[` + good + `]`, `{"requests":[` + good + `]}{`, `{"requests":[{"credential":1}]}`, "{\"requests\":[{\"credential\":\"\xff\"}]}", `{"requests":[` + good + strings.Repeat(","+good, 101) + `]}`,
		`{"requests":[{"credential":"\ud800","method":"GET","path":"/"}]}`, `{"Requests":[` + good + `]}`, `{"requests":[` + good + `],"requests":[]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v := &verifying{body: body, decoder: jsontext.NewDecoder(new(bytes.Buffer)), asked: make([]verification, 0, 3)}
		if err := v.parse(string(body)); err != nil {
			if kind := models.KindOf(err); kind != models.Ambiguous && kind != models.TooLarge || len(err.Error()) > 200 {
				t.Fatalf("%q is refused as %s: %q", body, kind, err)
			}
			return
		}
		type question struct{ Credential, Method, Path, Workspace string }
		var plain struct {
			Workspace string
			Requests  []question
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&plain); err != nil || len(plain.Requests) != len(v.asked) || len(v.asked) == 0 || len(v.asked) > mostInAVerify {
			t.Fatalf("%q was read as %d, and by encoding/json as %d (%v)", body, len(v.asked), len(plain.Requests), err)
		}
		for i, q := range plain.Requests {
			if q.Workspace == "" {
				q.Workspace = plain.Workspace
			}
			if a := v.asked[i]; (question{a.credential, a.method, a.path, a.workspace}) != q {
				t.Fatalf("%q was read as %q, and by encoding/json as %q", body, a, q)
			}
		}
	})
}

// What an answer says is JSON whatever the texts in it are.
func FuzzAppendText(f *testing.F) {
	for _, text := range []string{"", "a", `"`, `\`, "\x00", "\xff", "é", "</script>", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := appendText([]byte("before"), text)
		var read string
		if err := json.Unmarshal(written[len("before"):], &read); err != nil || utf8.ValidString(text) && read != text {
			t.Fatalf("%q was written as %s (%v)", text, written, err)
		}
	})
}
