package handlers

import (
	"net/url"
	"strings"
	"testing"
)

// Pages of this console are kept with their parameters; everything that is one elsewhere, or could be
// read as one, leads to the overview (security rule W8).
func TestLocal(t *testing.T) {
	for _, path := range []string{"/", "/account", "/people?q=a%20b&role=", "/people/x/bearer-token", "/w/a/settings#top", "/a//b", "/a/../b", "/%2f%2fevil.example", "/é", "/a:b", "/@x"} {
		if got := local(path); got != path {
			t.Errorf("%q became %q", path, got)
		}
	}
	for _, path := range []string{
		"", "account", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, "http://evil.example", "https:/evil.example", "https:evil.example",
		"javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/\r\nSet-Cookie: a=b", "/a\x00b", "/a\x7fb",
		"/\u202ea", "/\u00ad/evil.example", "?x", "#x", "mailto:a@b", "//", "/%zz", "/" + strings.Repeat("a", 2000), "/a\xff", "//user@host", "http:///x",
	} {
		if got := local(path); got != "/" {
			t.Errorf("%q became %q", path, got)
		}
	}
}

// Whatever is asked for, what comes out is a path here, by net/url and by how browsers read addresses.
func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/account", "//evil.example", `/\evil.example`, "/\t/evil.example", "https://evil.example", "/a?next=//b", "/%2f/x", "/\u2028/x", " /x", "/..//x", "/.//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next)
		u, err := url.Parse(got)
		if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(got, "/") {
			t.Fatalf("%q became %q, which net/url reads as %+v, %v", next, got, u, err)
		}
		if elsewhere(got) {
			t.Fatalf("%q became %q, which a browser reads as another site", next, got)
		}
		base, _ := url.Parse("https://console.example/signin")
		if there := base.ResolveReference(u); there.Host != "console.example" || there.Scheme != "https" {
			t.Fatalf("%q became %q, which leads to %v", next, got, there)
		}
		if local(got) != got {
			t.Fatalf("%q became %q and then %q", next, got, local(got))
		}
	})
}

// elsewhere reads an address as browsers do (WHATWG URL, section 4.4): spaces and controls at the ends
// go, tabs and line breaks go wherever they are, a backslash is a slash.
func elsewhere(address string) bool {
	address = strings.Trim(address, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
	return !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//")
}
