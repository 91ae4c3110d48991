package gateway

import (
	"net/netip"
	"strings"
	"testing"
)

// What is said of an address before it is kept: why no call gets there, where that is certain, and nothing where one may, or where nobody knows.
func TestForesee(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address string
		means   []string // of product.example
		allow   []netip.Prefix
		says    string
	}{
		"this machine":             {address: "http://127.0.0.1:18095", says: "127.0.0.1:18095 is not called: 127.0.0.1 is this machine itself. The operator of this server can allow it."},
		"the same in IPv6":         {address: "https://[::1]/base", says: "[::1] is not called: ::1 is this machine itself."},
		"mapped":                   {address: "http://[::ffff:127.0.0.1]", says: "127.0.0.1 is this machine itself"},
		"this machine, allowed":    {address: "http://127.0.0.1:18095", allow: loopback},
		"the cloud":                {address: "http://169.254.169.254", allow: loopback, says: "is link-local"},
		"a private network":        {address: "http://10.0.0.1"},
		"a name of this machine":   {address: "http://product.example:81", means: []string{"127.0.0.1", "127.0.0.2"}, says: "product.example:81 is not called: 127.0.0."},
		"a name of a good one too": {address: "http://product.example", means: []string{"127.0.0.1", "10.0.0.1"}},
		"a name of nobody yet":     {address: "http://product.example"},
	} {
		g := New(Settings{Allow: c.allow})
		g.resolver = resolverOf(t, [][]string{c.means})
		u, err := ParseUpstream(c.address)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := g.Foresee(t.Context(), u); !strings.Contains(got, c.says) || c.says == "" && got != "" {
			t.Errorf("%s: it says %q", name, got)
		}
	}
	g := New(Settings{Allow: loopback, Own: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:80"), netip.MustParseAddrPort("127.0.0.1:443")}})
	for address, own := range map[string]bool{"http://127.0.0.1": true, "https://127.0.0.1": true, "http://127.0.0.1:443": true, "http://127.0.0.1:8080": false} {
		u, err := ParseUpstream(address)
		if err != nil {
			t.Fatal(err)
		}
		got := g.Foresee(t.Context(), u)
		if says := u.Host + " is never called: 127.0.0.1 is where this server itself listens, and nobody can allow that. Enter the address of your API."; own && got != says || !own && got != "" {
			t.Errorf("%s: it says %q", address, got)
		}
		if tested := g.Test(t.Context(), Upstream{URL: u}); own && tested.Sentence != got || strings.Contains(tested.Sentence, "can allow it") {
			t.Errorf("%s: a test says %q", address, tested.Sentence)
		}
	}
}
