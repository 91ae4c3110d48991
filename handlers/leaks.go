package handlers

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	largestReport  = 64 << 10 // bytes
	mostInAReport  = 100      // credentials
	reportedHowTo  = `Send a JSON object like {"credentials":["…"]}, with Content-Type: application/json.`
	reportTooLarge = "The body is larger than 64 KiB. Send at most 100 credentials in a call."
)

// report is the answer to a report: how many texts came, whatever they were.
type report struct {
	Data struct {
		Received int `json:"received"`
	} `json:"data"`
}

// ReportLeaked takes away what somebody found where it does not belong. Whoever sends all of a credential may have it revoked, and need not
// sign in. The answer is the same whatever was sent: that something was alive is told to nobody here, though it may be felt in how long the
// answer takes, by somebody who has all of it and with it what it was good for until now. Nothing of what was sent is logged or kept.
func (h *Handlers) ReportLeaked(c echo.Context) error {
	if err := noParameters(c); err != nil {
		return err
	}
	address := c.RealIP()
	if wait := h.Reports.Call(address); wait > 0 {
		return tooMany(retryAfter(c, wait))
	}
	list, err := reportInput(c)
	if err != nil {
		return err
	}
	if wait := h.Reports.Show(address, len(list)); wait > 0 {
		return tooMany(retryAfter(c, wait))
	}
	ctx, who := c.Request().Context(), actor(c)
	var texts []secret.Text
	for _, text := range list {
		if whole, ok := secret.Parse(text); ok {
			texts = append(texts, whole)
			continue
		}
		if !secret.LooksLikeJWT(text) {
			continue
		}
		claims, ok, err := h.Keys.ParseNow(ctx, secret.Text(text))
		if err == nil && ok {
			_, err = h.Store.ReportLeakedSignIn(ctx, who, claims.Hash())
		}
		if err != nil {
			return err
		}
	}
	if len(texts) > 0 {
		if _, err := h.Store.ReportLeaked(ctx, who, texts); err != nil {
			return err
		}
	}
	var answer report
	answer.Data.Received = len(list)
	return c.JSON(http.StatusOK, answer)
}

// reportInput reads what is reported.
func reportInput(c echo.Context) ([]string, error) {
	r := c.Request()
	if kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationJSON {
		return nil, models.Fail(models.Ambiguous, reportedHowTo)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, largestReport))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, models.Fail(models.TooLarge, reportTooLarge) // without the cause, as everywhere here: it may quote what was sent
	}
	if err != nil {
		return nil, models.Fail(models.Ambiguous, "The body could not be read to its end. Send it again.")
	}
	return readReport(body)
}

// readReport reads the object that a report is. What is wrong with it is told without a word of what it holds.
func readReport(body []byte) ([]string, error) {
	var list []string
	if err := readFields(bytes.TrimSpace(body), map[string]any{"credentials": &list}); err != nil {
		return nil, models.Fail(models.Ambiguous, reportedHowTo)
	}
	switch {
	case len(list) == 0:
		return nil, models.Fail(models.Ambiguous, reportedHowTo)
	case len(list) > mostInAReport:
		return nil, models.Fail(models.TooLarge, "That is more than 100 credentials. Send them in several calls.")
	}
	return list, nil
}
