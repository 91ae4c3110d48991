package web_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode"

	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Security rules A4, T6 and T8 (ASVS 16.2.5, 16.4.1): whatever a caller sends, in whichever place, the log in
// text and in JSON has one line of ours for each request and nothing else: no line that was forged, no sign
// that a terminal would obey, no credential, neither whole nor in part. The same while the database is
// away, when failures are logged with their causes.
func TestA4TheLogIsOurs(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		_, token := s.Token(t, s.Admin, m.owner.ID)
		cookie := session(t, s, m.owner)
		for _, format := range []string{"text", "json"} {
			for _, away := range []bool{false, true} {
				talks, log := listening(t, s, format, away)
				sent := m.sendForgeries(t, talks, forgery+"\x00", cookie, token.Reveal()) + m.sendForgeries(t, talks, forgery, cookie, token.Reveal())
				lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
				requests := 0
				for _, line := range lines {
					if ours(t, format, line)["msg"] == "request" {
						requests++
					}
				}
				if requests != sent || sent < 100 {
					t.Errorf("%s, away %v: %d requests are %d lines", format, away, sent, requests)
				}
				if told := found([]byte(log.String()), []string{token.Reveal(), cookie, storetest.Password}); len(told) > 0 {
					t.Errorf("%s, away %v: the log has %v", format, away, told)
				}
			}
		}
	})
}

// listening is another server over the world of a site, and what it logs.
func listening(t *testing.T, s webtest.Site, format string, away bool) (webtest.Site, *storetest.Log) {
	t.Helper()
	talks := webtest.Start(t, s.World)
	if away {
		talks = webtest.Start(t, s.World, webtest.Over(closed(t, s)))
	}
	log, options := &storetest.Log{}, &slog.HandlerOptions{Level: slog.LevelDebug}
	h := *talks.Handlers
	h.Log = slog.New(slog.NewTextHandler(log, options))
	if format == "json" {
		h.Log = slog.New(slog.NewJSONHandler(log, options))
	}
	server := httptest.NewServer(web.New(&h, nil))
	t.Cleanup(server.Close)
	talks.URL, talks.Listener = server.URL, server
	return talks, log
}

// forgery ends a line of either format and begins one, obeys a terminal, and turns text around.
const forgery = "a\r\nlevel=INFO msg=request forged=1 \"}\n{\"level\":\"INFO\",\"msg\":\"request\",\"forged\":1} \x1b[2J\x1b]0;x\x07 \u202e\u2028\u0085"

// sendForgeries sends the forgery and the credential to every route, in every place that a caller fills,
// and answers how many requests that were.
func (m matrix) sendForgeries(t *testing.T, to webtest.Site, forgery, cookie, token string) (sent int) {
	t.Helper()
	escaped := strings.ReplaceAll(strings.ReplaceAll(httpEscape(forgery+token), "+", "%20"), "/", "%2F")
	inField := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1 // net/http refuses them in a field, as TestFramingIsUnambiguous has it
		}
		return r
	}, forgery) + token
	for _, row := range web.Rows() {
		if row.Name == "signout" || row.Name == "account.signout" {
			continue // they would end the session that the others come with
		}
		path := strings.NewReplacer(":id", escaped, ":workspace", escaped, "*", escaped).Replace(row.Path)
		for _, address := range []string{path, path + "?q=" + escaped + "&after=" + escaped + "&next=" + escaped, path + "?access_token=" + token, path + "/" + escaped} {
			form := "email=" + escaped + "&password=" + escaped + "&name=" + escaped + "&form_id=" + escaped + "&code=" + escaped
			kind := "application/x-www-form-urlencoded"
			if row.Voice == "envelope" {
				form, kind = string(bodyOf(part("collectionFile", token+".zip", m.archive), part(token, "", []byte(token)))), "multipart/form-data; boundary=edge"
			}
			if row.Voice == "status" {
				form, kind = jsonOf("email", forgery+token, "password", forgery+token, "refresh_token", forgery+token), "application/json"
			}
			var body io.Reader
			if row.Method == http.MethodPost {
				body = strings.NewReader(form)
			}
			to.Browser(t).Send(t, row.Method, address, body, "Content-Type", kind, "Cookie", "sid="+cookie+"; theme="+token, "User-Agent", inField, "Referer", to.URL+"/"+token,
				"X-Forwarded-For", inField, "X-Real-Ip", inField, "Forwarded", inField, "X-Request-Id", inField, "Accept", inField, "Authorization", "Bearer "+token, "X-Workspace-Id", inField)
			sent++
		}
	}
	return sent
}

func httpEscape(text string) string { return (webtest.Form{"": text}).Encode()[1:] }

// ours reads a line of the log and insists that it is one of ours: its own names, no sign in it that is
// not printed, and nothing of the forgery, because what callers write is not logged.
func ours(t *testing.T, format, line string) map[string]any {
	t.Helper()
	if strings.Contains(line, "forged") || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%s: a line has what a caller wrote: %q", format, line)
	}
	fields := map[string]any{}
	if format == "json" {
		decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
		if err := decoder.Decode(&fields); err != nil || decoder.More() {
			t.Errorf("no line of ours: %v: %q", err, line)
		}
	} else {
		for _, name := range []string{"time", "level", "msg", "method", "path", "status", "took", "address", "request_id", "error"} {
			if _, value, ok := strings.Cut(line, name+"="); ok {
				fields[name], _, _ = strings.Cut(value, " ")
			}
		}
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("no line of ours: %q", line)
		}
	}
	known := []string{"time", "level", "msg", "method", "path", "status", "took", "address", "request_id", "error", "code"}
	for name := range maps.Keys(fields) {
		if !slices.Contains(known, name) {
			t.Errorf("%s: a line has %s: %q", format, name, line)
		}
	}
	if fields["msg"] == "request" && fields["address"] != "127.0.0.1" {
		t.Errorf("%s: a request came from %v", format, fields["address"])
	}
	return fields
}
