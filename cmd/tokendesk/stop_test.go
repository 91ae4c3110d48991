package main

import (
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3/lock"

	"tokendesk/models/store/storetest"
)

// refusedTimes is how often something was refused, as the log tells it.
var refusedTimes = regexp.MustCompile(`collection\.refused .* times:""->"(\d+)"`)

// Told to end, a server accepts nothing more, finishes the upload that is on its way, writes down every
// call that it has answered, and every refusal, and succeeds.
func TestEndingInOrder(t *testing.T) {
	t.Parallel()
	for _, by := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, in place) {
				const calls = 200
				s := in.serve(t)
				b := s.setUp(t)
				token := b.bearerToken(t)
				sending := s.beginUpload(t, token)
				s.call(t, token, calls)

				s.signal(t, by)
				s.refuses(t)
				if a := sending.finish(t); a.status != http.StatusOK || !strings.Contains(a.body, "Collection installed successfully from tools.zip.") {
					t.Errorf("the upload is answered %d %s", a.status, a.body)
				}
				if r := s.wait(t); r.code != 0 {
					t.Fatalf("exit code %d: %s", r.code, r.err)
				}
				row := tokenRow.FindStringSubmatch(in.ok(t, "", "token", "list"))
				if row == nil || row[5] != strconv.Itoa(calls+1) {
					t.Errorf("of %d calls these are counted: %q", calls+1, row)
				}
				log, refused := in.ok(t, "", "audit", "tail", "-n", "50"), 0
				for _, times := range refusedTimes.FindAllStringSubmatch(log, -1) {
					n, _ := strconv.Atoi(times[1])
					refused += n
				}
				if !strings.Contains(log, ` collection.installed by program "Ines Moreau" on `) || refused != calls {
					t.Errorf("the log tells of %d refused calls, want %d: %s", refused, calls, log)
				}
			})
		})
	}
}

// Where finishing takes too long for the operator, another signal ends the server at once.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t)
	b := s.setUp(t)
	sending := s.beginUpload(t, b.bearerToken(t))
	s.signal(t, syscall.SIGTERM)
	s.refuses(t)
	s.signal(t, syscall.SIGTERM)
	r := s.wait(t)
	if status := s.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("exit code %d, and no end by the second signal: %s", r.code, r.err)
	}
	sending.abandon()

	// What it left behind is whole: the next server starts on it, and nothing was installed.
	in.serve(t).stop(t)
	if log := in.ok(t, "", "audit", "tail"); strings.Contains(log, "collection.installed") {
		t.Errorf("half an upload was installed: %s", log)
	}
}

// A server that is told to end while it still starts, here because another one migrates, just ends.
func TestEndingBeforeTheBeginning(t *testing.T) {
	t.Parallel()
	in := onPostgres(t)
	db := in.open(t)
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
		t.Fatal(err)
	}
	p := launch(t, in.env(), "", "serve")
	again, late := time.NewTicker(5*time.Millisecond), time.After(enough)
	defer again.Stop()
	for connected := 0; connected < 2; {
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").Scan(&connected); err != nil {
			t.Fatal(err)
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("the server does not connect: %s", p.err)
		}
	}
	p.signal(t, syscall.SIGTERM)
	if r := p.wait(t); r != (result{}) {
		t.Errorf("exit code %d, stdout %q, stderr %q", r.code, r.out, r.err)
	}
}

// Servers that start at the same moment on one empty database all come up, and see one another's changes.
func TestServersThatStartTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		servers := make([]server, 2)
		launched := []*process{launch(t, in.env(), "", "serve"), launch(t, in.env(), "", "serve")}
		for i, p := range launched {
			servers[i] = server{p, p.await(t, p.err, listening)[1]}
		}
		token := servers[0].setUp(t).bearerToken(t)
		other := servers[1].browser(t)
		other.get(t, "/setup?code=x").want(t, http.StatusNotFound)
		if status := other.signIn(t, "ines@marlowe.example", storetest.Password); status != http.StatusSeeOther {
			t.Errorf("the other server does not know the Admin: %d", status)
		}
		other.install(t, token).want(t, http.StatusOK)
		for _, s := range servers {
			s.stop(t)
		}
		row := tokenRow.FindStringSubmatch(in.ok(t, "", "token", "list"))
		if row == nil || row[5] != "1" {
			t.Errorf("the call is counted as %q", row)
		}
		in.ok(t, "", "audit", "verify")
	})
}

