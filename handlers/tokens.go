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

// Tokens lists a workspace's API tokens.
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
		return h.revealToken(c, page, w, made, text, "Token created")
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.showNewToken(c, status, f["product"], back, scopes)
}

func tokensPath(w models.WorkspaceSeen) string { return "/w/" + w.Slug + "/settings/api-tokens" }

// revealToken is the one page that carries an API token's secret.
func (h *Handlers) revealToken(c echo.Context, page views.Page, w models.WorkspaceSeen, made models.Credential, text secret.Text, title string) error {
	warn := func(what string, err error) {
		if err != nil {
			h.Log.Warn(what, slog.String("request_id", RequestID(c)), slog.Any("error", err))
		}
	}
	warn("the next page will not drop the one with the secret", h.Sessions.MarkRevealed(c.Request(), c.Response()))
	// The token is made: whatever fails from here on must not keep it from being shown.
	list, err := h.listTokens(c, w, models.TokenFilter{}, url.Values{})
	warn("the list could not be read beside a new token", err)
	list.Here = false
	seen := models.CredentialSeen{Credential: made}
	if known, err := h.Store.APIToken(c.Request().Context(), actor(c), w.ID, made.ID); err == nil {
		seen = known
	}
	v := views.TokenReveal{Title: title, Card: h.tokenCard(c, w, seen, false), Workspace: w.Name, Replaced: title != "Token created"}
	v.Access, v.AccessIn, v.Try = h.accessOf(c, w, made)
	return showSecret(c, text, func(place string) templ.Component {
		v.Secret = place
		return views.TokenRevealed(page, list, v)
	})
}

// tokenShown answers a form that was sent before.
func (h *Handlers) tokenShown(c echo.Context, page views.Page, w models.WorkspaceSeen, made string) error {
	seen, err := h.Store.APIToken(c.Request().Context(), actor(c), w.ID, made)
	if err != nil {
		return err
	}
	page.Nav = views.NavTokens
	return show(c, http.StatusOK, views.AlreadyShown(page, views.Shown{
		RecordHref: tokensPath(w) + "/" + seen.ID, Name: seen.Name, Made: momentIn(seen.CreatedAt, h.Clock(), h.zone(c)), CreateHref: tokensPath(w) + "/new",
	}))
}

func (h *Handlers) tokenList(c echo.Context) (page views.Page, list views.TokenList, err error) {
	q, err := query(c, "q", "status", "sort", "after")
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
	if list, err = h.listTokens(c, w, f, asked); err != nil {
		return page, list, err
	}
	page, err = h.page(c)
	return page, list, err
}

// listTokens draws a page of a list; asked are the parameters that it was asked for with.
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
		list.Create = h.tokenForm(c, w, products, "", views.Form{}, nil)
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
	return show(c, status, views.TokenNew(page, h.tokenForm(c, w, products, product, back, chosen)))
}
