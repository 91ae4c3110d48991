package sample

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"time"
)

// file is what somebody uploaded.
type file struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Size         int64     `json:"size"` // bytes
	SHA256       string    `json:"sha256"`
	DocumentID   string    `json:"document_id"`   // of the text that can be searched; empty where it cannot
	CredentialID string    `json:"credential_id"` // that uploaded it
	CreatedAt    time.Time `json:"created_at"`
}

const (
	storagePath = "/api/knowledge-base/storage"
	noFile      = "There is no such file. GET " + storagePath + " lists them."
	fileColumns = "SELECT f.id, f.name, f.size, f.sha256, coalesce(d.id, ''), f.credential, f.created_at FROM files AS f LEFT JOIN documents AS d ON d.tenant = f.tenant AND d.file = f.id WHERE f.tenant = ?"
)

func scanFile(scan func(...any) error) (f file, err error) {
	err = scan(&f.ID, &f.Name, &f.Size, &f.SHA256, &f.DocumentID, &f.CredentialID, &f.CreatedAt)
	return f, err
}

func fileBy(ctx context.Context, db querier, tenant int64, id string) (file, error) {
	f, err := scanFile(db.QueryRowContext(ctx, fileColumns+" AND f.id = ?", tenant, id).Scan)
	return f, orNotFound(err, noFile)
}

func (s *Sample) listFiles(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	files, err := pageRows(r.Context(), s.read, p, newest("f.id"), func(rows *sql.Rows) (string, file, error) {
		f, err := scanFile(rows.Scan)
		return f.ID, f, err
	}, fileColumns, c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The files, newest first. GET "+storagePath+"/{id} downloads one.", files)
}

// download sends a file, or the ranges of it that are asked for (RFC 9110, section 14). Whatever is in it, a
// browser saves it and runs nothing.
func (s *Sample) download(w http.ResponseWriter, r *http.Request, c call) error {
	f, err := fileBy(r.Context(), s.read, c.tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	content, err := s.files.open(f.ID)
	if errors.Is(err, fs.ErrNotExist) { // it was deleted a moment ago
		return notFound(noFile)
	}
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", `"`+f.SHA256+`"`)
	http.ServeContent(w, r, "", f.CreatedAt, content)
	return nil
}

// deleteFile removes a file, and the document that was made of it.
func (s *Sample) deleteFile(w http.ResponseWriter, r *http.Request, c call) error {
	var f file
	err := s.change(r.Context(), func(tx *sql.Tx) (err error) {
		if f, err = fileBy(r.Context(), tx, c.tenant, r.PathValue("id")); err != nil {
			return err
		}
		return one(tx.ExecContext(r.Context(), "DELETE FROM files WHERE tenant = ? AND id = ?", c.tenant, f.ID))
	})
	if err != nil {
		return err
	}
	s.files.remove(f.ID)
	s.room.give(c.tenant, f.Size)
	return ok(w, "Deleted, and its document too.", deleted{f.ID})
}
