package models_test

import (
	"slices"
	"testing"

	"tokendesk/models"
)

// What tokens lose: those that are narrowed, the operations whose name is gone; those that may use everything, calls that nothing covers any more.
func TestLoss(t *testing.T) {
	t.Parallel()
	const before = "Docs (docs)\n list GET /api/docs\n list GET /api/docs/{id}\n search GET /api/docs/search\n add POST /api/docs\nLogs (logs)\n read GET /api/logs/*"
	for name, c := range map[string]struct {
		to               string
		lost, gone, some []string // some: by a token for docs:search and logs:read
		empty            bool
	}{
		"nothing":       {to: before},
		"another order": {to: "Logs (logs)\n read GET /api/logs/*\nPapers (docs)\n add POST /api/docs\n search GET /api/docs/search\n list GET /api/docs"},
		"another path":  {to: "Docs (docs)\n list GET /api/v2\n search GET /api/v2/search\n add POST /api/v2\nLogs (logs)\n read GET /api/v2/logs"},
		"a line":        {to: "Docs (docs)\n list GET /api/docs\n search GET /api/docs/search\nLogs (logs)\n read GET /api/logs/*", lost: []string{"docs:add"}, gone: []string{"docs:add"}},
		"a line that another covers": {to: "Docs (docs)\n list GET /api/docs\n list GET /api/docs/{id}\n add POST /api/docs\nLogs (logs)\n read GET /api/logs/*",
			lost: []string{"docs:search"}, some: []string{"docs:search"}},
		"a key": {to: "Docs (docs)\n list GET /api/docs\n search GET /api/docs/search\n add POST /api/docs\nLogs (log)\n read GET /api/logs/*",
			lost: []string{"logs:read"}, some: []string{"logs:read"}},
		"a narrower one": {to: "Docs (docs)\n list GET /api/docs\n search GET /api/docs/search\n add POST /api/docs\nLogs (log)\n read GET /api/logs/{day}",
			lost: []string{"logs:read"}, gone: []string{"logs:read"}, some: []string{"logs:read"}},
		"all": {lost: []string{"docs:list", "docs:search", "docs:add", "logs:read"}, gone: []string{"docs:list", "docs:search", "docs:add", "logs:read"}, some: []string{"docs:search", "logs:read"}, empty: true},
	} {
		from, wrong := models.ParseResources(before)
		to, wrongToo := models.ParseResources(c.to)
		if len(wrong)+len(wrongToo) > 0 {
			t.Fatal(name, wrong, wrongToo)
		}
		loss := from.Loss(to)
		if !slices.Equal(loss.Scopes, c.lost) || !slices.Equal(loss.Gone, c.gone) || loss.Empty != c.empty {
			t.Errorf("%s: %+v", name, loss)
		}
		if got := loss.Of(models.Scopes{"docs:search", "logs:read"}); !slices.Equal(got, c.some) {
			t.Errorf("%s: the narrowed one loses %v", name, got)
		}
		if got := loss.Of(nil); !slices.Equal(got, c.gone) {
			t.Errorf("%s: the one for all loses %v", name, got)
		}
	}
	if (models.Resources{}).Loss(nil).Empty {
		t.Error("what was empty becomes empty")
	}
}
