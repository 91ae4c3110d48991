package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/handlers/manage"
	"tokendesk/models"
	"tokendesk/models/access"
)

// guard says who may come in. Every row of the table has one; the zero guard lets nobody in.
type guard string

const (
	anyone           guard = "anyone"
	holders          guard = "whoever holds it"                           // anybody; who sends a credential beside what they hold is its person, or nobody
	signed           guard = "signed"                                     // a signed-in person
	admins           guard = "admins"                                     // a signed-in Admin
	adminPrograms    guard = "admin programs"                             // a credential of an Admin; never a cookie
	programs         guard = "programs"                                   // a credential that opens what it asks for; never a cookie
	signedInPrograms guard = "signed-in programs"                         // a sign-in token; never a cookie
	endingPrograms   guard = "signed-in programs that end what is theirs" // as those before, and no limit keeps them from it
	accountPrograms  guard = "programs of the account API"                // a sign-in token or an automation token; never a cookie

	// Of the management API: what an operation says who may make it. Never a cookie.
	peoplePrograms     guard = guard(manage.People)  // a credential that acts as a person
	everywherePrograms guard = guard(manage.Mine)    // the same, and for all that they may do
	managingPrograms   guard = guard(manage.Admins)  // an Admin's
	readingPrograms    guard = guard(manage.Readers) // a person's, or the access key of the collection that is read
	askingPrograms     guard = guard(manage.Askers)  // an API key or a bearer token, of whoever asks about credentials; never a cookie
)

// The tokens that the account API takes.
var (
	signInTokens  = []models.CredentialKind{models.SignInToken}
	accountTokens = []models.CredentialKind{models.SignInToken, models.AutomationToken}
	ofEverywhere  = []models.CredentialKind{models.APIKey, models.Bearer}
	ofPeople      = []models.CredentialKind{models.APIKey, models.Bearer, models.AutomationToken, models.SignInToken}
	ofReaders     = []models.CredentialKind{models.APIKey, models.Bearer, models.AutomationToken, models.SignInToken, models.CollectionKey}
)

// guarded puts a row's guard before its handler.
func (s *Server) guarded(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		if slices.ContainsFunc(c.ParamValues(), func(value string) bool { return !handlers.Legible(value) }) {
			return models.Fail(models.NotFound, "There is no such page.")
		}
		switch r.guard {
		case anyone, holders:
			handlers.Admit(c, handlers.Visit{Actor: handlers.Guest(c)})
		case signed, admins:
			if in, err := s.signedIn(c, r.guard == admins); !in || err != nil {
				return err
			}
		case adminPrograms:
			if err := s.admitProgram(c, access.Need{Admin: true}); err != nil {
				return err
			}
		case signedInPrograms:
			if err := s.admitProgram(c, accountNeed(c, signInTokens, true)); err != nil {
				return err
			}
		case endingPrograms:
			if err := s.admitProgram(c, accountNeed(c, signInTokens, false)); err != nil {
				return err
			}
		case accountPrograms:
			if err := s.admitProgram(c, accountNeed(c, accountTokens, true)); err != nil {
				return err
			}
		case peoplePrograms:
			if err := s.admitProgram(c, access.Need{Kinds: ofPeople, Limited: true}); err != nil {
				return err
			}
		case everywherePrograms:
			if err := s.admitProgram(c, access.Need{Kinds: ofEverywhere, Limited: true}); err != nil {
				return err
			}
		case managingPrograms:
			if err := s.admitProgram(c, access.Need{Admin: true, Limited: true}); err != nil {
				return err
			}
		case readingPrograms:
			c.Response().Header().Set(echo.HeaderReferrerPolicy, "no-referrer") // a key may stand in the address
			if err := s.admitProgram(c, access.Need{Kinds: ofReaders, Collection: c.Param("id"), Limited: true}); err != nil {
				return err
			}
		default:
			return models.Fail(models.Forbidden, "Nobody may come in here.")
		}
		return r.handler(c)
	}
}

// adminsOnly is what a signed-in person hears who opens what is for Admins.
var adminsOnly = models.Fail(models.Forbidden, "Your account is not an Admin's. Ask an Admin to change your role.")

