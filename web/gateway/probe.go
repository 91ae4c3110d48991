package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"tokendesk/models"
)

// TestResult is what came of a try at a product's address.
type TestResult struct {
	OK       bool // somebody there speaks HTTP, whatever they said
	Status   int  // that was answered; 0 when nothing was
	Took     time.Duration
	Sentence string // for whoever pressed the button
}

// longestTest is how long whoever pressed the button waits at most: a product may begin a body and never go on.
const longestTest = 20 * time.Second

// probed is how much of an answer's body is looked at, in bytes.
const probed = 64 << 10

// Test asks a product's address once, with the product's own header fields and nothing of a caller's.
func (g *Gateway) Test(ctx context.Context, up Upstream) TestResult {
	if up.URL == nil {
		return TestResult{Sentence: "Enter the product's address first."}
	}
	ctx, cancel := context.WithTimeout(ctx, min(longestTest, cmp.Or(up.ConnectTimeout, DefaultConnectTimeout)+cmp.Or(up.HeaderTimeout, DefaultHeaderTimeout)))
	defer cancel()
	t := g.transport(up)
	t.DisableKeepAlives = true
	l := newLine(up)
	target := *up.URL
	if target.Path == "" {
		target.Path = "/"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return TestResult{Sentence: "The address could not be read. Write it like https://api.example.com."}
	}
	r.Host = l.host
	r.Header.Set("User-Agent", "Tokendesk")
	for _, field := range l.fields {
		r.Header[field.name] = field.values
	}
	begun := models.Ticks()
	answer, err := t.RoundTrip(r)
	took := models.Ticks().Sub(begun)
	if err != nil {
		return TestResult{Took: took, Sentence: l.explain(err)}
	}
	defer answer.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(answer.Body, probed)) // what is behind the header is not needed
	if answer.StatusCode == http.StatusBadRequest && strings.Contains(string(start), "HTTP request to an HTTPS server") {
		return TestResult{Status: answer.StatusCode, Took: took, Sentence: up.URL.Host + " expects TLS. Begin the address with https://."}
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode)))
	return TestResult{OK: true, Status: answer.StatusCode, Took: took, Sentence: fmt.Sprintf("%s answered %s in %s.", up.URL.Host, said, milliseconds(took))}
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", max(1, d.Milliseconds())) }

// explain says of a try that failed what to do about it.
func (l *line) explain(err error) string {
	at := l.url.Host
	if denied := notCalled(l.url, err); denied != "" {
		return denied
	}
	var name *net.DNSError
	var slow net.Error
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Sprintf("There is no host with the name %s. Look for a typing error.", l.url.Hostname())
	case errors.As(err, &name):
		return fmt.Sprintf("The name %s could not be looked up. Try again in a moment.", l.url.Hostname())
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s refuses the connection: nothing listens there. Start the product, or correct the port.", at)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("There is no way from this server to %s. Look at the network between them.", at)
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s did not answer in time. Look whether a firewall stands between, or give it more time.", at)
	}
	if problem := trouble(err); problem != "" {
		return at + problem
	}
	return fmt.Sprintf("%s answered with something that is not HTTP, or closed the connection. Look whether this is the product's port.", at)
}

// notCalled says of an error that it is an address which the gateway does not call; empty when it is another one.
func notCalled(u *url.URL, err error) string {
	var denied *deniedError
	if !errors.As(err, &denied) {
		return ""
	}
	if denied.always {
		return fmt.Sprintf("%s is never called: %s, and nobody can allow that. Enter the address of your API.", u.Host, denied)
	}
	return fmt.Sprintf("%s is not called: %s. The operator of this server can allow it.", u.Host, denied)
}

// trouble is what is wrong with TLS, as the end of a sentence that begins with the host.
func trouble(err error) string {
	var other x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var bad x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &other):
		return " has a certificate for another name. Use the name that is in it, or give it one for this name."
	case errors.As(err, &unknown):
		return " has a certificate of an authority that this machine does not know. Add the authority to the machine's certificates."
	case errors.As(err, &bad) && bad.Reason == x509.Expired:
		return " has a certificate that has expired, or is not valid yet. Renew it."
	case errors.As(err, &bad):
		return " has a certificate that must not be used for a server. Give it another one."
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return " does not speak TLS there. Begin the address with http://, or use its port for TLS."
	case errors.As(err, &alert):
		return " and this server found no version of TLS that both speak. Look at the product's TLS settings."
	}
	return ""
}
