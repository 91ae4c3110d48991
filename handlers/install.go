package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/archive"
	"tokendesk/models/secret"
)

const (
	fieldFile      = "collectionFile"
	fieldWorkspace = "workspace"
	smallField     = 4 << 10  // the most that a field may weigh that is not the file
	overhead       = 64 << 10 // what may stand in the body around the file
)

// Envelope is the shape of every answer of POST /installCollection.
type Envelope struct {
	Success   bool   `json:"success"`
	Message   string `json:"message"`
	Data      any    `json:"data"`
	Code      string `json:"code,omitempty"`       // of a refusal; stable
	RequestID string `json:"request_id,omitempty"` // of a refusal; for whoever looks into it
}

// installedData tells a program what is installed now.
type installedData struct {
	CollectionID string `json:"collection_id"`
	Workspace    string `json:"workspace"` // its slug
	Name         string `json:"name"`
	Version      int    `json:"version"`         // counted from 1
	Label        string `json:"label,omitempty"` // the manifest's version
	SHA256       string `json:"sha256"`
	Size         int64  `json:"size"` // of the archive, in bytes
	Entries      int    `json:"entries"`
	Unchanged    bool   `json:"unchanged"` // these bytes were current already
}

// upload is what the parts of an installation's body came to.
type upload struct {
	file      *os.File // the archive; it has no name any more, and is gone when it is closed
	name      string   // what the sender called it
	size      int64
	sha256    string
	workspace string
}

// Install takes a collection file from a program. Who it is was checked before the body is read; the
// archive is checked before anything of it is kept.
func (h *Handlers) Install(c echo.Context) error {
	workspace, err := workspaceHeader(c.Request().Header)
	if err != nil {
		return err
	}
	done, err := h.install(c, workspace)
	if err != nil {
		return err
	}
	message := "Collection installed successfully from " + done.Version.FileName + "."
	switch {
	case done.Again:
		message = fmt.Sprintf("Collection installed successfully from %s. It is the same as version %d, which is current again; before, version %d was.", done.Version.FileName, done.Version.Number, done.Before.Number)
	case done.Unchanged:
		message = fmt.Sprintf("Collection installed successfully from %s. It is the same as version %d: nothing changed.", done.Version.FileName, done.Version.Number)
	}
	return c.JSON(http.StatusOK, Envelope{Success: true, Message: message, Data: installedData{
		CollectionID: done.Collection.ID, Workspace: done.Workspace.Slug, Name: done.Collection.Name, Version: done.Version.Number,
		Label: done.Version.Label, SHA256: done.Version.SHA256, Size: done.Version.Size, Entries: done.Version.Entries, Unchanged: done.Unchanged,
	}})
}

// namedKey is where a request keeps what it brought, for whoever tells of its refusal.
const namedKey = "upload"

// install receives, checks and keeps a collection.
func (h *Handlers) install(c echo.Context, workspace string) (models.Installed, error) {
	up, err := h.receive(c, workspace)
	c.Set(namedKey, up)
	if up.file != nil {
		defer up.file.Close()
	}
	if err != nil {
		return models.Installed{}, err
	}
	ctx := c.Request().Context()
	summary, err := archive.Check(ctx, up.file, up.size, h.Limits)
	if errors.Is(err, archive.ErrNotZip) && up.name == "" {
		return models.Installed{}, noFile("The field holds text and no file: put @ before the file's name.")
	}
	if err != nil {
		return models.Installed{}, err
	}
	n := newInstall(up, summary)
	names := []string{n.FileName, n.Name, n.Label, n.Description}
	for _, f := range n.Files {
		names = append(names, f.Path)
	}
	for _, text := range names {
		if secret.Mask(text) != text {
			return models.Installed{}, models.Fail(models.Invalid, "A name or the description in the collection holds a whole token, which others would see. Take it out.")
		}
	}
	return h.Store.InstallCollection(ctx, actor(c), n)
}

func newInstall(up upload, s archive.Summary) models.NewInstall {
	n := models.NewInstall{
		Workspace: up.workspace, FileName: up.name, Name: s.Name, Label: s.Version, Description: s.Description,
		SHA256: up.sha256, Size: up.size, Content: up.file,
	}
	for _, f := range s.Files {
		n.Files = append(n.Files, models.CollectionFile{Path: f.Path, Size: f.Size, SHA256: hex.EncodeToString(f.SHA256[:])})
	}
	return n
}

// receive reads the body part by part. Only the file is large, and goes to disk as it comes. workspace is
// what was named outside the body; empty: nothing was.
func (h *Handlers) receive(c echo.Context, workspace string) (up upload, err error) {
	r := c.Request()
	up.workspace = workspace
	if r.ContentLength > h.Limits.ArchiveBytes+overhead {
		return up, h.tooLarge()
	}
	r.Body = http.MaxBytesReader(c.Response(), paced(c, h.inUse(c)), h.Limits.ArchiveBytes+overhead)
	parts, err := r.MultipartReader()
	if err != nil {
		return up, noFile("The request is not multipart/form-data.").Because(errors.Join(errNoFile, err))
	}
	fromField := false
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return up, h.unreadable(err)
		}
		switch name := part.FormName(); {
		case name == fieldFile && up.file != nil:
			return up, models.Fail(models.Ambiguous, "The field %s was sent more than once. Install one collection with one request.", fieldFile)
		case name == fieldFile:
			err = h.spool(part, &up)
		case name == fieldWorkspace && fromField:
			err = models.Fail(models.Ambiguous, "The field workspace was sent more than once. Send it once.")
		case name == fieldWorkspace:
			err = h.readWorkspace(part, &up)
			fromField = true
		default:
			err = h.skip(part)
		}
		if err != nil {
			return up, err
		}
	}
	if up.file == nil {
		return up, noFile("")
	}
	return up, nil
}

