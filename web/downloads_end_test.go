package web_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/deadline"
	"tokendesk/web/webtest"
)

const (
	narrow   = 128 << 10 // bytes that each side's system is asked to hold
	onWay    = 1 << 20   // more than both hold, and what else is on its way
	threeMiB = 3 << 20
)

// slowly is a site's server behind a connection that holds little, and how somebody asks for a file there: it reads the beginning of it.
func slowly(t *testing.T, s webtest.Site) (ask func(path, field, value string) *http.Response) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config, server.Listener = web.New(s.Handlers, nil).HTTP(), deadline.Listener(server.Listener)
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(interface{ SetWriteBuffer(bytes int) error }).SetWriteBuffer(narrow); err != nil {
			t.Error(err)
		}
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(narrow)
		}
		return c, err
	}}}
	return func(path, field, value string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(field, value)
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Body.Close() })
		if _, err := io.ReadFull(a.Body, make([]byte, narrow)); err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, a.StatusCode, err)
		}
		return a
	}
}

// A file stops being sent with what it was asked for by, before whoever ends that is answered; what does not concern it lets it go on. No time passes
// here in which the database would be asked again.
func TestAFileEndsWithTheRight(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		ask := slowly(t, s)
		install := func(name string) models.Installed {
			content := make([]byte, threeMiB)
			_, _ = rand.Read(content)
			return installed(t, s, s.Admin, "marlowe-press", name, zipOf(t, "big.bin", string(content)))
		}
		kept := install("kept").Collection
		archive := "/v1/collections/" + kept.ID + "/archive"
		inConsole := "/w/marlowe-press/settings/collections/" + kept.ID + "/versions/1/"
		_, keptKey := s.Share(t, s.Admin, kept.ID, "Kept")
		other := s.Person(t, s.Admin, models.Member)
		goOn := []*http.Response{ask(archive, "X-API-Key", keptKey.Reveal()), ask(inConsole+"file?path=big.bin", "Cookie", "sid="+session(t, s, other))}

		type under struct {
			path, field, value string
			do                 func() error
		}
		member := func() (models.Person, string) {
			p := s.Person(t, s.Admin, models.Member)
			return p, "sid=" + session(t, s, p)
		}
		for name, begin := range map[string]func() under{
			"an access key, revoked": func() under {
				made, text := s.Share(t, s.Admin, kept.ID, "A")
				return under{archive, "X-API-Key", text.Reveal(), func() error {
					_, err := s.RevokeCollectionKey(t.Context(), s.Admin, made.ID, models.Revocation{})
					return err
				}}
			},
			"an access key, revoked by another process": func() under {
				made, text := s.Share(t, s.Admin, kept.ID, "B")
				return under{archive, "X-API-Key", text.Reveal(), func() error {
					_, err := s.Open(t).RevokeCollectionKey(t.Context(), s.Admin, made.ID, models.Revocation{})
					return err
				}}
			},
			"an access key, whose collection is deleted": func() under {
				gone := install("gone").Collection
				_, text := s.Share(t, s.Admin, gone.ID, "C")
				return under{"/v1/collections/" + gone.ID + "/files/big.bin", "X-API-Key", text.Reveal(), func() error {
					_, err := s.DeleteCollection(t.Context(), s.Admin, "marlowe-press", gone.ID, gone.Name)
					return err
				}}
			},
			"an API key, revoked": func() under {
				p, _ := member()
				made, text := s.Key(t, storetest.As(p), models.NewAPIKey{Name: "A"})
				return under{archive, "X-API-Key", text.Reveal(), func() error {
					_, err := s.RevokeAPIKey(t.Context(), storetest.As(p), made.ID, models.Revocation{})
					return err
				}}
			},
			"an API key of somebody deactivated": func() under {
				p, _ := member()
				_, text := s.Key(t, storetest.As(p), models.NewAPIKey{Name: "A"})
				return under{archive, "X-API-Key", text.Reveal(), func() error {
					_, err := s.DeactivatePerson(t.Context(), s.Admin, p.ID)
					return err
				}}
			},
			"an automation token, revoked with all of theirs": func() under {
				p, _ := member()
				_, text := s.Automation(t, storetest.As(p), "marlowe-press", models.NewAutomationToken{Period: "1h"})
				return under{archive, "Authorization", "Bearer " + text.Reveal(), func() error {
					return s.EndMine(t.Context(), storetest.As(p), "marlowe-press", false, true)
				}}
			},
			"a program's sign-in, ended": func() under {
				who, p, id := signedInProgram(t, s)
				return under{archive, "Authorization", "Bearer " + p.token, func() error { return s.EndSession(t.Context(), who, id) }}
			},
			"a browser's session, ended": func() under {
				p, cookie := member()
				return under{inConsole + "archive", "Cookie", cookie, func() error {
					list, err := s.Store.Sessions(t.Context(), storetest.As(p), p.ID)
					if err != nil || len(list) != 1 {
						return fmt.Errorf("%d sessions, %w", len(list), err)
					}
					return s.EndSession(t.Context(), storetest.As(p), list[0].ID)
				}}
			},
			"somebody signed out everywhere": func() under {
				p, cookie := member()
				return under{inConsole + "file?path=big.bin", "Cookie", cookie, func() error { _, err := s.SignOutEverywhere(t.Context(), s.Admin, p.ID); return err }}
			},
			"somebody who changed the password": func() under {
				p, cookie := member()
				return under{inConsole + "archive", "Cookie", cookie, func() error {
					_, _, err := s.ChangePassword(t.Context(), storetest.As(p), storetest.Password, "seven green bicycles under a bridge")
					return err
				}}
			},
			"somebody who was removed": func() under {
				p, cookie := member()
				return under{inConsole + "archive", "Cookie", cookie, func() error { _, err := s.RemoveMember(t.Context(), s.Admin, "marlowe-press", p.ID); return err }}
			},
		} {
			d := begin()
			a := ask(d.path, d.field, d.value)
			if err := d.do(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n, err := io.Copy(io.Discard, a.Body); err == nil || n > onWay {
				t.Errorf("%s: %d more bytes came (%v)", name, n, err)
			}
		}
		for i, a := range goOn {
			if n, err := io.Copy(io.Discard, a.Body); err != nil || n < threeMiB-narrow {
				t.Errorf("the one that is none of theirs (%d) ended after %d bytes with %v", i, n, err)
			}
		}
		last := ask(archive, "X-API-Key", keptKey.Reveal())
		web.New(s.Handlers, nil).Lapsed()
		if n, err := io.Copy(io.Discard, last.Body); err == nil || n > onWay {
			t.Errorf("when nobody knows what has changed %d more bytes came (%v)", n, err)
		}
	})
}

