package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the button says, for each thing that can be wrong, and for what is right; and that a caller's rights are not used for it.
func TestTest(t *testing.T) {
	t.Parallel()
	asked := make(chan *http.Request, 1)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	}))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = quietly
	secure.StartTLS()
	defer secure.Close()
	at := strings.TrimPrefix
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name, address string
		change        func(*Upstream)
		ok            bool
		status        int
		says          string
	}{
		{"answers", plain.URL + "/base", nil, true, 302, " answered 302 Found in "},
		{"denied", "http://169.254.169.254", nil, false, 0, "169.254.169.254 is not called: 169.254.169.254 is link-local"},
		{"nobody", "http://" + closed.Addr().String(), nil, false, 0, " refuses the connection: nothing listens there."},
		{"no host", "http://no-such-host.invalid", func(up *Upstream) { up.ConnectTimeout = patience }, false, 0, "no-such-host.invalid"},
		{"slow", "http://product.example", func(up *Upstream) { up.Dial, up.ConnectTimeout = never, time.Millisecond }, false, 0, "product.example did not answer in time."},
		{"unknown authority", secure.URL, nil, false, 0, " has a certificate of an authority that this machine does not know."},
		{"TLS where none is", "https://" + at(plain.URL, "http://"), nil, false, 0, " does not speak TLS there."},
		{"none where TLS is", "http://" + at(secure.URL, "https://"), nil, false, 400, " expects TLS. Begin the address with https://."},
		{"no HTTP", "http://product.example", func(up *Upstream) { up.Dial = garbage }, false, 0, "product.example answered with something that is not HTTP"},
	} {
		g := New(Settings{Allow: loopback})
		u, err := ParseUpstream(c.address)
		if err != nil {
			t.Fatal(err)
		}
		up := Upstream{URL: u, Header: http.Header{"X-Api-Version": {"3"}, "Host": {"inner.example"}}}
		if c.change != nil {
			c.change(&up)
		}
		got := g.Test(t.Context(), up)
		if got.OK != c.ok || got.Status != c.status || !strings.Contains(got.Sentence, c.says) || !strings.HasSuffix(got.Sentence, ".") || strings.Contains(got.Sentence, "\n") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	r := <-asked
	if r.Method != "GET" || r.URL.Path != "/base" || r.Host != "inner.example" || r.Header.Get("X-Api-Version") != "3" || r.Header.Get("X-Tokendesk-Identity") != "" {
		t.Errorf("%s %s at %s: %v", r.Method, r.URL, r.Host, r.Header)
	}
	if got := New(Settings{}).Test(t.Context(), Upstream{}); got.OK || got.Sentence != "Enter the product's address first." {
		t.Errorf("%+v", got)
	}
}

func garbage(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		_, _ = there.Read(make([]byte, 4096))
		_, _ = there.Write([]byte("220 mail.example ESMTP\r\n"))
		there.Close()
	}()
	return here, nil
}

// Each thing that is wrong with a certificate has its own sentence.
func TestTroubleWithTLS(t *testing.T) {
	t.Parallel()
	for says, err := range map[string]error{
		" has a certificate for another name.":                                x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"},
		" has a certificate of an authority that this machine does not know.": x509.UnknownAuthorityError{},
		" has a certificate that has expired, or is not valid yet.":           x509.CertificateInvalidError{Reason: x509.Expired},
		" has a certificate that must not be used for a server.":              x509.CertificateInvalidError{Reason: x509.IncompatibleUsage},
		" does not speak TLS there.":                                          tls.RecordHeaderError{},
		" and this server found no version of TLS that both speak.":           tls.AlertError(70),
	} {
		if got := trouble(&net.OpError{Op: "dial", Err: &tls.CertificateVerificationError{Err: err}}); !strings.HasPrefix(got, says) {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// A test of an address takes no more of an answer than it needs, and no longer than it may.
func TestTestIsBounded(t *testing.T) {
	t.Parallel()
	d := raw(t, func(conn net.Conn) {
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		for {
			if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	if got := d.Test(t.Context(), d.up); !got.OK || got.Status != 200 {
		t.Errorf("%+v", got)
	}
	silent := raw(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
	silent.up.HeaderTimeout = 10 * time.Millisecond
	if got := silent.Test(t.Context(), silent.up); got.OK || !strings.Contains(got.Sentence, "did not answer in time") {
		t.Errorf("%+v", got)
	}
}

// A product that begins a body and never goes on does not hold up whoever tests the connection.
func TestConnectionToOneThatNeverEnds(t *testing.T) {
	t.Parallel()
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer product.Close()
	u, err := ParseUpstream(product.URL)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		if got := New(Settings{Allow: loopback}).Test(t.Context(), Upstream{URL: u, ConnectTimeout: 100 * time.Millisecond, HeaderTimeout: 100 * time.Millisecond}); got.Status != http.StatusOK {
			t.Errorf("%+v", got)
		}
	}()
	within(t, "an answer", told)
}
