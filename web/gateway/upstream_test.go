package gateway

import (
	"net/url"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
)

// What is typed as an address, and what it comes to, or what is said of it.
func TestParseUpstream(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"https://api.example.com":              "https://api.example.com",
		" HTTP://API.Example.COM:8080/ ":       "http://api.example.com:8080",
		"http://my_service:3000/base/":         "http://my_service:3000/base",
		"http://10.0.0.5":                      "http://10.0.0.5",
		"http://[2001:DB8::0:1]:80/v1":         "http://[2001:db8::1]:80/v1",
		"http://[2001:db8::1]":                 "http://[2001:db8::1]",
		"https://x/caf%c3%a9/a%20b":            "https://x/caf%C3%A9/a%20b",
		"https://x/%61":                        "https://x/a",
		"https://x:0443":                       "https://x:443",
		"https://xn--bcher-kva.example.":       "https://xn--bcher-kva.example.",
		"http://127.0.0.1:9000":                "http://127.0.0.1:9000", // whether it may be called shows when it is
		"":                                     "! Enter the product's address",
		"   ":                                  "! Enter the product's address",
		"api.example.com":                      "! must begin with https:// or http://",
		"ftp://x":                              "! must begin with https:// or http://",
		"javascript:alert(1)":                  "! must begin with https:// or http://",
		"file:///etc/passwd":                   "! must begin with https:// or http://",
		"unix:///run/docker.sock":              "! must begin with https:// or http://",
		"gopher://x":                           "! must begin with https:// or http://",
		"http:x":                               "! must begin with https:// or http://",
		"http:/x":                              "! must begin with https:// or http://",
		"http://":                              "! has no host",
		"http:///path":                         "! has no host",
		"https://user@x":                       "! must not hold a user name or a password",
		"https://user:secret@x":                "! must not hold a user name or a password",
		"https://@x":                           "! must not hold a user name or a password",
		"https://x?y=1":                        "! must end with its path",
		"https://x?":                           "! must end with its path",
		"https://x/#":                          "! must end with its path",
		"https://x:99999":                      "! a number from 1 to 65535",
		"https://x:0":                          "! a number from 1 to 65535",
		"https://x:":                           "! a number from 1 to 65535",
		"https://x:http":                       "! could not be read",
		"https://[fe80::1%25eth0]":             "! must not name a network interface",
		"https://[::1":                         "! could not be read",
		"https://a b":                          "! has a space",
		"https://bücher.example":               "! begins with xn--",
		"https://x\r\nX: y":                    "! has a space",
		"https://x\x00":                        "! has a space",
		"https://-x":                           "! must be a name like",
		"https://x..y":                         "! must be a name like",
		"https://.":                            "! must be a name like",
		"https://a*b":                          "! must be a name like",
		"https://" + strings.Repeat("a", 64):   "! must be a name like",
		"http://2130706433":                    "! must be a name like",
		"http://127.1":                         "! must be a name like",
		"http://0x7f.0.0.1":                    "! must be a name like",
		"http://0x7f000001":                    "! must be a name like",
		"http://017700000001":                  "! must be a name like",
		"http://1.2.3.4.5":                     "! must be a name like",
		"http://127.0.0.01":                    "! must be a name like",
		"http://x/../a":                        "! can be read in two ways",
		"http://x//a":                          "! can be read in two ways",
		"http://x/a;b":                         "! can be read in two ways",
		"http://x/%2e%2e/a":                    "! can be read in two ways",
		"http://x/a%2fb":                       "! can be read in two ways",
		"http://x/" + strings.Repeat("a", 500): "! 500 characters or fewer",
	} {
		u, err := ParseUpstream(typed)
		says, refused := strings.CutPrefix(want, "! ")
		if refused && (models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), says) || u != nil) || !refused && (err != nil || u.String() != want) {
			t.Errorf("%.60q: %v, %v, want %s", typed, u, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is told again: %v", typed, err)
		}
	}
}

func FuzzParseUpstream(f *testing.F) {
	for _, seed := range []string{
		"https://api.example.com", "http://x:80/base", "http://[::1]:1", "http://u:p@x", "http://x/../y", "http://x?y", "http://x#y", "http://127.1", "https://x:0", "http:///", "//x", "http://x\\@y", "http://[::ffff:1.2.3.4]", "http://a_b/%C3%A9/",
		"http://x%2fy", "http://x:80:80", "HTTPS://X/%7E", "http://0x1", "http://x./a", "http://[fe80::1%25a]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		u, err := ParseUpstream(typed)
		if err != nil {
			if u != nil || models.KindOf(err) != models.Invalid || !strings.HasSuffix(err.Error(), ".") {
				t.Fatalf("%q: %v, %v", typed, u, err)
			}
			return
		}
		again, err := ParseUpstream(u.String())
		if err != nil || *again != *u {
			t.Fatalf("%q is %q, and that is %v, %v", typed, u, again, err)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" || strings.HasSuffix(u.Path, "/") {
			t.Fatalf("%q is %#v", typed, u)
		}
		if base, ok := access.CanonicalPath(u.Path); u.Path != "" && (!ok && u.RawPath == "" || ok && base.Decoded() != u.Path) {
			t.Fatalf("%q has the path %q", typed, u.Path)
		}
		read, err := url.Parse(u.String())
		if err != nil || read.Host != u.Host || read.Path != u.Path {
			t.Fatalf("%q is %q, which is read as %v, %v", typed, u, read, err)
		}
	})
}
