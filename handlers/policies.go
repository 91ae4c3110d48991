package handlers

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

const policiesPath = "/settings/policies"

// lifetimes are the fields of the longest life, in the order of the form.
var lifetimes = []struct {
	kind        models.CredentialKind
	label, hint string
}{
	{models.Bearer, "Bearer tokens", "They live one year at most in any case."},
	{models.APIToken, "API tokens", ""},
	{models.AutomationToken, "Automation tokens", ""},
	{models.APIKey, "API keys", ""},
	{models.CollectionKey, "Collection access keys", "However often they are used. Each lives 60 days, and each use pushes that out."},
}

// Policies shows what holds for everybody's credentials.
func (h *Handlers) Policies(c echo.Context) error {
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	return h.showPolicies(c, http.StatusOK, views.Form{Values: policyValues(policy)}, policy, "")
}

// SavePolicies decides what holds from now on. Where that ends API keys at once, it is asked first, with how many.
func (h *Handlers) SavePolicies(c echo.Context) error {
	names := []string{"key_makers", "key_life", "key_days", "expiry_required", "unused_days", "unused_seen", "look", "reason"}
	for _, l := range lifetimes {
		names = append(names, models.LongestField(l.kind))
	}
	f, err := form(c, names...)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	now, err := h.Store.Policy(ctx)
	if err != nil {
		return err
	}
	edit := policyEdit(f)
	if f["look"] != "" {
		return h.lookAtUnused(c, f, now)
	}
	if days := edit.UnusedDays; len(edit.Clean()) == 0 && days > 0 && days != now.UnusedDays && strings.TrimSpace(f["unused_seen"]) != strings.TrimSpace(f["unused_days"]) {
		_, ends, _, err := h.Store.UnusedKeys(ctx, actor(c), days, models.Place{})
		if err != nil {
			return err
		}
		if ends > 0 {
			ask := views.Form{Values: f, Errors: []models.Field{{Name: "unused_days", Message: "This revokes " + counted(ends, "API key", "API keys") + " within the hour."}}}
			return h.showPolicies(c, http.StatusUnprocessableEntity, ask, now, counted(ends, "API key", "API keys"))
		}
	}
	if _, err = h.Store.SetPolicy(ctx, actor(c), edit); err == nil {
		return h.done(c, policiesPath, "", "The policies are saved. They hold for what is made or regenerated from now on.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	for i, problem := range back.Errors {
		if problem.Name == "key_days" && f["key_life"] != "custom" { // that field is not there to see
			back.Errors[i].Name = "key_life"
		}
	}
	return h.showPolicies(c, status, back, now, "")
}

// lookAtUnused shows what the number in the form would revoke now. Nothing is saved, and everything stays as it was typed.
func (h *Handlers) lookAtUnused(c echo.Context, f map[string]string, now models.Policy) error {
	days := someDays(f["unused_days"])
	edit := models.PolicyEdit{Policy: models.Policy{KeyMakers: models.EveryoneMakesKeys, UnusedDays: days}}
	told := edit.Clean().Message("unused_days")
	if days == 0 {
		told = "Enter after how many days, to see what that would revoke today."
	}
	if told != "" {
		back := views.Form{Values: without(f, "look"), Errors: []models.Field{{Name: "unused_days", Message: told}}}
		return h.showPolicies(c, http.StatusUnprocessableEntity, back, now, "")
	}
	return h.showPolicies(c, http.StatusOK, views.Form{Values: f}, now, "")
}

func (h *Handlers) showPolicies(c echo.Context, status int, f views.Form, now models.Policy, ask string) error {
	v := views.Policies{Form: f, Ask: ask, Days: strconv.Itoa(policyEdit(f.Values).UnusedDays)}
	for _, l := range lifetimes {
		v.Longest = append(v.Longest, views.Lifetime{Name: models.LongestField(l.kind), Label: l.label, Hint: l.hint})
	}
	if f.Value("look") != "" || ask != "" {
		days := someDays(f.Value("unused_days"))
		if err := h.unusedKeys(c, &v.Look, days, ""); err != nil {
			return err
		}
		v.Look.Decided = now.UnusedDays == days
	}
	if now.UnusedDays > 0 && ask == "" {
		_, ends, _, err := h.Store.UnusedKeys(c.Request().Context(), actor(c), now.UnusedDays, models.Place{})
		if err != nil {
			return err
		}
		v.Unused = counted(ends, "API key", "API keys")
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.PoliciesPage(page, v))
}

// policyValues is a policy as its form has it.
func policyValues(p models.Policy) map[string]string {
	values := map[string]string{"key_makers": string(p.KeyMakers), "key_life": "each", "unused_days": daysText(p.UnusedDays)}
	if p.KeyDays != nil {
		values["key_life"], values["key_days"] = "custom", daysText(*p.KeyDays)
		if *p.KeyDays == 0 {
			values["key_life"] = "no_exp"
		}
	}
	for _, l := range lifetimes {
		values[models.LongestField(l.kind)] = daysText(p.LongestDays(l.kind))
	}
	if p.ExpiryRequired {
		values["expiry_required"] = "yes"
	}
	return values
}

func daysText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// policyEdit is what a form says. What is no number of days is one that no policy may have.
func policyEdit(f map[string]string) models.PolicyEdit {
	p := models.Policy{
		KeyMakers: models.KeyMakers(f["key_makers"]), ExpiryRequired: f["expiry_required"] == "yes", UnusedDays: someDays(f["unused_days"]),
		LongestBearerDays: someDays(f[models.LongestField(models.Bearer)]), LongestAPIDays: someDays(f[models.LongestField(models.APIToken)]),
		LongestAutomationDays: someDays(f[models.LongestField(models.AutomationToken)]), LongestKeyDays: someDays(f[models.LongestField(models.APIKey)]),
		LongestCollectionDays: someDays(f[models.LongestField(models.CollectionKey)]),
	}
	switch f["key_life"] {
	case "custom":
		days := someDays(f["key_days"])
		if days == 0 {
			days = -1 // it was to be chosen
		}
		p.KeyDays = &days
	case "no_exp":
		p.KeyDays = new(int)
	}
	return models.PolicyEdit{Policy: p, Reason: f["reason"]}
}

// someDays reads a number of days, of which none is no limit.
func someDays(text string) int {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		return -1
	}
	return n
}

