package access

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// DeviceLife is how long a browser stays familiar after a sign-in.
const DeviceLife = 365 * 24 * time.Hour

// A device's payload is a random ID and the second of the sign-in.
const (
	deviceID   = 16
	deviceSize = deviceID + 8
)

// NewDevice makes what a browser keeps after a sign-in: a text that says "somebody signed in to this
// account here", and that only this installation can make. It opens nothing and names nobody: the account
// is in the signature's purpose and not in the text (OWASP, Slow Down Online Guessing Attacks with Device
// Cookies).
func NewDevice(key secret.Key, account string, now models.Clock) string {
	payload := make([]byte, deviceID, deviceSize)
	_, _ = rand.Read(payload)
	payload = binary.BigEndian.AppendUint64(payload, uint64(now().Unix()))
	return key.Sign(devicePurpose(account), payload)
}

// KnownDevice answers the device's ID, and the second of the sign-in, when NewDevice made the text for this account
// within DeviceLife; for any other text the ID is empty, and the browser a stranger.
func KnownDevice(key secret.Key, account, text string, now models.Clock) (id string, made time.Time) {
	if len(text) > 4*deviceSize { // more than any that was made; what a stranger sends is not worth the work
		return "", time.Time{}
	}
	payload, ok := key.Verify(devicePurpose(account), text)
	if !ok || len(payload) != deviceSize {
		return "", time.Time{}
	}
	made = time.Unix(int64(binary.BigEndian.Uint64(payload[deviceID:])), 0)
	if !now().Before(made.Add(DeviceLife)) {
		return "", time.Time{}
	}
	return hex.EncodeToString(payload[:deviceID]), made
}

func devicePurpose(account string) string { return "device/" + account }
