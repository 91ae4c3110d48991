package secret

import (
	"bytes"
	"database/sql/driver"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

const plain = "s3cr3t-of-somebody"

// shown fails when the secret, or a hexadecimal or quoted spelling of it, is in an output.
func shown(t *testing.T, how, output string) {
	t.Helper()
	for _, spelling := range []string{plain, fmt.Sprintf("%x", plain), fmt.Sprintf("%X", plain), fmt.Sprintf("%d", []byte(plain))} {
		if strings.Contains(output, spelling) {
			t.Errorf("%s shows the secret: %s", how, output)
		}
	}
}

// T7: no verb of package fmt, with any flag, prints a secret, alone or inside something else.
func TestTextIsNotPrinted(t *testing.T) {
	type record struct {
		Name   string
		Secret Text
	}
	text := Text(plain)
	holders := map[string]any{
		"text": text, "pointer": &text, "slice": []Text{text}, "map": map[Text]Text{text: text},
		"struct": record{"a", text}, "pointer to struct": &record{"a", text}, "any": any(text), "error": fmt.Errorf("bad %s", text),
	}
	for name, holder := range holders {
		for verb := 'A'; verb <= 'z'; verb++ {
			if verb == 'p' || verb == 'w' {
				continue // TestTextGapsAreAsDocumented
			}
			for _, flags := range []string{"", "+", "#", "-40", "040", " ", "10.3"} {
				format := "%" + flags + string(verb)
				shown(t, name+" "+format, fmt.Sprintf(format, holder, holder)) // one is left over, and printed too
			}
		}
		shown(t, name+" Sprint", fmt.Sprint(holder))
	}
	if got := fmt.Sprintf("%s|%v|%q|%x|%d|%#v", text, text, text, text, text, text); got != strings.Repeat("[secret]|", 5)+"[secret]" {
		t.Errorf("got %s", got)
	}
	if text.String() != "[secret]" || text.GoString() != "[secret]" {
		t.Error("String or GoString shows something else")
	}
}

// The gaps that the comment of Text admits to are real and are all: should the language close one, the
// comment has to change.
func TestTextGapsAreAsDocumented(t *testing.T) {
	hidden := struct{ secret Text }{plain}
	key, err := json.Marshal(map[Text]int{plain: 1})
	gaps := map[string]string{
		"an unexported field": fmt.Sprint(hidden), "%p": fmt.Sprintf("%p", Text(plain)),
		"%w": fmt.Sprintf(strings.ToLower("%W"), Text(plain)), "a key in JSON": string(key),
	}
	for gap, got := range gaps {
		if !strings.Contains(got, plain) || err != nil {
			t.Errorf("%s gives %s, %v: the gap is closed, so say it", gap, got, err)
		}
	}
}

// T6, T7: encoders, loggers and templates show "[secret]".
func TestTextIsNotEncoded(t *testing.T) {
	type record struct{ Secret Text }
	value := record{plain}
	var out bytes.Buffer
	try := func(how string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", how, err)
		}
		shown(t, how, out.String())
		if !strings.Contains(out.String(), "[secret]") {
			t.Errorf("%s does not say that there is a secret: %s", how, out.String())
		}
		out.Reset()
	}
	try("JSON", json.NewEncoder(&out).Encode(map[string]any{"a": value, "b": []any{value.Secret, &value.Secret}}))
	try("XML", xml.NewEncoder(&out).Encode(value))
	try("text template", template.Must(template.New("").Parse("{{.Secret}} {{printf `%q` .Secret}}")).Execute(&out, value))
	try("HTML template", htmltemplate.Must(htmltemplate.New("").Parse("<a title='{{.Secret}}'>{{.Secret}}</a><script>{{.Secret}}</script>")).Execute(&out, value))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "bare", value.Secret, "inside", value, slog.Group("g", "s", value.Secret))
	try("JSON log", nil)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "bare", value.Secret, "inside", value)
	try("text log", nil)
}

// A secret handed to a database or to encoding/gob, and so to a cookie, is an error and not a leak.
func TestTextIsNotStored(t *testing.T) {
	if value, err := driver.DefaultParameterConverter.ConvertValue(Text(plain)); err == nil {
		t.Errorf("a database driver would get %v", value)
	}
	var text Text
	if err := text.Scan(plain); err == nil || text != "" {
		t.Errorf("Scan gives %v", err)
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(struct{ Secret Text }{plain}); !errors.Is(err, errStored) {
		t.Errorf("gob gives %v", err)
	}
	shown(t, "gob", out.String())
}

// Reveal is the way out, and gives exactly what went in.
func TestTextReveals(t *testing.T) {
	if got := Text(plain).Reveal(); got != plain {
		t.Errorf("got %q", got)
	}
}
