package sample

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// texts are the endings of files that are searched.
var texts = []string{".txt", ".md", ".json", ".csv"}

// readText reads the text of a file, or says why it has none.
func (s *Sample) readText(f file) (text, why string) {
	if f.Size > s.limits.TextBytes || !slices.Contains(texts, strings.ToLower(path.Ext(f.Name))) {
		return "", fmt.Sprintf("that is for %s up to %d bytes", strings.Join(texts, ", "), s.limits.TextBytes)
	}
	bytes, err := os.ReadFile(s.files.path(f.ID))
	if err != nil {
		return "", "it could not be read"
	}
	if !utf8.Valid(bytes) || slices.Contains(bytes, 0) {
		return "", "it is not text in UTF-8"
	}
	if text = strings.TrimSpace(strings.TrimPrefix(string(bytes), "\ufeff")); text == "" {
		return "", "it has no words"
	}
	return text, ""
}

// addFile writes a file down, and with a text the document that it makes.
func (s *Sample) addFile(ctx context.Context, tx querier, c call, f *file, text string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO files (tenant, id, name, size, sha256, credential, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.tenant, f.ID, f.Name, f.Size, f.SHA256, f.CredentialID, f.CreatedAt)
	if err != nil || text == "" {
		return err
	}
	f.DocumentID = s.ids.next(c.now)
	title, rest := titled(f.Name, text)
	_, err = tx.ExecContext(ctx, "INSERT INTO documents (tenant, id, file, title, excerpt, size, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.tenant, f.DocumentID, f.ID, title, excerpt(rest), len(text), c.now)
	if err != nil {
		return err
	}
	for i, passage := range passages(rest) {
		_, err := tx.ExecContext(ctx, "INSERT INTO passages (tenant, document, position, title, text) VALUES (?, ?, ?, ?, ?)", c.tenant, f.DocumentID, i, title, passage)
		if err != nil {
			return err
		}
	}
	return nil
}