// signedIn admits a signed-in person. Everybody else is sent to sign in, and from there back.
func (s *Server) signedIn(c echo.Context, needAdmin bool) (bool, error) {
	seen, in, err := s.handlers.Sessions.Current(c.Request())
	if err != nil {
		return false, err
	}
	if !in && c.Request().Method == http.MethodPost && strings.HasPrefix(c.Request().Header.Get(echo.HeaderContentType), echo.MIMEMultipartForm) {
		// A browser that is still sending a file does not follow elsewhere, but shows a page that says why.
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Cookie realm="tokendesk"`) // RFC 9110, section 15.5.2: a 401 says how
		return false, models.Fail(models.Unauthorized, "Nothing was done. Sign in, then send the file again.")
	}
	if !in {
		return false, c.Redirect(http.StatusSeeOther, "/signin?"+url.Values{"next": {backTo(c.Request())}}.Encode())
	}
	who := handlers.Guest(c)
	who.Kind, who.ID, who.Name, who.Role, who.SessionID = models.Human, seen.Person.ID, seen.Person.Name, seen.Person.Role, seen.Session.ID
	handlers.Admit(c, handlers.Visit{Actor: who, Seen: seen})
	if needAdmin && seen.Person.Role != models.Admin {
		return false, adminsOnly
	}
	if err := s.handlers.Store.TouchSession(c.Request().Context(), seen); err != nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the session's last use was not noted", slog.String("request_id", handlers.RequestID(c)), slog.Any("error", err))
	}
	return true, nil
}

// backTo is the page to return to after signing in: this one, unless it was a form.
func backTo(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return r.URL.RequestURI()
}

// accountNeed is what a call of the account API needs.
func accountNeed(c echo.Context, kinds []models.CredentialKind, limited bool) access.Need {
	return access.Need{Kinds: kinds, Workspace: strings.Join(c.Request().Header.Values("X-Workspace-Id"), ","), Limited: limited}
}

// admitProgram admits the owner of a valid credential, with the rights that they have now.
func (s *Server) admitProgram(c echo.Context, need access.Need) error {
	r := c.Request()
	verdicts, door := s.handlers.Gate.Verdicts(), s.doorOf(c)
	if r.URL.Query().Has("access_token") {
		verdicts.Count(door, access.RequestAmbiguous)
		return &refusal{access.Decision{Code: access.RequestAmbiguous, Check: "credential.presented",
			Detail: "A token in the address is not accepted, and may stand in logs on the way: replace it. Send it in the Authorization header."}}
	}
	d := s.handlers.Gate.Decide(r.Context(), access.Call{
		Presented: access.Present(r.Header.Values("Authorization"), r.Header.Values("X-API-Key"), r.Header.Values("X-API-Token"), inAddress(c, need)...),
		Need:      need, Address: c.RealIP(), RequestID: handlers.RequestID(c),
	})
	verdicts.Count(door, d.Code)
	s.tracer.Of(r.Context()).Verdict(string(d.Code), d.Scope)
	tellLimit(c.Response().Header(), &d)
	if !d.Allowed() {
		return &refusal{d}
	}
	handlers.Admit(c, handlers.Visit{Actor: d.Actor(c.RealIP(), handlers.RequestID(c)), Grant: d.Grant()})
	return nil
}

// doorOf is where a program knocks that is not at the gateway.
func (s *Server) doorOf(c echo.Context) access.Door {
	switch {
	case manages(c.Request()):
		return access.AtManagement
	case s.voices[c.Path()] == asStatus:
		return access.AtAccount
	}
	return access.AtInstall
}

// inAddress is the access key in the address of what reads a collection. Nothing else takes one from there.
func inAddress(c echo.Context, need access.Need) []string {
	if need.Collection == "" {
		return nil
	}
	return c.QueryParams()[handlers.AccessKeyParameter]
}

// refusal is a gate's decision on its way to the caller.
type refusal struct{ access.Decision }

func (r *refusal) Error() string { return string(r.Code) + " at " + r.Check }
func (r *refusal) Unwrap() error { return r.Cause }
