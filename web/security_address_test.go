package web

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// Security rule G9 (ASVS 4.1.3, 15.3.4): who a request comes from is who holds the connection. Only a proxy
// that is named as trusted is asked whom it answers for, by X-Forwarded-For alone, read from its end: the
// first address that is not trusted is the caller, and what stands left of it the caller wrote. What is no
// bare address ends the reading at the proxy: it is neither guessed at nor passed on.
func TestG9ClientAddress(t *testing.T) {
	const proxy, inner, peer = "10.0.0.5:41000", "10.0.0.6", "203.0.113.7"
	trusting := "10.0.0.0/8 fd00::/8"
	for name, c := range map[string]struct {
		trusted, remote string
		forwarded       []string
		want            string
	}{
		"nobody is trusted":              {"", proxy, []string{peer}, "10.0.0.5"},
		"nobody is trusted, loopback":    {"", "127.0.0.1:9", []string{peer}, "127.0.0.1"},
		"an untrusted peer":              {trusting, "198.51.100.9:9", []string{peer}, "198.51.100.9"},
		"loopback is not trusted itself": {trusting, "127.0.0.1:9", []string{peer}, "127.0.0.1"},
		"private is not trusted itself":  {"192.0.2.0/24", proxy, []string{peer}, "10.0.0.5"},
		"link-local neither":             {trusting, "[fe80::1]:9", []string{peer}, "fe80::1"},

		"a trusted proxy":                    {trusting, proxy, []string{peer}, peer},
		"without the field":                  {trusting, proxy, nil, "10.0.0.5"},
		"with an empty one":                  {trusting, proxy, []string{""}, "10.0.0.5"},
		"two proxies":                        {trusting, proxy, []string{peer + ", " + inner}, peer},
		"three, two of them in a second":     {trusting, proxy, []string{peer, inner, "10.9.9.9"}, peer},
		"what the caller wrote before":       {trusting, proxy, []string{"1.2.3.4, " + peer}, peer},
		"what the caller wrote in the field": {trusting, proxy, []string{"1.2.3.4", peer}, peer},
		"an inner address of the caller's":   {trusting, proxy, []string{"10.1.1.1, " + peer}, peer},
		"garbage of the caller's":            {trusting, proxy, []string{"\"><script>, ,, " + peer}, peer},
		"ten thousand of the caller's":       {trusting, proxy, []string{strings.Repeat("1.1.1.1,", 10_000) + peer}, peer},
		"untrusted between trusted":          {trusting, proxy, []string{peer + ", 198.51.100.9, " + inner}, "198.51.100.9"},
		"all of them trusted":                {trusting, proxy, []string{"10.1.1.1, " + inner}, "10.1.1.1"},
		"white space":                        {trusting, proxy, []string{" \t" + peer + " \t"}, peer},

		"IPv6":                       {trusting, "[fd00::5]:41000", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in another spelling":   {trusting, proxy, []string{"2001:0DB8:0:0::0007"}, "2001:db8::7"},
		"IPv6 in brackets":           {trusting, proxy, []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv4 in IPv6":               {trusting, proxy, []string{"::ffff:203.0.113.7"}, peer},
		"a trusted IPv4 in IPv6":     {trusting, proxy, []string{peer + ", ::ffff:10.0.0.6"}, peer},
		"a peer with a zone":         {"fe80::/10", "[fe80::1%eth0]:9", []string{peer}, "fe80::1%eth0"},
		"with a zone":                {trusting, proxy, []string{"fe80::1%eth0"}, "10.0.0.5"},
		"with a port":                {trusting, proxy, []string{peer + ":4711"}, "10.0.0.5"},
		"IPv6 with a port":           {trusting, proxy, []string{"[2001:db8::7]:4711"}, "10.0.0.5"},
		"garbage from the proxy":     {trusting, proxy, []string{"unknown"}, "10.0.0.5"},
		"garbage behind an address":  {trusting, proxy, []string{peer + ", _hidden"}, "10.0.0.5"},
		"an empty place at the end":  {trusting, proxy, []string{peer + ","}, "10.0.0.5"},
		"leading zeros":              {trusting, proxy, []string{"203.0.113.007"}, "10.0.0.5"},
		"a number":                   {trusting, proxy, []string{"3405803783"}, "10.0.0.5"},
		"a name":                     {trusting, proxy, []string{"localhost"}, "10.0.0.5"},
		"the other field's notation": {trusting, proxy, []string{"for=203.0.113.7"}, "10.0.0.5"},
		"a line break":               {trusting, proxy, []string{peer + "\r\nforged"}, "10.0.0.5"},
	} {
		var networks []*net.IPNet
		for _, text := range strings.Fields(c.trusted) {
			_, network, err := net.ParseCIDR(text)
			if err != nil {
				t.Fatal(err)
			}
			networks = append(networks, network)
		}
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{
			"X-Forwarded-For": c.forwarded, "X-Real-Ip": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6"}, "True-Client-Ip": {"6.6.6.6"}, "Cf-Connecting-Ip": {"6.6.6.6"}, "X-Client-Ip": {"6.6.6.6"},
		}}
		if c.forwarded == nil {
			delete(r.Header, "X-Forwarded-For")
		}
		if got := clientAddress(networks)(r); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