// An export ends at the very change that takes the role away which it was asked for with, or the session.
func TestAnExportEndsWithTheRole(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		ask := slowly(t, s)
		home, err := s.HomeWorkspace(t.Context(), s.Admin)
		if err != nil {
			t.Fatal(err)
		}
		fillLogOf(t, s, 1800, strings.Repeat("long ", 400), home.ID)
		for i := range 60 {
			s.WorkspaceToken(t, s.Admin, home.Slug, models.NewAPIToken{Name: fmt.Sprint("T", i)})
		}
		execute(t, s, "UPDATE credentials SET revoke_reason = '"+strings.Repeat("long ", 10_000)+"'")
		ofWorkspace := "/w/" + home.Slug + "/settings/audit.csv"
		runs := func(role models.WorkspaceRole) models.Person {
			p := s.Person(t, s.Admin, models.Member)
			if _, err := s.ChangeMember(t.Context(), s.Admin, home.Slug, p.ID, role); err != nil {
				t.Fatal(err)
			}
			return p
		}
		demote := func(p models.Person) error {
			_, err := s.EditPerson(t.Context(), s.Admin, p.ID, models.PersonEdit{Name: p.Name, Email: p.Email, Role: models.Member})
			return err
		}
		goesOn := ask(ofWorkspace, "Cookie", "sid="+session(t, s, runs(models.WorkspaceAdmin)))
		for name, c := range map[string]struct {
			path   string
			reader func() models.Person
			do     func(p models.Person) error
		}{
			"the log, of an Admin who is none any more":         {"/audit.csv", func() models.Person { return s.Person(t, s.Admin, models.Admin) }, demote},
			"the log as lines, of an Admin who was deactivated": {"/audit.jsonl", func() models.Person { return s.Person(t, s.Admin, models.Admin) }, func(p models.Person) error { _, err := s.DeactivatePerson(t.Context(), s.Admin, p.ID); return err }},
			"the credentials, of an Admin who is none any more": {"/credentials.csv", func() models.Person { return s.Person(t, s.Admin, models.Admin) }, demote},
			"the credentials, of an Admin who was signed out":   {"/credentials.csv", func() models.Person { return s.Person(t, s.Admin, models.Admin) }, func(p models.Person) error { _, err := s.SignOutEverywhere(t.Context(), s.Admin, p.ID); return err }},
			"a workspace's log, of somebody who runs it no more": {ofWorkspace, func() models.Person { return runs(models.WorkspaceAdmin) }, func(p models.Person) error {
				_, err := s.ChangeMember(t.Context(), s.Admin, home.Slug, p.ID, models.WorkspaceMember)
				return err
			}},
			"a workspace's log, of somebody who is there no more": {ofWorkspace, func() models.Person { return runs(models.WorkspaceAdmin) }, func(p models.Person) error {
				_, err := s.RemoveMember(t.Context(), s.Admin, home.Slug, p.ID)
				return err
			}},
		} {
			p := c.reader()
			a := ask(c.path, "Cookie", "sid="+session(t, s, p))
			if err := c.do(p); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n, err := io.Copy(io.Discard, a.Body); err == nil || n > onWay {
				t.Errorf("%s: %d more bytes came (%v)", name, n, err)
			}
		}
		if n, err := io.Copy(io.Discard, goesOn.Body); err != nil || n < threeMiB {
			t.Errorf("the one that is none of theirs ended after %d bytes with %v", n, err)
		}
	})
}

// A server that does not know what has changed sends no files: it could not end them in time.
func TestNoFilesFromAServerThatDoesNotHear(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		deaf := *s.Handlers
		deaf.Gate = access.NewGate(s.Store, access.NewTally(), s.Clock.Now)
		deaf.Gate.Remember(access.NewMemory(1000), true)
		server := httptest.NewServer(web.New(&deaf, nil))
		t.Cleanup(server.Close)
		path := largeDownloads(t, s)[0]
		a := beginDownload(t, server, session(t, s, s.Person(t, s.Admin, models.Member)), path)
		said, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(said), "does not know what has changed") {
			t.Errorf("it answers %d: %s (%v)", a.StatusCode, said, err)
		}
	})
}
