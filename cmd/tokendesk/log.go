package main

import (
	"fmt"
	"log"
	"log/slog"
	"strings"
	"unicode"

	"tokendesk/web/tracing"
)

// openLog makes the log that the settings ask for. In both formats an entry is one line, and what a
// terminal would obey, or read backwards, is an escape (security rule A4).
func openLog(io console, c config) *slog.Logger {
	var handler slog.Handler = slog.NewTextHandler(io.err, nil)
	if c.logFormat == "json" {
		handler = slog.NewJSONHandler(io.err, &slog.HandlerOptions{ReplaceAttr: shown})
	}
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelDebug).Writer()) // net/http quotes there what a product sends unasked
	return slog.New(tracing.Log(handler))
}

// shown does for JSON what the text format does by itself: JSON escapes the first 32 characters and no
// others.
func shown(_ []string, a slog.Attr) slog.Attr {
	text := ""
	switch value := a.Value.Any().(type) {
	case string:
		text = value
	case error:
		text = value.Error()
	}
	if !strings.ContainsFunc(text, unseen) {
		return a
	}
	var b strings.Builder
	for _, r := range text {
		if unseen(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return slog.String(a.Key, b.String())
}

func unseen(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) }
