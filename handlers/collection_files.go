package handlers

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/archive"
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

// CollectionArchive sends a version's zip as it was installed, or the one part of it that is asked for.
func (h *Handlers) CollectionArchive(c echo.Context) error {
	_, seen, err := h.version(c)
	if err != nil {
		return err
	}
	content := h.Store.Archive(c.Request().Context(), seen.CollectionVersion)
	if _, err := content.ReadAt(make([]byte, 1), 0); err != nil { // while it can still be told as an error
		return err
	}
	w, done, err := h.steady(c)
	if err != nil {
		return err
	}
	defer done()
	attach(c, seen.FileName, "application/zip")
	if header := c.Request().Header; strings.Contains(header.Get("Range"), ",") {
		header.Del("Range") // thousands of small parts would cost a chunk each; whoever resumes asks for one
	}
	http.ServeContent(w, c.Request(), "", time.Time{}, content)
	return nil
}

// CollectionFile sends one file of a version, unpacked on the way.
func (h *Handlers) CollectionFile(c echo.Context) error {
	q, err := query(c, "path")
	if err != nil {
		return err
	}
	_, seen, err := h.version(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	file, err := h.Store.File(ctx, seen.CollectionVersion, q["path"])
	if err != nil {
		return err
	}
	body, size, err := archive.Open(h.Store.Archive(ctx, seen.CollectionVersion), seen.Size, file.Path)
	if err != nil {
		return err
	}
	defer body.Close()
	w, done, err := h.steady(c)
	if err != nil {
		return err
	}
	defer done()
	attach(c, path.Base(file.Path), echo.MIMEOctetStream)
	c.Response().Header().Set(echo.HeaderContentLength, strconv.FormatInt(size, 10))
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	_, err = io.Copy(w, body) // where it fails, the length that was promised tells that the end is missing
	return err
}
