package handlers

import (
	"net/http"
	"net/url"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// CollectionVersion is one version with its files.
func (h *Handlers) CollectionVersion(c echo.Context) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	within, seen, err := h.version(c)
	if err != nil {
		return err
	}
	files, err := h.Store.Files(c.Request().Context(), seen.CollectionVersion, q["after"], models.PageSize)
	if err != nil {
		return err
	}
	if q["after"] != "" && len(files) == 0 {
		return models.Fail(models.Ambiguous, "This address does not lead to a page of the files. Start again at the version.")
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	row := h.versionRow(c, collectionPath(within), seen)
	v := views.Version{
		Collection: within.Name, Path: collectionPath(within), Back: collectionsPath(within.Workspace), VersionRow: row,
		Count: plainly(seen.Entries, "file", "files"), MayChange: actor(c).MayInstall(),
	}
	if len(files) > models.PageSize {
		files = files[:models.PageSize]
		v.MoreHref = row.Href + "?" + url.Values{"after": {files[models.PageSize-1].Path}}.Encode()
	}
	if q["after"] != "" {
		v.FirstHref = row.Href
	}
	for _, f := range files {
		v.Files = append(v.Files, views.FileRow{
			Path: f.Path, Size: humanize.IBytes(uint64(f.Size)), SHA256: f.SHA256, Href: row.Href + "/file?" + url.Values{"path": {f.Path}}.Encode(),
		})
	}
	return show(c, http.StatusOK, views.CollectionVersion(page, v))
}
