package webtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Form is the fields of a form.
type Form map[string]string

// Encode writes the form as a browser sends it.
func (f Form) Encode() string {
	values := url.Values{}
	for name, value := range f {
		values.Set(name, value)
	}
	return values.Encode()
}

// Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	doc    *goquery.Document
}

// Want insists on a status.
func (a *Answer) Want(t testing.TB, status int) *Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %.600s", a.Status, status, a.Body)
	}
	return a
}

// To insists on a redirect to a place.
func (a *Answer) To(t testing.TB, place string) *Answer {
	t.Helper()
	if got := a.Want(t, 303).Header.Get("Location"); got != place {
		t.Fatalf("sent on to %q, want %q", got, place)
	}
	return a
}

// Page is the answer as a document.
func (a *Answer) Page(t testing.TB) *goquery.Document {
	t.Helper()
	if a.doc == nil {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		a.doc = doc
	}
	return a.doc
}

// Text is what the one element that matches says, with its white space folded.
func (a *Answer) Text(t testing.TB, selector string) string {
	t.Helper()
	found := a.Page(t).Find(selector)
	if found.Length() != 1 {
		t.Fatalf("%d elements match %s, want one", found.Length(), selector)
	}
	return strings.Join(strings.Fields(found.Text()), " ")
}

// Has insists that the page says something.
func (a *Answer) Has(t testing.TB, text string) *Answer {
	t.Helper()
	if !strings.Contains(a.said(t), text) {
		t.Fatalf("the page does not say %q:\n%.1500s", text, a.said(t))
	}
	return a
}

// HasNot insists that nothing of the answer, shown or not, is this text.
func (a *Answer) HasNot(t testing.TB, text string) *Answer {
	t.Helper()
	if strings.Contains(a.Body, text) || strings.Contains(a.said(t), text) {
		t.Fatalf("the page says %q", text)
	}
	return a
}

func (a *Answer) said(t testing.TB) string {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return a.Body
	}
	return strings.Join(strings.Fields(a.Page(t).Text()), " ")
}

// Value is what a form's field on the page holds.
func (a *Answer) Value(t testing.TB, name string) string {
	t.Helper()
	value, ok := a.Page(t).Find(`[name="` + name + `"]`).First().Attr("value")
	if !ok {
		t.Fatalf("no field %s with a value", name)
	}
	return value
}

// Problem is what is said beside a field: the text that the field names as its description, and only
// where it is marked as invalid. Empty when nothing is.
func (a *Answer) Problem(t testing.TB, name string) string {
	t.Helper()
	said := a.Page(t).Find(`[id$="` + name + `-error"]`)
	if said.Length() == 0 {
		return ""
	}
	id := said.First().AttrOr("id", "")
	if a.Page(t).Find(`[aria-describedby~="`+id+`"]`).Length() == 0 {
		t.Fatalf("the message about %s belongs to no field", name)
	}
	return strings.Join(strings.Fields(said.First().Text()), " ")
}

// Envelope is the answer to a program, in the one shape that those have.
type Envelope struct {
	Success bool           `json:"success"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data"`
	Code    string         `json:"code"`
	Request string         `json:"request_id"`
}

// Envelope reads the answer to a program. The three members are always there, and with a refusal its
// code and the request's number.
func (a *Answer) Envelope(t testing.TB) Envelope {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(a.Body), &members); err != nil {
		t.Fatalf("status %d with what is no JSON object: %v: %.300s", a.Status, err, a.Body)
	}
	for _, name := range []string{"success", "message", "data"} {
		if _, ok := members[name]; !ok {
			t.Fatalf("the envelope has no %s: %s", name, a.Body)
		}
	}
	if kind := a.Header.Get("Content-Type"); kind != "application/json" && kind != "application/json; charset=UTF-8" {
		t.Errorf("the envelope comes as %q", kind)
	}
	var e Envelope
	if err := json.Unmarshal([]byte(a.Body), &e); err != nil {
		t.Fatal(err)
	}
	if e.Success != (a.Status == http.StatusOK) || e.Message == "" || (e.Data != nil) != e.Success {
		t.Errorf("status %d with success %v, message %q, data %v", a.Status, e.Success, e.Message, e.Data)
	}
	if !e.Success && (e.Code == "" || e.Request != a.Header.Get("X-Request-Id")) {
		t.Errorf("a refusal with code %q and request %q", e.Code, e.Request)
	}
	return e
}
