package sample

import (
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// success is the envelope of what went well.
type success struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// failure is the envelope of what did not.
type failure struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`   // stable, for programs
	Message string `json:"message"` // for people: what to do
}

// problem is an error that the caller is told. Every other error is a fault of ours: logged, and answered with 500.
type problem struct {
	status  int
	code    string
	message string
}

func (p *problem) Error() string { return p.message }

func badRequest(message string) error {
	return &problem{http.StatusBadRequest, "bad_request", message}
}
func notFound(message string) error { return &problem{http.StatusNotFound, "not_found", message} }
func conflict(message string) error { return &problem{http.StatusConflict, "conflict", message} }
func tooLarge(message string) error {
	return &problem{http.StatusRequestEntityTooLarge, "too_large", message}
}
func unprocessable(message string) error {
	return &problem{http.StatusUnprocessableEntity, "unprocessable", message}
}

// limitReached is for a workspace that has as much of something as it may.
func limitReached(message string) error {
	return &problem{http.StatusUnprocessableEntity, "limit_reached", message}
}

// errFull is for the limits of the whole sample.
var errFull = &problem{http.StatusInsufficientStorage, "full", "The sample has no more room. Delete what you do not need: GET /api/knowledge-base/storage lists the files."}

// deleted is what is answered of a thing that is gone.
type deleted struct {
	ID string `json:"id"`
}

// orNotFound gives the lack of a row its name for the caller.
func orNotFound(err error, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(message)
	}
	return err
}

func ok(w http.ResponseWriter, message string, data any) error {
	return send(w, http.StatusOK, success{true, message, data})
}

// created answers with the address of what was made, where it has one.
func created(w http.ResponseWriter, address, message string, data any) error {
	if address != "" {
		w.Header().Set("Location", address)
	}
	return send(w, http.StatusCreated, success{true, message, data})
}

// send answers with JSON as people read it in a terminal: "<" stays "<", which is safe with nosniff.
func send(w http.ResponseWriter, status int, body any) error {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the only failure is a caller who is gone
	return nil
}

// fail tells the caller of an error. Of a caller who is gone it says nothing.
func (s *Sample) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := (*problem)(nil)
	switch {
	case errors.As(err, &p):
	case isFull(err):
		p = errFull
	default:
		if r.Context().Err() == nil {
			caller, _ := callerOf(r.Header) // who was believed, or the error would be another one
			s.log.Error("the sample failed", slog.String("request_id", caller.RequestID), slog.String("path", r.URL.Path), slog.Any("error", err))
		}
		p = &problem{http.StatusInternalServerError, "internal", "The sample could not finish that. Its log has the reason."}
	}
	_ = send(w, p.status, failure{Error: p.code, Message: p.message})
}
