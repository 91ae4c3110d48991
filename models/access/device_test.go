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
	id := KnownDevice(key, "ines@x.example", text, clock)
	if len(id) != 2*deviceID || KnownDevice(key, "ines@x.example", text, clock) != id {
		t.Fatalf("the ID is %q", id)
	}
	if second := NewDevice(key, "ines@x.example", clock); second == text || KnownDevice(key, "ines@x.example", second, clock) == id {
		t.Error("two devices are one")
	}
	for name, got := range map[string]string{
		"another account":                KnownDevice(key, "tom@x.example", text, clock),
		"no account":                     KnownDevice(key, "", text, clock),
		"an account that it begins with": KnownDevice(key, "ines@x.exampl", text, clock),
		"another installation":           KnownDevice(other, "ines@x.example", text, clock),
	} {
		if got != "" {
			t.Errorf("for %s it is known as %q", name, got)
		}
	}
	now = noon.Add(DeviceLife - time.Microsecond)
	if KnownDevice(key, "ines@x.example", text, clock) != id {
		t.Error("it is over before the year is")
	}
	now = noon.Add(DeviceLife)
	if KnownDevice(key, "ines@x.example", text, clock) != "" {
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
		if id := KnownDevice(key, "ines@x.example", text, clock); id != "" {
			t.Errorf("%.80q is known as %q", text, id)
		}
	}
}
