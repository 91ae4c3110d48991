package handlers

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/store"
)

const (
	patternsPath = "/.well-known/tokendesk-secret-patterns"

	// A secret is 54 characters, and no letter or digit follows it. What comes before is not looked at: in an address or a text of a program
	// it may be a letter, as in %20user_… or \nuser_….
	secretShape = `(%[1]s_[0-9A-Za-z]{49})(?:[^0-9A-Za-z]|$)`
)

// prefixMeaning says what begins with each of the prefixes that every installation has, in the order of the documents.
var prefixMeaning = []struct{ prefix, meaning string }{
	{models.Bearer.Prefix(), "Tokendesk bearer token"}, {models.AutomationToken.Prefix(), "Tokendesk automation token"}, {models.APIKey.Prefix(), "Tokendesk API key"},
	{models.CollectionKey.Prefix(), "Tokendesk collection access key"}, {store.RefreshPrefix, "Tokendesk refresh token"},
}

// SecretPatterns are rules for gitleaks, which finds with them what this installation issues.
func (h *Handlers) SecretPatterns(c echo.Context) error {
	return h.patterns(c, "application/toml", fmt.Sprintf(`# What this Tokendesk issues, for gitleaks 8.25 and later:
#   gitleaks dir --config tokendesk-secret-patterns.toml .
# With "[extend]" and "useDefault = true" it looks for everything else as well.
# The same for TruffleHog is at %[1]s.yaml.
#
# Each is 54 characters, the last six of which are a checksum that no pattern can check: what has the shape and is none is found too.
# Whoever finds one may have it revoked:
#   curl --json '{"credentials":["…"]}' %[2]s/v1/credentials:report
title = "Tokendesk"
`, patternsPath, h.address(c)), `
[[rules]]
id = "tokendesk-%[1]s"
description = "%[2]s"
regex = '''`+secretShape+`'''
secretGroup = 1
entropy = 4.0
keywords = ["%[1]s_"]
`)
}

// SecretDetectors are the same for TruffleHog.
func (h *Handlers) SecretDetectors(c echo.Context) error {
	return h.patterns(c, "application/yaml", fmt.Sprintf(`# What this Tokendesk issues, for TruffleHog 3:
#   trufflehog filesystem --config tokendesk-secret-patterns.yaml .
# The same for gitleaks is at %s.toml, with more to say.
detectors:
`, patternsPath), `  - name: tokendesk-%[1]s
    description: %[2]s
    keywords:
      - %[1]s_
    regex:
      secret: '`+secretShape+`'
`)
}

// patterns answers a document with one rule for each prefix.
func (h *Handlers) patterns(c echo.Context, kind, head, rule string) error {
	products, err := h.Store.ProductPrefixes(c.Request().Context())
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString(head)
	for _, p := range prefixMeaning {
		fmt.Fprintf(&text, rule, p.prefix, p.meaning)
	}
	for _, prefix := range products {
		fmt.Fprintf(&text, rule, prefix, "Tokendesk API token")
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
	return c.Blob(http.StatusOK, kind+"; charset=utf-8", []byte(text.String()))
}
