package access

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"tokendesk/models/secret"
)

func openKey(t *testing.T) secret.Key {
	t.Helper()
	key, err := secret.OpenKey(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A device is known for the account that was signed in to there, on this installation, for a year; two are
// never the same, and an ID stays the same each time that it is read.
func TestDeviceIsKnown(t *testing.T) {
	now := noon
	clock := func() time.Time { return now }
	key, other := openKey(t), openKey(t)
	text := NewDevice(key, "ines@x.example", clock)
	known := func(key secret.Key, account, text string) string {
		id, _ := KnownDevice(key, account, text, clock)
		return id
	}
	id, made := KnownDevice(key, "ines@x.example", text, clock)
	if !made.Equal(clock().Truncate(time.Second)) {
		t.Errorf("made at %v", made)
	}
	if len(id) != 2*deviceID || known(key, "ines@x.example", text) != id {
		t.Fatalf("the ID is %q", id)
	}
	if second := NewDevice(key, "ines@x.example", clock); second == text || known(key, "ines@x.example", second) == id {
		t.Error("two devices are one")
	}
	for name, got := range map[string]string{
		"another account":                known(key, "tom@x.example", text),
		"no account":                     known(key, "", text),
		"an account that it begins with": known(key, "ines@x.exampl", text),
		"another installation":           known(other, "ines@x.example", text),
	} {
		if got != "" {
			t.Errorf("for %s it is known as %q", name, got)
		}
	}
	now = noon.Add(DeviceLife - time.Microsecond)
	if known(key, "ines@x.example", text) != id {
		t.Error("it is over before the year is")
	}
	now = noon.Add(DeviceLife)
	if known(key, "ines@x.example", text) != "" {
		t.Error("it is not over with the year")
	}
}

// What a browser keeps tells nobody whose it is, and whatever is changed of it is known to nobody; neither is
// what the same key signed for something else.
func TestDeviceIsForgedByNobody(t *testing.T) {
	clock := func() time.Time { return noon }
	key := openKey(t)
	text := NewDevice(key, "ines@x.example", clock)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || strings.Contains(string(raw), "ines") || len(text) > 64 {
		t.Errorf("the text is %q (%v)", raw, err)
	}
	payload := raw[len(raw)-deviceSize:]
	forged := []string{
		"", " ", text + " ", text + "A", text + "=", text[1:], strings.Repeat(text, 2), strings.Repeat("A", len(text)), strings.Repeat("A", 1<<20), base64.RawURLEncoding.EncodeToString(payload),
		key.Sign("people", payload), key.Sign("device", payload), key.Sign("device/", payload), key.Sign(devicePurpose("ines@x.example"), payload[1:]), key.Sign(devicePurpose("ines@x.example"), nil),
		key.Sign(devicePurpose("ines@x.example"), append([]byte{0}, payload...)),
	}
	for i := range text {
		for _, c := range "A_" {
			if changed := text[:i] + string(c) + text[i+1:]; changed != text {
				forged = append(forged, changed)
			}
		}
	}
	for _, text := range forged {
		if id, _ := KnownDevice(key, "ines@x.example", text, clock); id != "" {
			t.Errorf("%.80q is known as %q", text, id)
		}
	}
}
