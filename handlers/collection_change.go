package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/archive"
	"tokendesk/views"
)

// UploadCollection installs a collection from the console. A script that shows how far it is asks for JSON
// and gets the place to go on to, or what is wrong, instead of pages.
func (h *Handlers) UploadCollection(c echo.Context) error {
	scripted := Scripted(c)
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	done, err := h.install(c, w.Slug)
	if message, wrong := uploadProblem(err); wrong {
		c.SetRequest(c.Request().WithContext(context.WithoutCancel(c.Request().Context()))) // an upload that was too slow has ended it
		h.RefusedInstall(c, err, message)
		if scripted {
			return c.JSON(http.StatusUnprocessableEntity, map[string]string{"message": message})
		}
		return h.showCollections(c, http.StatusUnprocessableEntity, views.Form{Errors: []models.Field{{Name: fieldFile, Message: message}}})
	}
	if err != nil {
		return err
	}
	to := collectionsPath(done.Workspace) + "/" + done.Collection.ID
	h.say(c, done.Collection.Name, " "+installedAs(done))
	if scripted {
		return c.JSON(http.StatusOK, map[string]string{"location": to})
	}
	return seeOther(c, to)
}

// Scripted says whether a form is sent by the page's own script, which wants to be told in JSON.
func Scripted(c echo.Context) bool {
	return c.Request().Method == http.MethodPost && c.Request().Header.Get(echo.HeaderAccept) == echo.MIMEApplicationJSON
}

// uploadProblem says what is wrong with what was uploaded, for people; false for every other error.
func uploadProblem(err error) (string, bool) {
	var unsafe *archive.Refusal
	var ours *models.Error
	switch {
	case errors.Is(err, errNoFile):
		return "Choose a collection file.", true
	case errors.Is(err, archive.ErrNotZip):
		return "This file is no zip, whatever its name says: it may be empty, or an error page. Choose a .zip file.", true
	case errors.As(err, &unsafe):
		return unsafe.Message, true
	case errors.As(err, &ours) && (ours.Kind == models.Invalid || ours.Kind == models.Ambiguous || ours.Kind == models.TooLarge):
		if len(ours.Fields) > 0 {
			return ours.Fields[0].Message, true
		}
		return ours.Message, true
	}
	return "", false
}

func installedAs(done models.Installed) string {
	switch {
	case done.Again:
		return fmt.Sprintf("is at version %d again. Before, version %d was current.", done.Version.Number, done.Before.Number)
	case done.Unchanged:
		return fmt.Sprintf("has these bytes already: version %d is current, and nothing changed.", done.Version.Number)
	}
	return fmt.Sprintf("is installed, version %s.", done.Version.VersionName())
}

// MakeCurrent makes an earlier version the one that is installed.
func (h *Handlers) MakeCurrent(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	number, err := versionNumber(c)
	if err != nil {
		return err
	}
	within, err := h.collection(c)
	if err != nil {
		return err
	}
	v, err := h.Store.MakeCurrent(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), number)
	if err != nil {
		return err
	}
	return h.done(c, collectionPath(within), within.Name, " is at version "+v.VersionName()+" now.")
}

// DeleteCollectionPage asks before a collection is deleted.
func (h *Handlers) DeleteCollectionPage(c echo.Context) error {
	return h.showDelete(c, http.StatusOK, views.Form{})
}

// DeleteCollection deletes a collection whose name was typed.
func (h *Handlers) DeleteCollection(c echo.Context) error {
	f, err := form(c, "typed")
	if err != nil {
		return err
	}
	gone, err := h.Store.DeleteCollection(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), f["typed"])
	if err == nil {
		return h.done(c, "/w/"+c.Param("workspace")+"/settings/collections", gone.Name, " is deleted, with all its versions.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showDelete(c, status, back)
}

func (h *Handlers) showDelete(c echo.Context, status int, back views.Form) error {
	within, err := h.collection(c)
	if err != nil {
		return err
	}
	versions, bytes, err := h.Store.SizeOf(c.Request().Context(), within.Collection)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.CollectionDeletePage(page, views.CollectionDelete{
		Name: within.Name, Path: collectionPath(within), Back: collectionPath(within), Form: back,
		Versions: plainly(versions, "version", "versions"), Size: humanize.IBytes(uint64(bytes)),
	}))
}
