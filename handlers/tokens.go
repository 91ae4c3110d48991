package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// mostScopes is more than a product can have operations.
const mostScopes = 500

// Tokens lists a workspace's API tokens, for those who manage them, and its automation tokens, or one's own.
func (h *Handlers) Tokens(c echo.Context) error {
	page, list, err := h.tokenList(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.SettingsTokens(page, list))
}

// NewToken is the form that makes an API token, as a page of its own. Where there are several products it is asked first for which of
// them: what a token may do depends on it.
func (h *Handlers) NewToken(c echo.Context) error {
	q, err := query(c, "product")
	if err != nil {
		return err
	}
	return h.showNewToken(c, http.StatusOK, q["product"], views.Form{}, nil)
}

// CreateToken makes an API token and shows it, in this one answer and never again: no redirect, no cookie, no cache, no
// session keeps it.
func (h *Handlers) CreateToken(c echo.Context) error {
	f, scopes, err := formWithMany(c, "scope", mostScopes, "name", "product", "expiration", "expires_at", "access", "form_id")
	if err != nil {
		return err
	}
	if f["access"] != "" && f["access"] != "all" && f["access"] != "chosen" {
		return models.Fail(models.Ambiguous, "The field access is all or chosen. Reload the page and try again.")
	}
	ctx := c.Request().Context()
	w, err := h.Store.Workspace(ctx, actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the token is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.CreateAPIToken(ctx, actor(c), w.ID, models.NewAPIToken{
		Name: f["name"], ProductID: f["product"], Expiration: models.Expiration(f["expiration"]), ExpiresAt: f["expires_at"],
		Zone: h.zone(c), Chosen: f["access"] == "chosen", Scopes: scopes,
	}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealToken(c, page, w, made, text, false)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, models.APIToken, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.showNewToken(c, status, f["product"], back, scopes)
}

// revealToken is the one page that carries the secret of a workspace's token. Another may have been on its card before.
func (h *Handlers) revealToken(c echo.Context, page views.Page, w models.WorkspaceSeen, made models.Credential, text secret.Text, replaced bool) error {
	warn := func(what string, err error) {
		if err != nil {
			h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, what, slog.String("request_id", RequestID(c)), slog.Any("error", err))
		}
	}
	warn("the next page will not drop the one with the secret", h.Sessions.MarkRevealed(c.Request(), c.Response()))
	// The token is made: whatever fails from here on must not keep it from being shown.
	list, err := h.tokensTab(c, w, models.TokenFilter{}, url.Values{}, models.Place{})
	warn("the list could not be read beside a new token", err)
	list.Here, list.Automation.Here = false, false
	list.Opener, list.Automation.Opener = made.Kind == models.APIToken, made.Kind == models.AutomationToken
	seen := models.CredentialSeen{Credential: made}
	if known, err := h.deskOf(made.Kind).find(c.Request().Context(), actor(c), w.ID, made.ID); err == nil {
		seen = known
	}
	v := views.TokenReveal{Title: revealTitles[made.Kind][replaced], Card: h.tokenCard(c, w, seen, false), Workspace: w.Name, Replaced: replaced, Receipt: Receipt(c).Said(models.RefusedBy)}
	v.Access, v.AccessIn, v.Try = h.accessOf(c, w, made)
	return showSecret(c, text, func(place string) templ.Component {
		v.Secret = place
		return views.TokenRevealed(page, list, v)
	})
}

var revealTitles = map[models.CredentialKind]map[bool]string{
	models.APIToken:        {false: "Token created", true: "Token regenerated"},
	models.AutomationToken: {false: "Automation token created", true: "Automation token regenerated"},
}

// tokenShown answers a form that was sent before, about a token of a kind.
func (h *Handlers) tokenShown(c echo.Context, page views.Page, w models.WorkspaceSeen, kind models.CredentialKind, made string) error {
	seen, err := h.deskOf(kind).find(c.Request().Context(), actor(c), w.ID, made)
	if err != nil {
		return err
	}
	page.Nav = views.NavTokens
	path := kindPath(w, kind)
	return show(c, http.StatusOK, views.AlreadyShown(page, views.Shown{
		RecordHref: path + "/" + seen.ID, Name: seen.Name, Made: momentIn(seen.CreatedAt, h.Clock(), h.zone(c)), CreateHref: path + "/new",
	}))
}

func (h *Handlers) tokenList(c echo.Context) (page views.Page, list views.TokenList, err error) {
	q, err := query(c, "q", "status", "sort", "after", "automation_after")
	if err != nil {
		return page, list, err
	}
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return page, list, err
	}
	f := models.TokenFilter{Query: q["q"], Status: models.State(q["status"]), Sort: models.TokenSort(q["sort"])}
	asked := url.Values{}
	for _, name := range []string{"q", "status", "sort"} {
		if q[name] != "" {
			asked.Set(name, q[name])
		}
	}
	if err := h.placeFrom("api-tokens/"+asked.Encode(), q["after"], &f.After); err != nil {
		return page, list, err
	}
	after, err := h.from("automation-tokens", q["automation_after"])
	if err != nil {
		return page, list, err
	}
	if list, err = h.tokensTab(c, w, f, asked, after); err != nil {
		return page, list, err
	}
	page, err = h.page(c)
	return page, list, err
}

