package sample

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"
)

// upload keeps a file: the field "file" of a form, or the body as it is, with ?name=.
func (s *Sample) upload(w http.ResponseWriter, r *http.Request, c call) error {
	ctx := r.Context()
	if err := s.mayAddFile(ctx, s.read, c.tenant); err != nil { // before it is sent, and again when it is written down
		return err
	}
	name, content, err := s.incoming(r)
	if err != nil {
		return err
	}
	f := file{ID: s.ids.next(c.now), Name: name, CredentialID: c.Credential, CreatedAt: c.now}
	if f.Size, f.SHA256, err = s.receiveFile(c.tenant, f.ID, content); err != nil {
		return err
	}
	note, err := s.keepFile(context.WithoutCancel(ctx), c, &f) // it is here: whether the caller still is makes no difference
	if err != nil {
		s.discard(c.tenant, f.ID, f.Size)
		return err
	}
	return created(w, storagePath+"/"+f.ID, note, f)
}

// incoming finds the file in a request.
func (s *Sample) incoming(r *http.Request) (name string, content io.Reader, err error) {
	if r.ContentLength > s.limits.FileBytes+64<<10 { // with what a form has around it
		return "", nil, s.fileTooLarge()
	}
	content = r.Body
	name = r.URL.Query().Get("name")
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") {
		const advice = `Send the file in the form's field "file", as curl -F file=@notes.md does, and nothing else.`
		form, err := r.MultipartReader()
		if err != nil {
			return "", nil, badRequest("The form cannot be read. " + advice)
		}
		part, err := form.NextPart()
		if err != nil || part.FormName() != "file" || part.FileName() == "" {
			return "", nil, badRequest("There is no file. " + advice)
		}
		name, content = part.FileName(), &onlyPart{part, form, badRequest("There is more than a file. " + advice)}
	}
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if name == "" {
		return "", nil, badRequest("Say what the file is called: ?name=notes.md with the file as the body, or a form with the field \"file\".")
	}
	if name == "." || name == ".." || !isLine(name) || !utf8.ValidString(name) {
		return "", nil, badRequest("A file's name is one line of up to 100 characters.")
	}
	return name, content, nil
}

// onlyPart reads the part of a form that is the file, and insists that nothing comes behind it.
type onlyPart struct {
	part *multipart.Part
	form *multipart.Reader
	more error
}

func (o *onlyPart) Read(p []byte) (int, error) {
	n, err := o.part.Read(p)
	if err == io.EOF {
		if _, next := o.form.NextPart(); next == nil {
			err = o.more
		} else if next != io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (s *Sample) fileTooLarge() error {
	return tooLarge(fmt.Sprintf("The file is larger than %d bytes, which is the most that is taken.", s.limits.FileBytes))
}

func (s *Sample) mayAddFile(ctx context.Context, db querier, tenant int64) error {
	there, err := count(ctx, db, "SELECT count(*) FROM files WHERE tenant = ?", tenant)
	if err == nil && there >= int64(s.limits.Files) {
		err = limitReached(fmt.Sprintf("There are %d files, and may be no more. Delete one first.", there))
	}
	return err
}

// keepFile writes a file down that is in the folder, and where its text can be searched a document with it. The
// note says which.
func (s *Sample) keepFile(ctx context.Context, c call, f *file) (note string, err error) {
	text, why := s.readText(*f)
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := s.mayAddFile(ctx, tx, c.tenant); err != nil {
			return err
		}
		if text != "" {
			kept, err := count(ctx, tx, "SELECT coalesce(sum(size), 0) FROM documents WHERE tenant = ?", c.tenant)
			if err != nil {
				return err
			}
			if kept+int64(len(text)) > s.limits.TenantTextBytes {
				text, why = "", fmt.Sprintf("the documents of a workspace have %d bytes of text together at most", s.limits.TenantTextBytes)
			}
		}
		return s.addFile(ctx, tx, c, f, text)
	})
	if why != "" {
		return "Kept. It cannot be searched: " + why + ".", err
	}
	return "Kept. GET /api/knowledge-base/search finds it.", err
}
