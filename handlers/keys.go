package handlers

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

const keysPath = "/account/api-keys"

// APIKeys lists one's own API keys, and the access keys of collections in the workspaces that one is a member of.
func (h *Handlers) APIKeys(c echo.Context) error {
	return h.showKeys(c, http.StatusOK, views.Form{})
}

// NewAPIKey is the form that generates an API key, as a page of its own.
func (h *Handlers) NewAPIKey(c echo.Context) error {
	return h.showNewKey(c, http.StatusOK, views.Form{})
}

// CreateAPIKey generates an API key and shows it, in this one answer and never again.
func (h *Handlers) CreateAPIKey(c echo.Context) error {
	f, err := form(c, "name", "form_id")
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the key is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.CreateAPIKey(c.Request().Context(), actor(c), models.NewAPIKey{Name: f["name"]}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealKey(c, page, made, text, false)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.keyShown(c, page, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.showNewKey(c, status, back)
}

// revealKey is the one page that carries the secret of an API key. Another may have been under its name before.
func (h *Handlers) revealKey(c echo.Context, page views.Page, made models.Credential, text secret.Text, replaced bool) error {
	h.markRevealed(c)
	// The key is made: whatever fails from here on must not keep it from being shown.
	list, err := h.keyList(c, models.Place{}, models.Place{}, views.Form{})
	if err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the list could not be read beside a new key", slog.String("request_id", RequestID(c)), slog.Any("error", err))
	}
	list.Here, list.Opener = false, true
	v := views.KeyReveal{
		Title: "API key generated", Sub: []views.Part{{Text: made.Name}}, Noun: "API key", Prefix: made.Prefix, LastFour: made.Last4,
		Access: "Your own rights", AccessIn: "As they are at each call", Heading: "Try it in a terminal", Try: "/v1/me",
		Lost: "Lost it later? Regenerate the key. It can’t be shown again.", Here: keysPath, Back: keysPath,
	}
	if replaced {
		v.Title = "API key regenerated"
		v.Sub = append(v.Sub, views.Part{Text: strings.TrimSpace(". The key before is refused from now on. " + Receipt(c).Said(models.RefusedBy))})
	}
	v.Expires = h.endIn(c, made)
	return showSecret(c, text, func(place string) templ.Component {
		v.Secret = place
		return views.APIKeyRevealed(page, list, v)
	})
}

func (h *Handlers) markRevealed(c echo.Context) {
	if err := h.Sessions.MarkRevealed(c.Request(), c.Response()); err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the next page will not drop the one with the secret", slog.String("request_id", RequestID(c)), slog.Any("error", err))
	}
}

// endIn is when a credential ends, for whoever reads; zero is never.
func (h *Handlers) endIn(c echo.Context, made models.Credential) views.Time {
	if made.ExpiresAt == nil {
		return views.Time{}
	}
	return momentIn(*made.ExpiresAt, h.Clock(), h.zone(c))
}

// keyShown answers a form that was sent before.
func (h *Handlers) keyShown(c echo.Context, page views.Page, made string) error {
	k, err := h.Store.APIKey(c.Request().Context(), actor(c), made)
	if err != nil {
		return err
	}
	page.Nav = views.NavAccount
	return show(c, http.StatusOK, views.AlreadyShown(page, views.Shown{
		RecordHref: keysPath, Name: "API keys", Made: momentIn(k.CreatedAt, h.Clock(), h.zone(c)), CreateHref: keysPath + "/new", Noun: "API key",
	}))
}

// SetKeySettings says how long one's next API keys live.
func (h *Handlers) SetKeySettings(c echo.Context) error {
	f, err := form(c, "expiration_days", "days")
	if err != nil {
		return err
	}
	days, err := chosenDays(f)
	if err == nil {
		err = h.Store.SetKeySettings(c.Request().Context(), actor(c), models.KeySettings{Days: days})
	}
	switch {
	case err == nil && days == 0:
		return h.done(c, keysPath, "", "API keys that you generate from now on do not expire.")
	case err == nil:
		return h.done(c, keysPath, "", "API keys that you generate from now on expire after "+models.KeyLife(days)+".")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showKeys(c, status, back)
}

// chosenDays reads what the form of the settings has.
func chosenDays(f map[string]string) (int, error) {
	chosen := f["expiration_days"]
	switch {
	case chosen == "never":
		return 0, nil
	case chosen == "custom":
		days, err := strconv.Atoi(f["days"])
		if err != nil || days < 1 {
			return 0, models.Problems{{Name: "days", Message: "Enter a number of days, from 1 to 36,500."}}.Err()
		}
		return days, nil
	case slices.ContainsFunc(keyLives, func(o views.Option) bool { return o.Value == chosen }):
		return strconv.Atoi(chosen)
	}
	return 0, models.Problems{{Name: "expiration_days", Message: "Choose how long new keys live."}}.Err()
}

// keyLives are what the form of the settings offers.
var keyLives = []views.Option{
	{Value: "30", Text: "30 days"}, {Value: "60", Text: "60 days"}, {Value: "90", Text: "90 days"}, {Value: "180", Text: "180 days"}, {Value: "365", Text: "A year"},
	{Value: "never", Text: "Never"}, {Value: "custom", Text: "Custom"},
}

func (h *Handlers) showKeys(c echo.Context, status int, settings views.Form) error {
	q, err := query(c, "after", "shares_after")
	if err != nil {
		return err
	}
	after, err := h.from("api-keys", q["after"])
	if err != nil {
		return err
	}
	shares, err := h.from("access-keys", q["shares_after"])
	if err != nil {
		return err
	}
	list, err := h.keyList(c, after, shares, settings)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.APIKeys(page, list))
}