// UnusedKeys lists the API keys that a policy of so many days would revoke today.
func (h *Handlers) UnusedKeys(c echo.Context) error {
	q, err := query(c, "days", "after")
	if err != nil {
		return err
	}
	ctx, days := c.Request().Context(), someDays(q["days"])
	edit := models.PolicyEdit{Policy: models.Policy{KeyMakers: models.EveryoneMakesKeys, UnusedDays: days}}
	v := views.UnusedKeys{Form: views.Form{Values: map[string]string{"days": q["days"]}}}
	status := http.StatusOK
	if told := edit.Clean().Message("unused_days"); told != "" {
		v.Form.Errors, status = []models.Field{{Name: "days", Message: told}}, http.StatusUnprocessableEntity
	} else if days > 0 {
		if err := h.unusedKeys(c, &v, days, q["after"]); err != nil {
			return err
		}
		policy, err := h.Store.Policy(ctx)
		if err != nil {
			return err
		}
		v.Decided = policy.UnusedDays == days
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.UnusedKeysPage(page, v))
}

func (h *Handlers) unusedKeys(c echo.Context, v *views.UnusedKeys, days int, place string) error {
	list := "unused/" + strconv.Itoa(days)
	after, err := h.from(list, place)
	if err != nil {
		return err
	}
	found, total, next, err := h.Store.UnusedKeys(c.Request().Context(), actor(c), days, after)
	if err != nil {
		return err
	}
	now, zone, path := h.Clock(), h.zone(c), policiesPath+"/unused?days="+strconv.Itoa(days)
	v.Asked, v.Days, v.Count = true, models.DayCount(days), counted(total, "API key", "API keys")
	v.One = total == 1
	for _, k := range found {
		row := views.UnusedKey{
			Name: k.Name, Prefix: k.Prefix, LastFour: k.Last4, Owner: k.PersonName, OwnerHref: "/people/" + k.PersonID, Created: momentIn(k.CreatedAt, now, zone),
		}
		if k.Usage.LastUsedAt != nil {
			row.LastUsed = momentIn(*k.Usage.LastUsedAt, now, zone)
		}
		if k.ExpiresAt != nil {
			row.Expires = momentIn(*k.ExpiresAt, now, zone)
		}
		v.Rows = append(v.Rows, row)
	}
	if after.ID != "" {
		v.First = views.Action{Text: "First page", Href: path}
	}
	if next.ID != "" {
		v.Next = views.Action{Text: "Show more", Href: path + "&after=" + h.where(list, next)}
	}
	return nil
}
