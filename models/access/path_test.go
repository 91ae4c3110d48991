package access

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The one form of a path: each row is what came, and what it comes to; empty: refused (security rule G1).
func TestCanonicalPath(t *testing.T) {
	for came, want := range map[string]string{
		"/api/agent-base":          "/api/agent-base",
		"/a":                       "/a",
		"/api/%61gent-b%61se":      "/api/agent-base",
		"/api/%7Ea":                "/api/~a",
		"/api/~a":                  "/api/~a",
		"/api/%2a%2A":              "/api/**",
		"/api/a%20b":               "/api/a%20b",
		"/api/%c3%a9":              "/api/%C3%A9",
		"/api/é":                   "/api/%C3%A9",
		"/api/a+b":                 "/api/a+b",
		"/api/a%2Bb":               "/api/a+b",
		"/api/a:b@c":               "/api/a:b@c",
		"/api/a!$&'()*+,=":         "/api/a!$&'()*+,=",
		`/api/["<>^|{}]` + "`":     "/api/%5B%22%3C%3E%5E%7C%7B%7D%5D%60",
		"/api/...":                 "/api/...",
		"/api/.a/b./..c":           "/api/.a/b./..c",
		"/api/%2e%2e%2e":           "/api/...",
		"/api/\u202e":              "/api/%E2%80%AE",
		"/API/Agent-Base":          "/API/Agent-Base",
		"":                         "",
		"/":                        "",
		"a":                        "",
		"*":                        "",
		"api/agent-base":           "",
		"//":                       "",
		"//api":                    "",
		"/api//a":                  "",
		"/api/":                    "",
		"/api/a/":                  "",
		"/api/./a":                 "",
		"/api/../a":                "",
		"/api/a/..":                "",
		"/..":                      "",
		"/.":                       "",
		"/api/%2e%2e/a":            "",
		"/api/%2E./a":              "",
		"/api/.%2e":                "",
		"/api/%2e":                 "",
		"/api%2fa":                 "",
		"/api/a%2Fb":               "",
		"/api/a%5cb":               "",
		`/api/a\b`:                 "",
		`/api/..\a`:                "",
		"/api/%252e%252e/a":        "",
		"/api/%2561":               "",
		"/api/a%25":                "",
		"/api/a%":                  "",
		"/api/a%2":                 "",
		"/api/a%zz":                "",
		"/api/a%u002f":             "",
		"/api/a;b":                 "",
		"/api/a%3bb":               "",
		"/api/..;/a":               "",
		"/api/a;":                  "",
		"/api/a?b":                 "",
		"/api/a%3Fb":               "",
		"/api/a#b":                 "",
		"/api/a%23b":               "",
		"/api/a%00":                "",
		"/api/a\x00":               "",
		"/api/a%0a":                "",
		"/api/a%0d%0aX: y":         "",
		"/api/a%09":                "",
		"/api/a%7f":                "",
		"/api/a%c2%85":             "", // NEL, a control of Latin-1
		"/api/%c0%ae%c0%ae/a":      "", // overlong dots
		"/api/a%c0%afb":            "", // an overlong slash
		"/api/a%e0%80%afb":         "",
		"/api/a%f0%80%80%afb":      "",
		"/api/%ff":                 "",
		"/api/a\xff":               "",
		"/api/%ed%a0%80":           "", // half a surrogate pair
		"http://x/api/a":           "",
		"/api/%2f":                 "",
		"/%2fapi/a":                "",
		"/api/a/%20":               "/api/a/%20",
		strings.Repeat("/a", 9000): strings.Repeat("/a", 9000),
	} {
		p, ok := CanonicalPath(came)
		if p.Escaped() != want || ok != (want != "") {
			t.Errorf("%.80q: %.80q, %v, want %.80q", came, p.Escaped(), ok, want)
		}
	}
}

// A path without escapes costs no memory.
func TestCanonicalPathIsNotCopied(t *testing.T) {
	const came = "/api/agent-base/018f2f6e-7d4f-7a10-9d9c-0c0ffee15bad/executions"
	if allocations := testing.AllocsPerRun(100, func() {
		if _, ok := CanonicalPath(came); !ok {
			t.Fatal("refused")
		}
	}); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func FuzzCanonicalPath(f *testing.F) {
	for _, seed := range []string{
		"/api/agent-base", "/api/%61dmin/x", "/api/public/../admin/x", "/api/%2e%2e/x", "/api/..%2fx", "/api/..%5cx", "/api/..;/x", "/api//x", "/api/x/", "/", "",
		"/api/%2561", "/api/%c0%ae", "/api/\x00", "/api/é", "/api/%e2%80%ae", "/a?b#c", "/%", "/api/a%20b+c", "/api/[a]", "/api/\\", "//host/a", "/%2f", "/a%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(checkCanonicalPath)
}

func checkCanonicalPath(t *testing.T, came string) {
	p, ok := CanonicalPath(came)
	if slow, slowOK := slowDecode(came); ok != slowOK || p.Decoded() != slow {
		t.Fatalf("%q: %q, %v; read slowly %q, %v", came, p.Decoded(), ok, slow, slowOK)
	}
	if !ok {
		if p != (Path{}) {
			t.Fatalf("%q is refused, and yet it is %q", came, p)
		}
		return
	}
	if again, ok := CanonicalPath(p.Escaped()); !ok || again != p {
		t.Fatalf("%q: %q is not the last form: %q", came, p, again)
	}
	if twice, err := url.PathUnescape(p.Decoded()); err != nil || twice != p.Decoded() {
		t.Fatalf("%q: a second decoding of %q gives %q, %v", came, p.Decoded(), twice, err)
	}
	if clean := path.Clean(p.Decoded()); clean != p.Decoded() || strings.ContainsAny(p.Decoded(), "\\;\x00\r\n") {
		t.Fatalf("%q: cleaning %q gives %q", came, p.Decoded(), clean)
	}
	read, err := url.ParseRequestURI(p.Escaped()) // as the product will
	if err != nil || read.Path != p.Decoded() || read.EscapedPath() != p.Escaped() || read.Host != "" || read.RawQuery != "" || read.Fragment != "" {
		t.Fatalf("%q: %q is read as %+v, %v", came, p.Escaped(), read, err)
	}
	if sent := (&url.URL{Path: p.Decoded(), RawPath: p.Escaped()}).RequestURI(); sent != p.Escaped() {
		t.Fatalf("%q: sent as %q, not %q", came, sent, p.Escaped())
	}
}

// slowDecode reads a path segment by segment and byte by byte, by the words of the rule.
func slowDecode(came string) (string, bool) {
	if !strings.HasPrefix(came, "/") {
		return "", false
	}
	var segments []string
	for _, segment := range strings.Split(came, "/")[1:] {
		var decoded []byte
		for i := 0; i < len(segment); i++ {
			c := segment[i]
			if c == '%' {
				if len(segment) < i+3 {
					return "", false
				}
				value, err := strconv.ParseUint(segment[i+1:i+3], 16, 8)
				if err != nil {
					return "", false
				}
				c = byte(value)
				i += 2
			}
			if c < 0x20 || c == 0x7f || strings.IndexByte(`/%\;#?`, c) >= 0 {
				return "", false
			}
			decoded = append(decoded, c)
		}
		text := string(decoded)
		if text == "" || text == "." || text == ".." || !utf8.ValidString(text) {
			return "", false
		}
		for _, r := range text {
			if r >= 0x80 && r <= 0x9f {
				return "", false
			}
		}
		segments = append(segments, text)
	}
	return "/" + strings.Join(segments, "/"), true
}
