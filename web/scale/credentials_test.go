package scale

import (
	"encoding/json"
	"testing"
	"time"

	"tokendesk/models"
)

const credentials = "tbody tr[data-token-id]"

// credentialPages are each filter of the list of all credentials: its first page, and one that is deep in it, where the list has gone on to
// what was made in the middle of the installation's life.
func credentialPages(t testing.TB, in installation) []page {
	robot, home := person(t, in, "build robot"), workspace(t, in)
	middle := in.Clock.Now().AddDate(-1, 0, 0)
	after := func(at time.Time) string {
		text, err := json.Marshal(models.CredentialPlace{ID: idOf(middle), At: at})
		if err != nil {
			t.Fatal(err)
		}
		return "&after=" + in.Handlers.Key.Sign("list/credentials", text)
	}
	deep := after(time.Time{})
	list := []page{
		{name: "a credential by its ID", path: "/credentials/" + newestCredential(t, in), row: "main h1", rows: 1},
	}
	for _, f := range []struct{ name, query string }{
		{"all credentials", ""}, {"by kind: bearer", "kind=bearer"}, {"by kind: API token", "kind=api"}, {"by owner", "owner=" + robot.ID}, {"nobody's", "owner=workspace"},
		{"by workspace", "workspace=" + home.Slug}, {"by maker", "created_by=" + robot.ID}, {"active", "status=active"}, {"inactive", "status=inactive"}, {"revoked", "status=revoked"},
		{"that never expire", "expires=never"}, {"unused for 30 days", "unused=30d"}, {"unused for 180 days", "unused=180d"}, {"never used", "unused=never"},
		{"by a word that thousands have", "q=payroll"}, {"by words that hundreds have", "q=payroll+queries"}, {"by a beginning", "q=prod_1"}, {"by a common name", "q=bearer"}, {"by last four, of none", "q=zz9Z"}, {"by a name of nobody", "q=zyzzyva"},
		{"active, of a workspace", "status=active&workspace=" + home.Slug}, {"revoked, by owner", "status=revoked&owner=" + robot.ID}, {"API tokens, active, unused", "kind=api&status=active&unused=90d"},
		{"of a workspace, by word", "q=payroll&workspace=" + home.Slug},
	} {
		list = append(list, page{name: "credentials, " + f.name + ", page 1", path: "/credentials?" + f.query, row: credentials, rows: -1},
			page{name: "credentials, " + f.name + ", last, a year back", path: "/credentials?" + f.query + deep, row: credentials, rows: -1})
	}
	now := in.Clock.Now()
	return append(list,
		page{name: "credentials, expired, page 1", path: "/credentials?status=expired", row: credentials, rows: -1},
		page{name: "credentials, expired, last, a year back", path: "/credentials?status=expired" + after(middle), row: credentials, rows: -1},
		page{name: "credentials, expire within 90 days, page 1", path: "/credentials?expires=90d", row: credentials, rows: -1},
		page{name: "credentials, expire within 90 days, last, half-way", path: "/credentials?expires=90d" + after(now.AddDate(0, 0, 45)), row: credentials, rows: -1},
	)
}

func newestCredential(t testing.TB, in installation) string {
	t.Helper()
	found, err := in.AllCredentials(t.Context(), command, models.CredentialFilter{Limit: 1})
	if err != nil || len(found.Rows) != 1 {
		t.Fatalf("%d credentials (%v)", len(found.Rows), err)
	}
	return found.Rows[0].ID
}
