package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// enduring is a product whose answers begin and do not end, whose uploads are read for as long as they last, and which takes WebSockets. It tells which calls arrived, and which
// ended.
func enduring(t *testing.T) (address string, arrived, left chan string) {
	t.Helper()
	arrived, left = make(chan string, 20), make(chan string, 20)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, control := r.Method+" "+r.URL.Path, http.NewResponseController(w)
		defer func() { left <- name }()
		switch {
		case r.Header.Get("Upgrade") != "":
			conn, buffered, err := control.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_ = buffered.Flush()
			name = "WebSocket"
			arrived <- name
			_, _ = io.Copy(io.Discard, conn)
		case r.ContentLength < 0:
			_, _ = r.Body.Read(make([]byte, 1))
			arrived <- name
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Error("an upload came to its end")
			}
		default:
			_, _ = io.WriteString(w, "data: first\n\n")
			_ = control.Flush()
			arrived <- name
			<-r.Context().Done()
		}
	}))
	t.Cleanup(api.Close)
	return api.URL, arrived, left
}

// brokenOff says what is wrong with an answer that should not have come to its end: the product's own does not, and another is an error.
func brokenOff(a *http.Response, err error) error {
	if err != nil {
		return nil
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err == nil && a.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("all of an answer with status %d", a.StatusCode)
	}
	return nil
}

// A call under way ends with the operation that it was let in with, before whoever takes that away is answered; calls that the product would take again as
// it took them go on.
func TestACallEndsWithItsOperation(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		address, arrived, left := enduring(t)
		admin, id := s.SignedIn(t, ines), productsOf(t, s)[0].ID
		settings := "/w/marlowe-press/settings/products/" + id
		point(t, admin, settings, pointing(address, "web_socket", "on")).Want(t, http.StatusSeeOther)
		_, api := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		_, narrow := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "B", Chosen: true, Scopes: models.Scopes{"agents:list"}})
		_, bearer := s.Token(t, s.Admin, s.Person(t, s.Admin, models.Member).ID)

		begin := func(text secret.Text, method, path string, body io.Reader) chan error {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+text.Reveal())
			ended := make(chan error, 1)
			go func() { ended <- brokenOff(http.DefaultTransport.RoundTrip(r)) }()
			if name := <-arrived; name != method+" "+path {
				t.Fatalf("%s arrived", name)
			}
			return ended
		}
		over := func(why, name string, ended chan error) {
			t.Helper()
			if err := <-ended; err != nil {
				t.Errorf("%s: the caller of %s has %v", why, name, err)
			}
			if got := <-left; got != name {
				t.Errorf("%s: %s ended, want %s", why, got, name)
			}
		}
		edit := func(change func(models.Resources) models.Resources) {
			t.Helper()
			p, err := s.ProductOf(t.Context(), s.Admin, "marlowe-press", id)
			if err == nil {
				_, err = s.SetResources(t.Context(), s.Admin, "marlowe-press", id, p.Revision, change(p.Resources))
			}
			if err != nil {
				t.Fatal(err)
			}
		}

		chunks, more := io.Pipe()
		defer more.Close()
		go func() { _, _ = more.Write([]byte("first")) }()
		list := begin(api, "GET", "/api/agent-base", nil)
		chat := begin(bearer, "POST", "/api/assistant/chat", nil)
		one := begin(narrow, "GET", "/api/agent-base/7", nil)
		upload := begin(api, "POST", "/api/knowledge-base/storage", chunks)
		socket := connect(t, s)
		socket.say("GET /api/integrations-base HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", api.Reveal())
		if name := <-arrived; name != "WebSocket" {
			t.Fatalf("%s arrived", name)
		}

		if _, err := s.NameProduct(t.Context(), s.Admin, "marlowe-press", id, models.ProductNaming{Name: "Other", Prefix: "prod"}); err != nil {
			t.Fatal(err)
		}
		edit(func(r models.Resources) models.Resources { return r[:len(r)-1] }) // storage
		over("without the resource", "POST /api/knowledge-base/storage", upload)
		edit(func(r models.Resources) models.Resources { // others may have what the path is of now
			r[0].Operations = append(r[0].Operations, models.Operation{Name: "secret", Method: "GET", Pattern: "/api/agent-base/7"})
			return r
		})
		over("with a more exact pattern", "GET /api/agent-base/7", one)
		edit(func(r models.Resources) models.Resources {
			at := slices.IndexFunc(r, func(r models.Resource) bool { return r.Key == "assistant-chat" })
			r[at].Operations[0].Name = "talk"
			return r
		})
		over("with the operation called otherwise", "POST /api/assistant/chat", chat)
		point(t, admin, settings, pointing(address)).Want(t, http.StatusSeeOther)
		switched, err := http.ReadResponse(bufio.NewReader(socket.TCPConn), nil)
		if err != nil || switched.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("the WebSocket began with %v, %v", switched, err)
		}
		if name := <-left; name != "WebSocket" {
			t.Errorf("without WebSockets %s ended", name)
		}
		select {
		case err := <-list:
			t.Errorf("the call that the product takes as before ended: %v", err)
		default:
		}
		if _, err := s.DeactivatePerson(t.Context(), s.Admin, s.Person(t, s.Admin, models.Member).ID); err != nil { // which concerns nobody here
			t.Fatal(err)
		}
		edit(func(models.Resources) models.Resources { return nil })
		over("without any resource", "GET /api/agent-base", list)
	})
}
