package store_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// everything is all that the database holds, as text; of SQLite also the bytes of its files.
func everything(t *testing.T, w storetest.World) string {
	t.Helper()
	if w.Database() == "SQLite" {
		var all []byte
		for _, suffix := range []string{"", "-wal", "-shm"} {
			part, err := os.ReadFile(w.DatabaseFile() + suffix)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, part...)
		}
		return string(all)
	}
	var tables []string
	if err := w.DB().Raw("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").Scan(&tables).Error; err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		var rows []string
		if err := w.DB().Raw("SELECT x::text FROM " + table + " x").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(rows, "\n"))
	}
	return all.String()
}

// T4, T6, S1: no credential, session, set-up code or password is anywhere in the database or the log, in any
// spelling, whatever was done with it: used, replaced, revoked, ended, refused, failed.
func TestNoSecretIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		history(t, w)
		admin := w.Person(t, command, models.Admin)
		token, text := w.Token(t, storetest.As(admin), admin.ID)
		cookie := signIn(t, w, admin.Email, storetest.Password)
		_, who := find(t, w, cookie)
		if confirmed, err := w.ConfirmSession(t.Context(), who, storetest.Password); err != nil {
			t.Fatal(err)
		} else {
			w.Secrets.Add(confirmed)
		}
		if _, _, err := w.ChangePassword(t.Context(), who, storetest.Password, another); err != nil {
			t.Fatal(err)
		}
		if _, err := w.RevokeCredential(t.Context(), storetest.As(admin), token.ID, models.Revocation{Reason: "lost"}); err != nil {
			t.Fatal(err)
		}
		card, _ := w.WorkspaceToken(t, storetest.As(admin), home, models.NewAPIToken{Name: "a"})
		_, second, err := w.RegenerateAPIToken(t.Context(), storetest.As(admin), home, card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		w.Secrets.Add(second)
		_, err = w.RevokeAPIToken(t.Context(), storetest.As(admin), home, card.ID, models.Revocation{Reason: "lost"})
		must(t, err)
		a := newAccount(t, w)
		a.Secrets.Add(another)
		must(t, w.SetPassword(t.Context(), command, admin.ID, storetest.Password))
		signed := a.signIn(t, admin.Email)
		a.automation(t, signed.who(), home, "no_exp")
		next := a.renew(t, signed, "")
		stolen := a.signIn(t, admin.Email)
		a.renew(t, stolen, "")
		a.refused(t, "a used one", stolen.refresh, models.Renewal{Email: admin.Email}, models.Ambiguous)
		a.refused(t, "with another address", next.refresh, models.Renewal{Email: "x"}, models.Ambiguous)
		must(t, w.SetPassword(t.Context(), command, admin.ID, another))
		release := trap(t, w)
		_, _, _ = w.SignIn(t.Context(), guest, models.SignIn{Email: admin.Email, Password: another})
		release()
		_ = w.DB().Exec("INSERT INTO credentials (id) VALUES (?)", text.Reveal()).Error // what a mistake of ours would log
		all, log := everything(t, w), w.Log.String()
		if !strings.Contains(all, token.Prefix) || !strings.Contains(log, "INSERT INTO credentials") {
			t.Fatal("the search does not see what is there")
		}
		for _, s := range append(w.Secrets.All(), storetest.Password, another) {
			for how, spelled := range map[string]string{
				"as it is": s, "its first half": s[:len(s)/2], "its second half": s[len(s)/2:], "in hexadecimal": hex.EncodeToString([]byte(s)), "in base64": base64.RawStdEncoding.EncodeToString([]byte(s)),
			} {
				if strings.Contains(all, spelled) {
					t.Errorf("the database has a secret %s", how)
				}
				if strings.Contains(log, spelled) {
					t.Errorf("the log has a secret %s", how)
				}
			}
		}
	})
}

// T6: a whole token that somebody typed where a name or a reason belongs does not get into the log, which nobody can
// change: what stays of it is its beginning.
func TestNoTokenStaysInAnEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		typed, err := secret.Mint("user", nil) // nobody's, and so no secret that the database must not have
		must(t, err)
		token := typed.Reveal()
		person, err := w.CreatePerson(t.Context(), admin, models.NewPerson{Name: "Tom " + token, Email: "tom@x.example", Role: models.Member, Password: storetest.Password})
		must(t, err)
		_, err = w.EditPerson(t.Context(), admin, person.ID, models.PersonEdit{Name: token + " Okafor", Email: person.Email, Role: models.Member})
		must(t, err)
		made, _ := w.Token(t, admin, person.ID)
		_, err = w.RevokeCredential(t.Context(), admin, made.ID, models.Revocation{Reason: "found " + token + " in a mail"})
		must(t, err)
		card, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Of " + token})
		_, err = w.RenameAPIToken(t.Context(), admin, home, card.ID, models.TokenNaming{Name: "Not " + token})
		must(t, err)
		list, err := w.EventsAfter(t.Context(), 0, 100)
		must(t, err)
		masked := 0
		for _, e := range list {
			text := fmt.Sprint(e.ActorName, e.SubjectName, e.Changes)
			if strings.Contains(text, token[8:]) {
				t.Errorf("event %d, %s, has the token: %s", e.Seq, e.Action, text)
			}
			if strings.Contains(text, token[:8]+"…") {
				masked++
			}
		}
		if masked < 6 {
			t.Errorf("%d events have the beginning of the token", masked)
		}
		if chain, err := w.VerifyEvents(t.Context()); err != nil || chain.Broken != "" {
			t.Errorf("the chain: %+v, %v", chain, err)
		}
	})
}
