package main

import (
	"bytes"
	"encoding/json"
	"errors"
	stdlog "log"
	"log/slog"
	"strings"
	"testing"
	"unicode"
)

// Security rule A4: whatever an entry holds, in its message, a value or an error, it is one line, of which a
// terminal shows every sign as it is, and in JSON it can be read back.
func TestA4LogLinesArePlain(t *testing.T) {
	const forged = "a\r\nlevel=INFO msg=forged\x1b[2J\x07 \u202eb\u2066c\u2028d\u0085e\u009bf\x7fg\u200bh\xffi \"}{\" é 日本 \\"
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := openLog(console{err: &out}, config{logFormat: format})
		stdlog.Print(forged) // goes nowhere
		log.Error(forged, slog.String("value", forged), slog.Any("error", errors.New(forged)), slog.Any("other", struct{ Text string }{"b"}), slog.Group("in", slog.String("it", forged)))
		line := strings.TrimSuffix(out.String(), "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %q", format, line)
		}
		for _, want := range []string{"é 日本", "202e", "009b", "forged"} {
			if strings.Count(line, want) != 4 {
				t.Errorf("%s: %s stands %d times in %q", format, want, strings.Count(line, want), line)
			}
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(line), &read); format == "json" && (err != nil || !strings.HasPrefix(read["error"].(string), "a\r\nlevel=INFO")) {
			t.Errorf("%v: %q", err, line)
		}
	}
}
