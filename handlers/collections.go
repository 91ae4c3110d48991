package handlers

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Collections lists what was installed into a workspace.
func (h *Handlers) Collections(c echo.Context) error {
	return h.showCollections(c, http.StatusOK, views.Form{})
}

func (h *Handlers) showCollections(c echo.Context, status int, back views.Form) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	after, err := h.from("collections", q["after"])
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	w, err := h.Store.Workspace(ctx, actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	collections, next, err := h.Store.Collections(ctx, w.ID, after)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	path := collectionsPath(w.Workspace)
	list := views.CollectionList{Upload: h.upload(c, path, back)}
	if next.ID != "" {
		list.OlderHref = path + "?after=" + h.where("collections", next)
	}
	if after.ID != "" {
		list.NewestHref = path
	}
	if next.ID != "" || after.ID != "" {
		counts, err := h.Store.CountCollections(ctx, []models.WorkspaceSeen{w})
		if err != nil {
			return err
		}
		list.Count = plainly(counts[w.ID], "collection", "collections")
	}
	for _, seen := range collections {
		list.Rows = append(list.Rows, h.collectionRow(c, path, seen))
	}
	return show(c, status, views.SettingsCollections(page, list))
}

func collectionsPath(w models.Workspace) string { return "/w/" + w.Slug + "/settings/collections" }

// upload is the form that installs, with what a file may hold.
func (h *Handlers) upload(c echo.Context, path string, back views.Form) views.Upload {
	size := func(n int64) string { return humanize.IBytes(uint64(n)) }
	return views.Upload{
		Action: path, May: actor(c).MayInstall(), Form: back, MaxSize: h.Limits.ArchiveBytes,
		TooLarge: h.tooLarge().Message,
		Limits: []string{
			"A .zip file of up to " + size(h.Limits.ArchiveBytes) + ".",
			fmt.Sprintf("Unpacked up to %s, one file up to %s.", size(h.Limits.TotalBytes), size(h.Limits.FileBytes)),
			"Up to " + plainly(h.Limits.Entries, "file or folder", "files and folders") + ".",
		},
	}
}

func (h *Handlers) collectionRow(c echo.Context, path string, seen models.CollectionSeen) views.CollectionRow {
	v := seen.Version
	row := views.CollectionRow{
		Name: seen.Name, Description: v.Description, Version: v.Number, Label: v.Label, Size: humanize.IBytes(uint64(v.Size)), Entries: v.Entries,
		SHA256: v.SHA256, FileName: v.FileName, Installed: moment(v.InstalledAt, h.Clock()), By: seen.InstalledByName,
		TokenPrefix: seen.Credential.Prefix, TokenLastFour: seen.Credential.Last4, Href: path + "/" + seen.ID,
	}
	if actor(c).MayManagePeople() && v.InstalledBy != "" {
		row.ByHref = "/people/" + v.InstalledBy
	}
	return row
}

// CollectionPage is a collection with its versions.
func (h *Handlers) CollectionPage(c echo.Context) error {
	q, err := query(c, "after", "shares_after")
	if err != nil {
		return err
	}
	below := int64(0)
	if q["after"] != "" {
		if below, err = strconv.ParseInt(q["after"], 10, 32); err != nil || below < 1 {
			return models.Fail(models.Ambiguous, "This address does not lead to a page of the versions. Start again at the collection.")
		}
	}
	within, err := h.collection(c)
	if err != nil {
		return err
	}
	shares, err := h.from("access-keys/"+within.ID, q["shares_after"])
	if err != nil {
		return err
	}
	v, err := h.collectionView(c, within, int(below), shares)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.CollectionPage(page, v))
}

// collectionView is a page of a collection's versions, and one of its access keys.
func (h *Handlers) collectionView(c echo.Context, within models.CollectionWithin, below int, shares models.Place) (v views.Collection, err error) {
	ctx := c.Request().Context()
	versions, err := h.Store.Versions(ctx, within.Collection, below, models.PageSize)
	if err != nil {
		return v, err
	}
	current, err := h.Store.Version(ctx, within.Collection, within.Version.Number)
	if err != nil {
		return v, err
	}
	path := collectionPath(within)
	v = views.Collection{
		Name: within.Name, Description: within.Version.Description, Path: path, Back: collectionsPath(within.Workspace),
		Current: h.versionRow(c, path, current), MayChange: actor(c).MayInstall(),
	}
	if len(versions) > models.PageSize {
		versions = versions[:models.PageSize]
		v.OlderHref = path + "?after=" + strconv.Itoa(versions[models.PageSize-1].Number)
	}
	if below > 0 {
		v.NewestHref = path
	}
	if v.OlderHref != "" || below > 0 {
		n, err := h.Store.CountVersions(ctx, within.Collection)
		if err != nil {
			return v, err
		}
		v.Count = counted(n, "version", "versions")
	}
	for _, seen := range versions {
		v.Versions = append(v.Versions, h.versionRow(c, path, seen))
	}
	v.ShareHref = path + "/access-keys/new"
	v.Shares, err = h.sharesOf(c, within, shares)
	return v, err
}

func collectionPath(within models.CollectionWithin) string {
	return collectionsPath(within.Workspace) + "/" + within.ID
}

// collection finds the collection that the address names.
func (h *Handlers) collection(c echo.Context) (models.CollectionWithin, error) {
	return h.Store.Collection(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"))
}

// version finds the version that the address names, too.
func (h *Handlers) version(c echo.Context) (models.CollectionWithin, models.VersionSeen, error) {
	within, err := h.collection(c)
	if err != nil {
		return within, models.VersionSeen{}, err
	}
	number, err := versionNumber(c)
	if err != nil {
		return within, models.VersionSeen{}, err
	}
	seen, err := h.Store.Version(c.Request().Context(), within.Collection, number)
	return within, seen, err
}

func versionNumber(c echo.Context) (int, error) {
	number, err := strconv.ParseInt(c.Param("number"), 10, 32)
	if err != nil || number < 1 || strconv.FormatInt(number, 10) != c.Param("number") { // one spelling
		return 0, models.Fail(models.NotFound, "The collection has no such version.")
	}
	return int(number), nil
}

func (h *Handlers) versionRow(c echo.Context, path string, v models.VersionSeen) views.VersionRow {
	here := path + "/versions/" + strconv.Itoa(v.Number)
	row := views.VersionRow{
		Number: v.Number, Label: v.Label, Current: v.Current, Size: humanize.IBytes(uint64(v.Size)), Entries: v.Entries, SHA256: v.SHA256,
		FileName: v.FileName, Description: v.Description, Installed: moment(v.InstalledAt, h.Clock()), By: v.InstalledByName,
		TokenPrefix: v.Credential.Prefix, TokenLastFour: v.Credential.Last4, Href: here, ArchiveHref: here + "/archive",
	}
	if !v.Current {
		row.CurrentAction = here + "/current"
	}
	if actor(c).MayManagePeople() && v.InstalledBy != "" {
		row.ByHref = "/people/" + v.InstalledBy
	}
	return row
}
