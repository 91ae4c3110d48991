package handlers

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/archive"
)

// CollectionArchive sends a version's zip as it was installed, or the one part of it that is asked for.
func (h *Handlers) CollectionArchive(c echo.Context) error {
	return h.download(c, func(w *steadyWriter) error {
		within, seen, err := h.version(c)
		if err != nil {
			return err
		}
		w.found(within.Workspace.ID, within.Collection.ID, false)
		return h.sendArchive(c, w, seen.CollectionVersion)
	})
}

// ReadCollectionArchive sends the zip of the version that is installed to a program.
func (h *Handlers) ReadCollectionArchive(c echo.Context) error {
	return h.download(c, func(w *steadyWriter) error {
		v, err := h.installed(c, w)
		if err != nil {
			return err
		}
		return h.sendArchive(c, w, v)
	})
}

// installed is the version of a collection that a program asks for.
func (h *Handlers) installed(c echo.Context, w *steadyWriter) (models.CollectionVersion, error) {
	if err := noParameters(c, AccessKeyParameter); err != nil {
		return models.CollectionVersion{}, err
	}
	within, err := h.Store.CollectionByID(c.Request().Context(), actor(c), c.Param("id"))
	if err == nil {
		w.found(within.Workspace.ID, within.Collection.ID, false)
	}
	return within.Version, err
}

func (h *Handlers) sendArchive(c echo.Context, w *steadyWriter, v models.CollectionVersion) error {
	content := h.Store.Archive(c.Request().Context(), v)
	if _, err := content.ReadAt(make([]byte, 1), 0); err != nil { // while it can still be told as an error
		return err
	}
	attach(c, v.FileName, "application/zip")
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
	return h.download(c, func(w *steadyWriter) error {
		within, seen, err := h.version(c)
		if err != nil {
			return err
		}
		w.found(within.Workspace.ID, within.Collection.ID, false)
		return h.sendFile(c, w, seen.CollectionVersion, q["path"])
	})
}

// ReadCollectionFile sends one file of the version that is installed to a program.
func (h *Handlers) ReadCollectionFile(c echo.Context) error {
	return h.download(c, func(w *steadyWriter) error {
		v, err := h.installed(c, w)
		if err != nil {
			return err
		}
		name := c.Param("*")
		if c.Request().URL.RawPath != "" { // the router went by that
			if name, err = url.PathUnescape(name); err != nil || !Legible(name) {
				return models.Fail(models.NotFound, "This version has no such file.")
			}
		}
		return h.sendFile(c, w, v, name)
	})
}

func (h *Handlers) sendFile(c echo.Context, w *steadyWriter, v models.CollectionVersion, name string) error {
	ctx := c.Request().Context()
	file, err := h.Store.File(ctx, v, name)
	if err != nil {
		return err
	}
	body, size, err := archive.Open(h.Store.Archive(ctx, v), v.Size, file.Path)
	if err != nil {
		return err
	}
	defer body.Close()
	attach(c, path.Base(file.Path), echo.MIMEOctetStream)
	c.Response().Header().Set(echo.HeaderContentLength, strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	_, err = io.Copy(w, body) // where it fails, the length that was promised tells that the end is missing
	return err
}
