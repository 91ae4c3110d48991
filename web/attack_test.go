package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// dial opens a connection of one's own to the server, for what no HTTP client would do.
func dial(t *testing.T, s webtest.Site) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// statusOf reads an answer's status; 0 when the connection was closed without one.
func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// A caller that closes its half of the connection cancels the request and still reads the answer. What
// could not be found out for that reason is never told as a success.
func TestHalfClosedIsNeverASuccess(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		unknown, err := secret.Mint("user", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, request := range map[string]string{
			"an unknown token":  "POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + unknown.Reveal() + "\r\nContent-Length: 0\r\n\r\n",
			"an unknown cookie": "GET /people HTTP/1.1\r\nHost: x\r\nCookie: sid=abc\r\n\r\n",
		} {
			for range 20 {
				conn := dial(t, s)
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
				if err := conn.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if status := statusOf(t, conn); status >= 200 && status < 300 {
					t.Fatalf("%s: status %d", name, status)
				}
			}
		}
	})
}

// A form that an Admin holds open, all but its last byte sent, does nothing once the Admin was demoted
// (S3): no token is shown, nobody is added.
func TestFormsHeldOpen(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		eve := s.Person(t, s.Admin, models.Admin)
		cookie := ""
		for _, c := range s.SignedIn(t, eve.Email).Cookies(t) {
			cookie += c.Name + "=" + c.Value + "; "
		}
		forms := map[string]string{
			"/people/" + s.Admin.ID + "/bearer-token": "form_id=" + secret.FormID(),
			"/people":           "name=Mallory&email=m%40x.example&role=Admin&password=" + strings.ReplaceAll(storetest.Password, " ", "+"),
			"/people/" + eve.ID: "name=Eve&email=" + strings.ReplaceAll(eve.Email, "@", "%40") + "&role=Admin",
		}
		open := map[string]*net.TCPConn{}
		for path, body := range forms {
			conn := dial(t, s)
			head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", path, cookie, len(body))
			if _, err := io.WriteString(conn, head+body[:len(body)-1]); err != nil {
				t.Fatal(err)
			}
			open[path] = conn
		}
		if _, err := s.EditPerson(t.Context(), s.Admin, eve.ID, models.PersonEdit{Name: eve.Name, Email: eve.Email, Role: models.Member}); err != nil {
			t.Fatal(err)
		}
		before := s.Changes(t)
		for path, conn := range open {
			body := forms[path]
			if _, err := io.WriteString(conn, body[len(body)-1:]); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if status := statusOf(t, conn); status < 300 || status == http.StatusInternalServerError {
				t.Errorf("%s: status %d", path, status)
			}
		}
		if s.Changes(t) != before {
			t.Error("something was changed")
		}
	})
}

// S5: adding an Admin, who could then do all the rest, needs a recent password like the rest.
func TestAddingAnAdminNeedsThePassword(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(models.RecentSignIn)
	tom := webtest.Form{"name": "Tom Okafor", "email": "tom@marlowe.example", "role": "Admin", "password": storetest.Password}
	back := admin.Post(t, "/people", tom).Want(t, http.StatusUnprocessableEntity).Has(t, "Enter your password")
	if back.Value(t, "name") != "Tom Okafor" {
		t.Error("what was typed is lost")
	}
	tom["current_password"] = storetest.Password
	admin.Post(t, "/people", tom).Want(t, http.StatusSeeOther)
	s.Clock.Advance(models.RecentSignIn)
	admin.Post(t, "/people", webtest.Form{"name": "Mia", "email": "mia@marlowe.example", "role": "Member", "password": storetest.Password}).Want(t, http.StatusSeeOther)
}

// The Host field comes from outside and is shown in commands that people copy: what is no plain host is not.
func TestHostIsNoCommand(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, "ines@marlowe.example")
	for host, shown := range map[string]string{
		"$(id)": "http://localhost/installCollection", "a;id": "http://localhost/installCollection", "a'b": "http://localhost/installCollection",
		"desk.example:8080": "http://desk.example:8080/installCollection", "[::1]:9": "http://[::1]:9/installCollection",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/w/marlowe-press/settings/collections", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Cookie", "sid="+admin.Cookie(t, "sid"))
		if said := admin.Do(t, r).Want(t, http.StatusOK).Text(t, "#install pre"); !strings.Contains(said, "POST "+shown+" ") {
			t.Errorf("Host %s: %s", host, said)
		}
	}
}