// tokensTab draws a page of API tokens, for those who manage them, and one of automation tokens.
func (h *Handlers) tokensTab(c echo.Context, w models.WorkspaceSeen, f models.TokenFilter, asked url.Values, after models.Place) (list views.TokenList, err error) {
	list.Path = tokensPath(w)
	if actor(c).MayManageTokens(w.Role) {
		if list, err = h.listTokens(c, w, f, asked); err != nil {
			return list, err
		}
		list.Manages = true
	}
	list.Automation, err = h.listAutomation(c, w, asked, after)
	return list, err
}

// listTokens draws a page of the list of API tokens; asked are the parameters that it was asked for with.
func (h *Handlers) listTokens(c echo.Context, w models.WorkspaceSeen, f models.TokenFilter, asked url.Values) (list views.TokenList, err error) {
	ctx, who, path := c.Request().Context(), actor(c), tokensPath(w)
	list = views.TokenList{Path: path, Query: f.Query, Status: string(f.Status), Sort: string(f.Sort)}
	found, err := h.Store.APITokens(ctx, who, w.ID, f)
	if err != nil {
		return list, err
	}
	products, err := h.Store.Products(ctx, who, w.ID)
	if err != nil {
		return list, err
	}
	for _, t := range found.Tokens {
		list.Cards = append(list.Cards, h.tokenCard(c, w, t, len(products) > 1))
	}
	total, err := h.Store.CountAPITokens(ctx, w.ID)
	if err != nil {
		return list, err
	}
	list.None, list.Count = total == 0, counted(total, "token", "tokens")
	if len(asked) > 0 && asked.Get("q")+asked.Get("status") != "" {
		list.Count = shownOf(len(list.Cards), found.Next != (models.TokenPlace{})) + list.Count
	}
	if found.Next != (models.TokenPlace{}) {
		on := copied(asked)
		on.Set("after", h.placeOf("api-tokens/"+asked.Encode(), found.Next))
		list.MoreHref = path + "?" + on.Encode()
	}
	if found.Looked > 0 {
		list.Looked = "These are the matches among the " + counted(found.Looked, "token", "tokens") + " that were looked through. Show more looks further."
	}
	if f.After != (models.TokenPlace{}) {
		list.FirstHref = path
		if len(asked) > 0 {
			list.FirstHref += "?" + asked.Encode()
		}
	}
	if list.Here = len(products) == 1; list.Here {
		if list.Create, err = h.tokenForm(c, w, products, "", views.Form{}, nil); err != nil {
			return list, err
		}
	}
	return list, nil
}

func (h *Handlers) showNewToken(c echo.Context, status int, product string, back views.Form, chosen []string) error {
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	if !who.MayMintTokens(w.Role) {
		return models.Fail(models.Forbidden, "Only the workspace's Owner and Admins can create API tokens.")
	}
	products, err := h.Store.Products(ctx, who, w.ID)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	f, err := h.tokenForm(c, w, products, product, back, chosen)
	if err != nil {
		return err
	}
	return show(c, status, views.TokenNew(page, f))
}
