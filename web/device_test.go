package web_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// neighbour is an address that strangers have used up.
const neighbour = "192.0.2.66"

// A device cookie counts for the account that it was given for, in the name that goes with the connection.
// Forged, changed, of another account, too long or there twice, it is as if there were none.
func TestDeviceCookies(t *testing.T) {
	t.Parallel()
	for address, name := range map[string]string{"http://console.example": "device", "https://console.example": "__Host-device"} {
		b := besiege(t, webtest.BaseURL(address))
		hers := b.device(t, ines, name)
		cookies := map[string]string{
			"none": "", "another account's": name + "=" + b.device(t, b.Person(t, b.Admin, models.Member).Email, name), "empty": name + "=",
			"cut": name + "=" + hers[:len(hers)-1], "longer": name + "=" + hers + "A", "changed": name + "=" + garbled(hers),
			"oversized": name + "=" + hers + strings.Repeat("A", 8000), "there twice": name + "=" + hers + "; " + name + "=" + hers,
			"there twice, once empty": name + "=; " + name + "=" + hers, "of another name": "devices=" + hers, "like a session's": name + "=" + strings.Repeat("s", 43),
			"of another sort of connection": map[string]string{"device": "__Host-device", "__Host-device": "device"}[name] + "=" + hers,
		}
		b.exhaust(t, ines, neighbour)
		for what, cookie := range cookies {
			if a := b.with(t, neighbour, cookie); a.Status != 429 || len(a.Header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s: a cookie that is %s: status %d, sets %q", address, what, a.Status, a.Header.Values("Set-Cookie"))
			}
		}
		b.with(t, neighbour, "theme=dark; "+name+"="+hers+"; other=1").To(t, "/")
	}
}

// A browser is familiar for a year after a sign-in, and stays so when its session ends.
func TestDeviceCookiesLast(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	hers := "device=" + b.device(t, ines, "device")
	for _, step := range []struct {
		after   time.Duration
		address string
		want    int
	}{{access.DeviceLife - time.Second, neighbour, 303}, {time.Second, "192.0.2.67", 429}} {
		b.Clock.Advance(step.after)
		b.exhaust(t, ines, step.address)
		b.with(t, step.address, hers).Want(t, step.want)
	}
	browser := b.Browser(t)
	b.try(t, browser, "198.51.100.2", ines, storetest.Password).To(t, "/")
	before := browser.Cookie(t, "device")
	browser.Post(t, "/signout", nil).Want(t, 303)
	if browser.Get(t, "/account").Want(t, 303); browser.Cookie(t, "device") != before {
		t.Error("signing out made the browser a stranger")
	}
}

// A new password makes every browser a stranger but the one in which it was set: who knew the old one has collected
// nothing that helps with the new one.
func TestDeviceCookiesEndWithThePassword(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	collected := "device=" + b.device(t, ines, "device")
	b.Clock.Advance(time.Minute)
	owner := b.Browser(t)
	b.try(t, owner, "198.51.100.2", ines, storetest.Password).To(t, "/")
	before, fresh := owner.Cookie(t, "device"), "seven green bicycles under a bridge"
	b.Clock.Advance(time.Minute)
	owner.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": fresh}).Want(t, 303)
	b.exhaust(t, ines, neighbour)
	for _, c := range []struct {
		cookie string
		want   int
	}{{collected, 429}, {"device=" + before, 429}, {"device=" + owner.Cookie(t, "device"), 303}} {
		b.Browser(t).Post(t, "/signin", webtest.Form{"email": ines, "password": fresh}, "X-Forwarded-For", neighbour, "Cookie", c.cookie).Want(t, c.want)
	}
}

// device is the cookie that a browser gets when somebody signs in.
func (b besieged) device(t testing.TB, email, name string) string {
	t.Helper()
	browser := b.Browser(t)
	b.try(t, browser, "198.51.100.2", email, storetest.Password).To(t, "/")
	if browser.Cookie(t, name) == "" {
		t.Fatalf("no cookie %s", name)
	}
	return browser.Cookie(t, name)
}

// with signs in from an address, with the right password and these cookies.
func (b besieged) with(t testing.TB, from, cookies string) *webtest.Answer {
	t.Helper()
	return b.Browser(t).Post(t, "/signin", webtest.Form{"email": ines, "password": storetest.Password}, "X-Forwarded-For", from, "Cookie", cookies)
}