// keyList draws a page of one's own API keys, and one of access keys.
func (h *Handlers) keyList(c echo.Context, after, shares models.Place, settings views.Form) (list views.KeyList, err error) {
	ctx, who := c.Request().Context(), actor(c)
	keys, next, err := h.Store.APIKeys(ctx, who, after)
	if err != nil {
		return list, err
	}
	for _, k := range keys {
		list.Keys = append(list.Keys, h.keyRow(c, k))
	}
	if after.ID != "" || next.ID != "" {
		n, err := h.Store.CountAPIKeys(ctx, who)
		if err != nil {
			return list, err
		}
		list.Count = counted(n, "API key", "API keys")
	}
	if after.ID != "" {
		list.FirstHref = keysPath
	}
	if next.ID != "" {
		list.MoreHref = keysPath + "?after=" + h.where("api-keys", next)
	}
	ended, err := h.Store.EndedAPIKeys(ctx, who)
	if err != nil {
		return list, err
	}
	for _, k := range ended {
		list.Ended = append(list.Ended, h.keyRow(c, k))
	}
	policy, err := h.Store.Policy(ctx)
	if err != nil {
		return list, err
	}
	if list.Here = policy.MayGenerateKeys(who.Role); list.Here {
		list.Create = h.keyForm(c, policy, views.Form{})
	} else {
		list.Refusal = policy.WhyNoKeys()
	}
	list.Settings = keySettings(policy, visit(c).Seen.Person, settings)
	list.Shares, err = h.myShares(c, shares)
	return list, err
}

// keyForm is the form that generates a key, or gives one another secret.
func (h *Handlers) keyForm(c echo.Context, policy models.Policy, back views.Form) views.KeyForm {
	person, now := visit(c).Seen.Person, h.Clock()
	f := views.KeyForm{FormID: secret.FormID(), Form: back, Ends: "It does not expire, by your API key settings."}
	if ends := policy.KeyEnds(person, now); ends != nil {
		days := int(ends.Sub(now).Round(24*time.Hour) / (24 * time.Hour))
		f.Ends = "It expires in " + models.DayCount(days) + ", " + endsBy(policy, person, days)
	}
	return f
}

// endsBy says who decided that.
func endsBy(policy models.Policy, person models.Person, days int) string {
	switch {
	case policy.KeyDaysOf(person) != days:
		return "as Admins decided for everybody."
	case policy.KeyDays != nil:
		return "as an Admin has set for everybody."
	}
	return "by your API key settings."
}

// keySettings is the form of the settings, with what the policy leaves to choose from.
func keySettings(policy models.Policy, person models.Person, back views.Form) views.KeySettings {
	days := policy.KeyDaysOf(person)
	s := views.KeySettings{Form: back, Chosen: "custom", Days: strconv.Itoa(days)}
	for _, o := range keyLives {
		life, _ := strconv.Atoi(o.Value) // never is none, and custom is asked for itself
		if o.Value != "custom" && life == days {
			s.Chosen, s.Days = o.Value, ""
		}
		if o.Value == "custom" || life == days || policy.RefusesDays(life) == "" {
			s.Options = append(s.Options, o)
		}
	}
	switch {
	case policy.KeyDays != nil:
		s.Fixed = "An Admin has set this for everybody."
		if s.Chosen == "custom" {
			s.Options = append(s.Options[:len(s.Options)-1], views.Option{Value: "custom", Text: models.DayCount(days)})
		}
	case policy.LongestKeyDays > 0:
		s.Limit = fmt.Sprintf("Admins decided that they live %s at most.", models.DayCount(policy.LongestKeyDays))
	case policy.ExpiryRequired:
		s.Limit = "Admins decided that everything expires."
	}
	return s
}

func (h *Handlers) keyRow(c echo.Context, k models.CredentialSeen) views.KeyRow {
	now, zone := h.Clock(), h.zone(c)
	row := views.KeyRow{
		ID: k.ID, Path: keysPath + "/" + k.ID, Name: k.Name, Prefix: k.Prefix, LastFour: k.Last4, Status: status(k.Credential, now), Created: dayIn(k.CreatedAt, now, zone),
		Reason: k.RevokeReason, RevokedBy: k.RevokedByName, LastFrom: k.Usage.LastAddress, Refused: k.Usage.Refused + k.Usage.Late, Days: fortnight(k.Days, now),
	}
	if k.ExpiresAt != nil {
		row.Expires = dayIn(*k.ExpiresAt, now, zone)
	}
	if k.RevokedAt != nil {
		row.Revoked = momentIn(*k.RevokedAt, now, zone)
		if row.RevokedBy == "" {
			row.RevokedBy = "the server"
		}
	}
	if used := k.Usage.LastUsedAt; used != nil {
		row.LastUsed = momentIn(*used, now, zone)
		row.InUse = now.Sub(*used) < 30*24*time.Hour
	}
	return row
}

func (h *Handlers) showNewKey(c echo.Context, status int, back views.Form) error {
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	if !policy.MayGenerateKeys(actor(c).Role) {
		return models.Fail(models.Forbidden, "%s", policy.WhyNoKeys())
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.APIKeyNew(page, h.keyForm(c, policy, back)))
}