// The log in JSON is an object in every line, from the first to the last.
func TestLogInJSON(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t, "TOKENDESK_LOG_FORMAT=json")
	b := s.setUp(t)
	token := b.bearerToken(t)
	b.install(t, token).want(t, http.StatusOK)
	b.install(t, token[:len(token)-1]).want(t, http.StatusUnauthorized)
	b.get(t, "/no such page%0a").want(t, http.StatusNotFound)
	r := s.stop(t)
	said := map[string]bool{}
	for _, line := range wantJSON(t, r.err) {
		said[line["msg"].(string)] = true
		if line["time"] == nil || line["level"] == nil {
			t.Errorf("a line without time or level: %v", line)
		}
	}
	if !said["tokendesk is listening"] || !said["request"] || !said["tokendesk is ending: it finishes what runs; another signal ends it at once"] {
		t.Errorf("the log says %v", said)
	}
	wantNoSecret(t, token, r.out, r.err)
}

// wantJSON insists that every line is a JSON object.
func wantJSON(t *testing.T, text string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		lines = append(lines, object)
	}
	return lines
}

// call makes calls with a token that are counted and do nothing: there is no file in them.
func (s server) call(t *testing.T, token string, calls int) {
	t.Helper()
	const at = 8 // at once
	var all sync.WaitGroup
	b := s.browser(t)
	for range at {
		all.Go(func() {
			for range calls / at {
				r := b.request(t, http.MethodPost, "/installCollection", nil)
				r.Header.Set("Authorization", "Bearer "+token)
				response, err := b.client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != http.StatusBadRequest {
					t.Errorf("a call without a file is answered %d", response.StatusCode)
				}
			}
		})
	}
	all.Wait()
}

// uploading is an upload of which the server has the first half.
type uploading struct {
	form *multipart.Writer
	part io.Writer
	pipe *io.PipeWriter
	rest []byte
	done chan answered
}

// beginUpload sends half of a collection. The server has let it pass by then, and waits for the rest:
// the body begins only when it has asked for it, with 100 Continue.
func (s server) beginUpload(t *testing.T, token string) *uploading {
	t.Helper()
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	b := s.browser(t)
	r := b.request(t, http.MethodPost, "/installCollection", body)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Expect", "100-continue")
	u := &uploading{form: form, pipe: pipe, done: make(chan answered, 1)}
	go func() {
		defer close(u.done)
		response, err := b.client.Do(r)
		if err != nil {
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		u.done <- answered{response.StatusCode, "", string(text)}
	}()
	var err error
	if u.part, err = form.CreateFormFile("collectionFile", "tools.zip"); err != nil {
		t.Fatal(err)
	}
	zip := collection(t)
	u.rest = zip[len(zip)/2:]
	if _, err := u.part.Write(zip[:len(zip)/2]); err != nil {
		t.Fatal(err)
	}
	return u
}

// finish sends the rest and answers what the server said.
func (u *uploading) finish(t *testing.T) answered {
	t.Helper()
	if _, err := u.part.Write(u.rest); err != nil {
		t.Fatalf("the server does not take the rest: %v", err)
	}
	if err := u.form.Close(); err != nil {
		t.Fatal(err)
	}
	u.pipe.Close()
	a, ok := <-u.done
	if !ok {
		t.Fatal("the upload got no answer")
	}
	return a
}

func (u *uploading) abandon() {
	u.pipe.CloseWithError(io.ErrUnexpectedEOF)
	<-u.done
}
