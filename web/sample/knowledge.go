package sample

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// document is a file of the storage that can be searched.
type document struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Excerpt   string    `json:"excerpt"`
	Size      int64     `json:"size"` // bytes of its text
	FileID    string    `json:"file_id"`
	CreatedAt time.Time `json:"created_at"`
}

// source is where an answer comes from: a document, and the passage that is quoted.
type source struct {
	DocumentID string `json:"document_id"`
	Title      string `json:"title"`
	Passage    string `json:"passage"`
}

// finding is a document that a search found.
type finding struct {
	DocumentID string `json:"document_id"`
	Title      string `json:"title"`
	Snippet    string `json:"snippet"` // of its best passage, the words between ** and **
}

func (s *Sample) listDocuments(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	documents, err := pageRows(r.Context(), s.read, p, newest("id"), func(rows *sql.Rows) (string, document, error) {
		var d document
		err := rows.Scan(&d.ID, &d.Title, &d.Excerpt, &d.Size, &d.FileID, &d.CreatedAt)
		return d.ID, d, err
	}, "SELECT id, title, excerpt, size, file, created_at FROM documents WHERE tenant = ?", c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The documents of the knowledge base, newest first. Storage has their files.", documents)
}

// searchDocuments finds the documents with a passage that has all words of the question, or where there is none
// any of them, the best first.
func (s *Sample) searchDocuments(w http.ResponseWriter, r *http.Request, c call) error {
	limit, err := limitOf(r.URL.Query())
	if err != nil {
		return err
	}
	question := r.URL.Query().Get("q")
	if strings.TrimSpace(question) == "" || utf8.RuneCountInString(question) > longestText {
		return badRequest("Say what to search for, in q, like ?q=revoke. It takes up to 2000 characters.")
	}
	wanted, message := words(question), "The documents with all of these words, the best first."
	found, err := s.search(r.Context(), c.tenant, match(wanted, "AND"), limit)
	if err == nil && len(found) == 0 && len(wanted) > 1 {
		message = "No passage has all of these words. These have some, the best first."
		found, err = s.search(r.Context(), c.tenant, match(wanted, "OR"), limit)
	}
	if err != nil {
		return err
	}
	if len(found) == 0 {
		message = "Nothing in the knowledge base has these words. GET /api/knowledge-base lists what there is."
	}
	return ok(w, message, list[finding]{Items: found})
}

// within asks the index for one workspace's passages. The rank of a passage depends on how rare a word is in
// all workspaces together, so what others keep can change an order, and nothing else.
const within = " FROM passage_index JOIN passages AS p ON p.number = passage_index.rowid WHERE passage_index MATCH ? AND p.tenant = ? ORDER BY rank"

func expression(tenant int64, words string) string {
	return fmt.Sprintf("home : t%d AND {title text} : (%s)", tenant, words)
}

// errEnough ends a query whose further rows nobody needs.
var errEnough = errors.New("enough")

// search finds documents by their best passages.
func (s *Sample) search(ctx context.Context, tenant int64, words string, limit int) ([]finding, error) {
	found, seen := []finding{}, map[string]bool{}
	if words == "" {
		return found, nil
	}
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		if len(found) == limit {
			return errEnough
		}
		var f finding
		if err := rows.Scan(&f.DocumentID, &f.Title, &f.Snippet); err != nil {
			return err
		}
		if !seen[f.DocumentID] {
			found = append(found, f)
		}
		seen[f.DocumentID] = true
		return nil
	}, "SELECT p.document, p.title, snippet(passage_index, 2, '**', '**', '…', 32)"+within, expression(tenant, words), tenant)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// finder finds what there is about a text.
type finder func(ctx context.Context, text string) ([]source, error)

// newFinder makes a finder that looks the same text up once: an event may start many agents, with one input.
func newFinder(db querier, tenant int64) finder {
	known := map[string][]source{}
	return func(ctx context.Context, text string) (found []source, err error) {
		found, there := known[text]
		if !there {
			found, err = lookUp(ctx, db, tenant, text)
			known[text] = found
		}
		return found, err
	}
}

// mostSources is how many passages an answer quotes.
const mostSources = 3

// lookUp finds the passages that have most to do with a text.
func lookUp(ctx context.Context, db querier, tenant int64, text string) ([]source, error) {
	found := []source{}
	wanted := words(text)
	if len(wanted) == 0 {
		return found, nil
	}
	err := each(ctx, db, func(rows *sql.Rows) error {
		var f source
		err := rows.Scan(&f.DocumentID, &f.Title, &f.Passage)
		found = append(found, f)
		return err
	}, "SELECT p.document, p.title, p.text"+within+" LIMIT ?", expression(tenant, match(wanted, "OR")), tenant, mostSources)
	return found, err
}

// compose writes an answer from what was found. It says nothing that is not in the knowledge base.
func compose(found []source) string {
	if len(found) == 0 {
		return "I found nothing about that in the knowledge base, and I know nothing else. Upload a text about it to /api/knowledge-base/storage, and ask again."
	}
	var b strings.Builder
	b.WriteString("This is what the knowledge base says.")
	title := ""
	for _, f := range found {
		if b.WriteString("\n\n"); f.Title != title {
			b.WriteString(f.Title + ":\n")
		}
		b.WriteString("“" + f.Passage + "”")
		title = f.Title
	}
	return b.String()
}