// spool writes the archive to a file that no longer has a name, so that nothing is left behind
// whatever happens, and hashes it on the way.
func (h *Handlers) spool(part *multipart.Part, up *upload) error {
	file, err := os.CreateTemp(h.SpoolDir, "install-*") // mode 0600
	if err != nil {
		return models.Fail(models.Unavailable, noRoom).Because(err)
	}
	up.file, up.name = file, part.FileName()
	if err := os.Remove(file.Name()); err != nil {
		return err
	}
	hash, disk := sha256.New(), &disk{File: file}
	size, err := io.Copy(io.MultiWriter(disk, hash), io.LimitReader(part, h.Limits.ArchiveBytes+1))
	if disk.failed != nil {
		return models.Fail(models.Unavailable, noRoom).Because(disk.failed)
	}
	if err != nil {
		return h.unreadable(err)
	}
	if size > h.Limits.ArchiveBytes {
		return h.tooLarge()
	}
	up.size, up.sha256 = size, hex.EncodeToString(hash.Sum(nil))
	return nil
}

func workspaceHeader(header http.Header) (string, error) {
	switch sent := header.Values("X-Workspace-Id"); len(sent) {
	case 0:
		return "", nil
	case 1:
		return sent[0], checkWorkspace(sent[0])
	}
	return "", models.Fail(models.Ambiguous, "The header X-Workspace-Id was sent more than once. Send it once.")
}

func checkWorkspace(slugOrID string) error {
	if len(slugOrID) > 200 || !Legible(slugOrID) {
		return models.Fail(models.Ambiguous, "A workspace is named by its slug, as its address in the console has it.")
	}
	return nil
}

func (h *Handlers) readWorkspace(part *multipart.Part, up *upload) error {
	text, err := io.ReadAll(io.LimitReader(part, smallField+1))
	if err != nil {
		return h.unreadable(err)
	}
	if err := checkWorkspace(string(text)); err != nil {
		return err
	}
	if up.workspace != "" && up.workspace != string(text) {
		return models.Fail(models.Ambiguous, "The field workspace names another workspace than the rest of the request. Send it once.")
	}
	up.workspace = string(text)
	return nil
}

// skip passes over a field that means nothing here. A file in it is the collection in a wrong field.
func (h *Handlers) skip(part *multipart.Part) error {
	if part.FileName() != "" {
		return noFile(fmt.Sprintf("A file came in the field %q.", models.Shorten(part.FormName(), 60)))
	}
	n, err := io.Copy(io.Discard, io.LimitReader(part, smallField+1))
	if err != nil {
		return h.unreadable(err)
	}
	if n > smallField {
		return models.Fail(models.Ambiguous, "A form field other than %s is larger than 4 KiB.", fieldFile)
	}
	return nil
}

// errNoFile marks the refusal of a request that brought no file at all.
var errNoFile = errors.New("no file came")

func noFile(why string) *models.Error {
	if why != "" {
		why = " " + why
	}
	return models.Fail(models.Ambiguous, "No file uploaded. Attach a .zip collection file to the request in the form field '%s', like -F \"%s=@myCollection.zip\".%s", fieldFile, fieldFile, why).Because(errNoFile)
}

func (h *Handlers) tooLarge() *models.Error {
	return models.Fail(models.Invalid, "The collection file is larger than the limit of %s.", humanize.IBytes(uint64(h.Limits.ArchiveBytes)))
}

// unreadable tells a body that is too large from one that broke off.
func (h *Handlers) unreadable(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return h.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return models.Fail(models.Ambiguous, "The upload was too slow. Send it again.").Because(err)
	}
	return models.Fail(models.Ambiguous, "The upload broke off or is not well-formed multipart/form-data. Send it again.").Because(err)
}

const noRoom = "The server has no room to receive the file. Tell the administrator to look at the data directory."

// disk remembers that writing failed, which is the server's fault, where reading is the sender's.
type disk struct {
	*os.File
	failed error
}

func (d *disk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b)
	if err != nil {
		d.failed = err
	}
	return n, err
}

const (
	pace         = 30 * time.Second // how long a body may stand still
	slowest      = 8 << 10          // bytes a second that a body must bring on the average, after the first pause
	timeToAnswer = 2 * time.Minute  // from its end to the end of the answer
)

// paced reads a request's body as long as it goes on: each read has a deadline of its own, because a
// large upload may take longer than any request should.
func paced(c echo.Context, inUse func()) io.ReadCloser {
	return &pacedBody{ReadCloser: c.Request().Body, control: http.NewResponseController(c.Response().Writer), ctx: c.Request().Context(), inUse: inUse}
}

type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	ctx     context.Context
	inUse   func() // told of every read
	begun   time.Time
	came    int64
}

func (p *pacedBody) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	now := models.Ticks()
	if p.begun.IsZero() {
		p.begun = now
	}
	if late := now.Sub(p.begun) - pace; late > 0 && float64(p.came) < late.Seconds()*slowest {
		return 0, os.ErrDeadlineExceeded
	}
	_ = p.control.SetReadDeadline(now.Add(pace)) // connections of net/http support both
	_ = p.control.SetWriteDeadline(now.Add(pace + timeToAnswer))
	n, err := p.ReadCloser.Read(b)
	p.came += int64(n)
	p.inUse()
	return n, err
}
