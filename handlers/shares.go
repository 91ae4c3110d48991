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

// ShareCollectionPage is the form that makes an access key of a collection.
func (h *Handlers) ShareCollectionPage(c echo.Context) error {
	return h.showShare(c, http.StatusOK, views.Form{})
}

// ShareCollection makes an access key of a collection and shows it, in this one answer and never again.
func (h *Handlers) ShareCollection(c echo.Context) error {
	f, err := form(c, "name", "form_id")
	if err != nil {
		return err
	}
	within, err := h.collection(c)
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the key is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.CreateCollectionKey(c.Request().Context(), actor(c), within.ID, models.NewCollectionKey{Name: f["name"]}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealShare(c, page, within, made, text)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.shareShown(c, page, within, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.showShare(c, status, back)
}

// revealShare is the one page that carries the secret of an access key.
func (h *Handlers) revealShare(c echo.Context, page views.Page, within models.CollectionWithin, made models.Credential, text secret.Text) error {
	h.markRevealed(c)
	// The key is made: whatever fails from here on must not keep it from being shown.
	v, err := h.collectionView(c, within, 0, models.Place{})
	if err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the collection could not be read beside a new access key", slog.String("request_id", RequestID(c)), slog.Any("error", err))
		v = views.Collection{Name: within.Name, Path: collectionPath(within), Back: collectionsPath(within.Workspace)}
	}
	v.Opener = true
	r := views.KeyReveal{
		Title: "Collection shared", Sub: []views.Part{{Text: made.Name + ", for " + within.Name}}, Noun: "access key", Prefix: made.Prefix, LastFour: made.Last4,
		Access: "Reads " + within.Name, AccessIn: "And nothing else", Heading: "Read the collection with it", Try: "/v1/collections/" + within.ID,
		Lost: "Lost it later? Delete it and share again. It can’t be shown again.", Here: v.Path, Back: v.Path, Expires: h.endIn(c, made),
	}
	return showSecret(c, text, func(place string) templ.Component {
		r.Secret = place
		return views.CollectionShared(page, v, r)
	})
}

// shareShown answers a form that was sent before.
func (h *Handlers) shareShown(c echo.Context, page views.Page, within models.CollectionWithin, made string) error {
	k, err := h.Store.CollectionKey(c.Request().Context(), actor(c), made)
	if err != nil {
		return err
	}
	page.Nav = views.NavCollections
	path := collectionPath(within)
	return show(c, http.StatusOK, views.AlreadyShown(page, views.Shown{
		RecordHref: path, Name: within.Name, Made: momentIn(k.CreatedAt, h.Clock(), h.zone(c)), CreateHref: path + "/access-keys/new", Noun: "access key",
	}))
}

func (h *Handlers) showShare(c echo.Context, status int, back views.Form) error {
	within, err := h.collection(c)
	if err != nil {
		return err
	}
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	f := views.ShareForm{Collection: within.Name, Path: collectionPath(within), Back: collectionsPath(within.Workspace), FormID: secret.FormID(), Form: back, Life: policy.CollectionKeyLife()}
	return show(c, status, views.CollectionShare(page, f))
}

// myShares is a page of the access keys of the workspaces that one is a member of.
func (h *Handlers) myShares(c echo.Context, after models.Place) (list views.ShareList, err error) {
	return h.shareList(c, "", keysPath+"?shares_after=", keysPath, "access-keys", after)
}

// sharesOf is a page of the access keys of one collection.
func (h *Handlers) sharesOf(c echo.Context, within models.CollectionWithin, after models.Place) (list views.ShareList, err error) {
	path := collectionPath(within)
	list, err = h.shareList(c, within.ID, path+"?shares_after=", path, "access-keys/"+within.ID, after)
	list.OfOne = true
	return list, err
}

func (h *Handlers) shareList(c echo.Context, collection, more, first, place string, after models.Place) (list views.ShareList, err error) {
	keys, next, err := h.Store.CollectionKeys(c.Request().Context(), actor(c), collection, after)
	if err != nil {
		return list, err
	}
	back := ""
	if collection != "" {
		back = "?" + url.Values{"next": {first}}.Encode()
	}
	workspaces := map[string]bool{}
	for _, k := range keys {
		workspaces[k.WorkspaceID] = true
	}
	for _, k := range keys {
		row := h.shareRow(c, k)
		if row.EndHref != "" {
			row.EndHref += back
		}
		if len(workspaces) > 1 {
			row.Workspace = k.Workspace.Name
		}
		list.Rows = append(list.Rows, row)
	}
	if next.ID != "" {
		list.MoreHref = more + h.where(place, next) + "#access-keys"
	}
	if after.ID != "" {
		list.FirstHref = first + "#access-keys"
	}
	return list, nil
}

func (h *Handlers) shareRow(c echo.Context, k models.CollectionKeySeen) views.ShareRow {
	now, zone := h.Clock(), h.zone(c)
	row := views.ShareRow{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, LastFour: k.Last4, Status: status(k.Credential, now), Collection: k.Collection, Href: collectionsPath(k.Workspace) + "/" + k.CollectionID,
		CreatedBy: k.CreatedByName, Created: dayIn(k.CreatedAt, now, zone), Refused: k.Usage.Refused + k.Usage.Late,
	}
	if k.Mine {
		row.CreatedBy = "you"
	}
	if k.ExpiresAt != nil {
		row.Expires = dayIn(*k.ExpiresAt, now, zone)
	}
	if used := k.Usage.LastUsedAt; used != nil {
		row.LastUsed = momentIn(*used, now, zone)
	}
	if k.MayEnd {
		row.EndHref = "/account/collection-access-keys/" + k.ID + "/delete"
	}
	return row
}

// DeleteSharePage asks before an access key is deleted.
func (h *Handlers) DeleteSharePage(c echo.Context) error {
	q, err := query(c, "next")
	if err != nil {
		return err
	}
	return h.askEndShare(c, http.StatusOK, views.Form{Values: map[string]string{"next": q["next"]}})
}

// DeleteShare ends an access key for good.
func (h *Handlers) DeleteShare(c echo.Context) error {
	f, err := form(c, "reason", "next")
	if err != nil {
		return err
	}
	k, err := h.Store.RevokeCollectionKey(c.Request().Context(), actor(c), c.Param("id"), models.Revocation{Reason: f["reason"]})
	if err == nil {
		return h.ended(c, sharesBack(f["next"]), k.Name, " is deleted. Nothing can be read with it any more.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.askEndShare(c, status, back)
}

// sharesBack is where the list of access keys is from which one came.
func sharesBack(next string) string {
	if next == "" {
		return keysPath
	}
	return local(next)
}

func (h *Handlers) askEndShare(c echo.Context, code int, back views.Form) error {
	k, err := h.Store.CollectionKey(c.Request().Context(), actor(c), c.Param("id"))
	if err != nil {
		return err
	}
	switch {
	case k.RevokedAt != nil:
		return models.Fail(models.Conflict, "%s was deleted already, and stays so.", k.Name)
	case !k.MayEnd:
		return models.Fail(models.Forbidden, "Only whoever made the access key, and the workspace's Owner and Admins, can delete it.")
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	next := back.Value("next")
	return show(c, code, views.CollectionKeyDelete(page, views.ShareEnd{
		ShareRow: h.shareRow(c, k), Action: "/account/collection-access-keys/" + k.ID + "/delete", Back: sharesBack(next), Next: next, Form: back,
	}))
}
