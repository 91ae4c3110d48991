package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"tokendesk/models"
)

// usage is a mistake in how the program was started: a wrong command, flag or setting.
type usage struct{ text string }

func (u usage) Error() string { return u.text }

// panicked is a fault of ours, and the only error that takes more than a line to tell.
type panicked struct {
	value any
	stack string
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// fail tells why the program ends, as a line for people or of a log in JSON, and answers the exit code.
func fail(io console, asJSON bool, err error) int {
	if asJSON {
		slog.New(slog.NewJSONHandler(io.err, nil)).Error(plain(err))
	} else {
		fmt.Fprintln(io.err, "tokendesk:", plain(err))
	}
	if errors.As(err, &usage{}) {
		return 2
	}
	return 1
}

// plain is an error as a person at a terminal reads it, in one line: the sentence, and the cause where
// it is the operator's to look into.
func plain(err error) string {
	text := err.Error()
	if ours := new(models.Error); errors.As(err, &ours) {
		text = strings.Replace(text, ours.Error(), sentence(ours), 1)
	}
	if errors.As(err, new(*panicked)) {
		return text
	}
	return oneLine(text)
}

func sentence(e *models.Error) string {
	if len(e.Fields) > 0 {
		said := make([]string, len(e.Fields))
		for i, f := range e.Fields {
			said[i] = f.Message
		}
		return strings.Join(said, " ")
	}
	if cause := errors.Unwrap(e); cause != nil && (e.Kind == models.Unavailable || e.Kind == models.Internal) {
		return fmt.Sprintf("%s (%s)", e.Message, oneLine(cause.Error()))
	}
	return e.Message
}

// oneLine joins the lines of a text, each of them once: a driver that tried twice says everything twice.
func oneLine(text string) string {
	var joined string
	said := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || said[line] {
			continue
		}
		said[line] = true
		switch {
		case joined == "":
		case strings.HasSuffix(joined, ":"):
			joined += " "
		default:
			joined += "; "
		}
		joined += line
	}
	return joined
}
