package models_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
)

func days(n int) *int { return &n }

// What a policy may not say is told beside the field that says it, and all at once.
func TestPolicyEdit(t *testing.T) {
	good := models.Policy{KeyMakers: models.EveryoneMakesKeys}
	for name, c := range map[string]struct {
		change func(*models.PolicyEdit)
		field  string
	}{
		"nothing":                       {func(*models.PolicyEdit) {}, ""},
		"nobody makes keys":             {func(e *models.PolicyEdit) { e.KeyMakers = models.NobodyMakesKeys }, ""},
		"no makers":                     {func(e *models.PolicyEdit) { e.KeyMakers = "" }, "key_makers"},
		"other makers":                  {func(e *models.PolicyEdit) { e.KeyMakers = "Everyone" }, "key_makers"},
		"keys for ever":                 {func(e *models.PolicyEdit) { e.KeyDays = days(0) }, ""},
		"keys for ever, all expires":    {func(e *models.PolicyEdit) { e.KeyDays, e.ExpiryRequired = days(0), true }, "key_days"},
		"keys for ever, with a longest": {func(e *models.PolicyEdit) { e.KeyDays, e.LongestKeyDays = days(0), 30 }, "key_days"},
		"keys longer than the longest":  {func(e *models.PolicyEdit) { e.KeyDays, e.LongestKeyDays = days(31), 30 }, "key_days"},
		"keys as long as the longest":   {func(e *models.PolicyEdit) { e.KeyDays, e.LongestKeyDays = days(30), 30 }, ""},
		"keys of a longest API token":   {func(e *models.PolicyEdit) { e.KeyDays, e.LongestAPIDays = days(31), 30 }, ""},
		"negative keys":                 {func(e *models.PolicyEdit) { e.KeyDays = days(-1) }, "key_days"},
		"more than 100 years":           {func(e *models.PolicyEdit) { e.KeyDays = days(36501) }, "key_days"},
		"100 years":                     {func(e *models.PolicyEdit) { e.KeyDays = days(36500) }, ""},
		"a negative bearer token":       {func(e *models.PolicyEdit) { e.LongestBearerDays = -1 }, "longest_bearer_days"},
		"a very old API token":          {func(e *models.PolicyEdit) { e.LongestAPIDays = 36501 }, "longest_api_days"},
		"a negative automation token":   {func(e *models.PolicyEdit) { e.LongestAutomationDays = -1 }, "longest_automation_days"},
		"a negative key":                {func(e *models.PolicyEdit) { e.LongestKeyDays = -1 }, "longest_key_days"},
		"a negative share":              {func(e *models.PolicyEdit) { e.LongestCollectionDays = -1 }, "longest_collection_days"},
		"negative disuse":               {func(e *models.PolicyEdit) { e.UnusedDays = -1 }, "unused_days"},
		"a long reason":                 {func(e *models.PolicyEdit) { e.Reason = strings.Repeat("a", 201) }, "reason"},
	} {
		e := models.PolicyEdit{Policy: good, Reason: "  as  agreed "}
		c.change(&e)
		p := e.Clean()
		switch {
		case c.field == "" && len(p) > 0:
			t.Errorf("%s: %v", name, p)
		case c.field != "" && (len(p) != 1 || p[0].Name != c.field):
			t.Errorf("%s: %v, want a problem of %s", name, p, c.field)
		}
		if c.field == "" && e.Reason != "as agreed" {
			t.Errorf("%s: the reason is %q", name, e.Reason)
		}
	}
}

// What is offered is what is not refused, to the microsecond, and the sentence above the form says why the rest is missing.
func TestPolicySays(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	p := models.Policy{LongestAPIDays: 90, ExpiryRequired: true}
	for _, c := range []struct {
		kind  models.CredentialKind
		ends  time.Duration
		offer bool
	}{
		{models.APIToken, 90 * 24 * time.Hour, true}, {models.APIToken, 90*24*time.Hour + time.Microsecond, false}, {models.APIToken, 0, false},
		{models.AutomationToken, 5000 * 24 * time.Hour, true}, {models.AutomationToken, 0, false},
	} {
		ends := now.Add(c.ends)
		at := &ends
		if c.ends == 0 {
			at = nil
		}
		if p.Offers(c.kind, now, at) != c.offer {
			t.Errorf("%s in %s: offered is %v", c.kind, c.ends, !c.offer)
		}
	}
	for kind, want := range map[models.CredentialKind]string{models.APIToken: "Admins decided: at most 90 days.", models.AutomationToken: "Admins decided: everything expires."} {
		if got := p.Say(kind); got != want {
			t.Errorf("%s: %q", kind, got)
		}
	}
	if got := (models.Policy{}).Say(models.APIToken); got != "" {
		t.Errorf("no policy says %q", got)
	}
}

// A program says the very moment, and says so when it is none.
func TestExactEnd(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { end := now.Add(d); return &end }
	for name, c := range map[string]struct {
		at    *time.Time
		wrong bool
	}{"never": {nil, false}, "a microsecond": {at(time.Microsecond), false}, "now": {at(0), true}, "before": {at(-time.Hour), true}, "in 200 years": {at(200 * 365 * 24 * time.Hour), true}} {
		n := models.NewAPIToken{Name: "a", EndsAt: c.at, EndGiven: true}
		ends, p := n.Clean(now)
		r := models.Regeneration{EndsAt: c.at, EndGiven: true}
		again, q := r.Clean(now)
		if c.wrong != (p.Message("expires_at") != "") || c.wrong != (q.Message("expires_at") != "") || !n.Given() || !r.Given() {
			t.Errorf("%s: %v, %v", name, p, q)
		}
		if !c.wrong && c.at != nil && (!ends.Equal(*c.at) || !again.Equal(*c.at)) || c.at == nil && (ends != nil || again != nil) {
			t.Errorf("%s: ends %v and %v", name, ends, again)
		}
	}
	if (models.NewAPIToken{}).Given() || (models.Regeneration{}).Given() || !(models.NewAPIToken{Expiration: models.NoExpiration}).Given() {
		t.Error("given is wrong")
	}
}

// The form that shares a collection says how long its key lives, whatever the policy is.
func TestCollectionKeyLife(t *testing.T) {
	for longest, said := range map[int]string{
		0:  "It lives for 60 days, and each use gives it another 60.",
		1:  "It lives for 1 day, however often it is used. Admins decided that.",
		60: "It lives for 60 days, however often it is used. Admins decided that.",
		90: "It lives for 60 days, and each use gives it another 60, up to 90 days in all. Admins decided that.",
	} {
		if got := (models.Policy{LongestCollectionDays: longest}).CollectionKeyLife(); got != said {
			t.Errorf("with %d days it says %q", longest, got)
		}
	}
}
