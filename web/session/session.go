// Package session signs browsers in, on gorilla/sessions. The cookie holds a random value and nothing
// else; the row that it names is in the store, and ending a session is removing the row.
package session

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Rows is where sessions are kept.
type Rows interface {
	FindSession(ctx context.Context, cookie string) (models.SessionSeen, error)
	SaveSessionData(ctx context.Context, id string, data []byte) error
}

// Store is a sessions.Store over Rows. A row is made by a sign-in and by nothing else: Save changes
// one that is there, and never brings one back.
type Store struct {
	rows   Rows
	name   string // of the cookie
	secure bool
}

// Note is a message for the next page.
type Note struct{ Kind, Lead, Text string }

// data is what a row keeps for the next page.
type data struct {
	Note     *Note `json:"note,omitempty"`     // the last one; an older one that no page showed is out of date
	Revealed bool  `json:"revealed,omitempty"` // the last page showed a secret
}

// NewStore makes a store. Behind TLS the cookie is bound to the host and to TLS by its name
// (RFC 6265bis, section 4.1.3.2); over plain HTTP browsers would refuse that one.
func NewStore(rows Rows, secure bool) *Store {
	s := &Store{rows: rows, name: "sid", secure: secure}
	if secure {
		s.name = "__Host-sid"
	}
	return s
}

const (
	seenKey    = "seen"
	dataKey    = "data"
	startedKey = "started" // the cookie's value that this very answer sets
)

// Get answers the request's session, read once; IsNew when there is none, and an error when it could
// not be found out whether there is one.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session that the request's cookie names.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.Options = s.options()
	session.IsNew = true
	cookie, err := r.Cookie(name)
	if err != nil || cookie.Value == "" {
		return session, nil
	}
	err = s.load(r.Context(), session, cookie.Value)
	if models.KindOf(err) == models.NotFound {
		return session, nil
	}
	return session, err
}

// load reads the row that a cookie's value names.
func (s *Store) load(ctx context.Context, session *sessions.Session, cookie string) error {
	seen, err := s.rows.FindSession(ctx, cookie)
	if err != nil {
		return err
	}
	var kept data
	if json.Unmarshal(seen.Session.Data, &kept) != nil {
		kept = data{} // what cannot be read is a note that is not shown
	}
	session.Values[seenKey], session.Values[dataKey], session.IsNew = seen, kept, false
	return nil
}

// Save sets the cookie when the session has a new secret as its ID, removes it when MaxAge is
// negative, and otherwise keeps what the next page shows.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.ID != "" || session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), session.ID, session.Options))
		return nil
	}
	seen, ok := session.Values[seenKey].(models.SessionSeen)
	if !ok {
		return nil
	}
	text, err := json.Marshal(session.Values[dataKey])
	if err != nil {
		return err
	}
	return s.rows.SaveSessionData(r.Context(), seen.Session.ID, text)
}

func (s *Store) options() *sessions.Options {
	return &sessions.Options{
		Path: "/", MaxAge: int(models.SessionLife / time.Second), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}

// Current answers who is signed in; false when nobody is.
func (s *Store) Current(r *http.Request) (models.SessionSeen, bool, error) {
	session, err := s.Get(r, s.name)
	if err != nil {
		return models.SessionSeen{}, false, err
	}
	seen, ok := session.Values[seenKey].(models.SessionSeen)
	return seen, ok, nil
}

// Start gives the browser the secret of a session that was just made or renewed.
func (s *Store) Start(r *http.Request, w http.ResponseWriter, text secret.Text) error {
	session, err := s.Get(r, s.name)
	if err != nil {
		return err
	}
	session.ID = text.Reveal()
	err = s.Save(r, w, session)
	session.Values[startedKey], session.ID = session.ID, ""
	return err
}

// End takes the cookie from the browser. The row is ended by the store.
func (s *Store) End(r *http.Request, w http.ResponseWriter) {
	session := sessions.NewSession(s, s.name)
	session.Options = s.options()
	session.Options.MaxAge = -1
	_ = s.Save(r, w, session) // only sets a cookie
}

// Leave keeps a note for the next page of this session.
func (s *Store) Leave(r *http.Request, w http.ResponseWriter, note Note) error {
	return s.change(r, w, func(d *data) { d.Note = &note })
}

// MarkRevealed remembers that this answer shows a secret. The next page then changes a cookie, which
// has browsers drop the page with the secret from their back/forward cache, with or without script.
func (s *Store) MarkRevealed(r *http.Request, w http.ResponseWriter) error {
	return s.change(r, w, func(d *data) { d.Revealed = true })
}

// Take hands over what was left for this page, once.
func (s *Store) Take(r *http.Request, w http.ResponseWriter) (*Note, error) {
	session, err := s.Get(r, s.name)
	if err != nil {
		return nil, err
	}
	left, _ := session.Values[dataKey].(data)
	if left.Note == nil && !left.Revealed {
		return nil, nil
	}
	if left.Revealed {
		s.evict(w)
	}
	return left.Note, s.change(r, w, func(d *data) { *d = data{} })
}

func (s *Store) evict(w http.ResponseWriter) {
	name := "n"
	if s.secure {
		name = "__Host-n"
	}
	options := s.options()
	options.MaxAge = 60
	http.SetCookie(w, sessions.NewCookie(name, models.NewID(), options))
}

func (s *Store) change(r *http.Request, w http.ResponseWriter, f func(*data)) error {
	session, err := s.Get(r, s.name)
	if err != nil {
		return err
	}
	if cookie, ok := session.Values[startedKey].(string); ok { // what is left is for the session that goes on
		if err := s.load(r.Context(), session, cookie); err != nil {
			return err
		}
		delete(session.Values, startedKey)
	}
	if session.IsNew {
		return nil
	}
	kept, _ := session.Values[dataKey].(data)
	f(&kept)
	session.Values[dataKey] = kept
	return s.Save(r, w, session)
}
