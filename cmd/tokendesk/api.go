package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"tokendesk/models"
)

// keyVariable has the API key of tokendesk api. It is no flag: others on the machine can read those.
const keyVariable = "TOKENDESK_API_KEY"

// apiMethods are those that the management API takes.
var apiMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// apiCall makes one call of the management API of a server that runs, here or elsewhere.
func apiCall(flags *flag.FlagSet) work {
	data, server := flags.String("d", "", ""), flags.String("url", "", "")
	return func(ctx context.Context, io console, _ config, words []string) error {
		base, _ := io.env("TOKENDESK_BASE_URL")
		key, _ := io.env(keyVariable)
		r, err := apiRequest(ctx, io, cmp.Or(*server, base, "http://localhost:8080"), words[0], words[1], *data)
		if err != nil {
			return err
		}
		if key == "" {
			return usage{"api: set " + keyVariable + " to an API key. Generate one in the console, under API keys in your account settings"}
		}
		r.Header.Set("X-API-Key", key)
		return makeCall(r, io.out)
	}
}

func apiRequest(ctx context.Context, io console, base, method, path, data string) (*http.Request, error) {
	at, err := url.Parse(strings.TrimSuffix(base, "/"))
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https":
		return nil, usage{"api: use an address like https://desk.example.com, with --url or in TOKENDESK_BASE_URL"}
	case at.Scheme == "http" && !local(at.Hostname()):
		return nil, usage{"api: over http:// everybody on the way could read the key. Use the server's https:// address"}
	case !slices.Contains(apiMethods, method):
		return nil, usage{"api: the method is one of " + strings.Join(apiMethods, ", ")}
	case !strings.HasPrefix(path, "/v1/"):
		return nil, usage{"api: the path begins with /v1/, like /v1/me"}
	}
	body, err := apiBody(io, data)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String()+path, body)
	if err != nil {
		return nil, usage{"api: that is no path. Write what is not plain in it as %20"}
	}
	if data != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// local says whether a host is this machine.
func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// apiBody is what is sent: the text itself, @FILE, or - for standard input.
func apiBody(c console, data string) (io.Reader, error) {
	switch {
	case data == "":
		return http.NoBody, nil
	case data == "-":
		text, err := io.ReadAll(c.in)
		return strings.NewReader(string(text)), err
	case data[0] == '@':
		text, err := os.ReadFile(data[1:])
		if err != nil {
			return nil, fmt.Errorf("the file that -d names cannot be read: %w", errors.Unwrap(err))
		}
		return strings.NewReader(string(text)), nil
	}
	return strings.NewReader(data), nil
}

// makeCall sends a request, and writes the answer out or tells why there is none that is good. It follows nowhere: the key is for this server.
func makeCall(r *http.Request, out io.Writer) error {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
		},
	}
	a, err := client.Do(r)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address, in which something secret may stand
		}
		return fmt.Errorf("%s does not answer: %w", r.URL.Host, err)
	}
	defer a.Body.Close()
	if a.StatusCode < 300 {
		_, err = io.Copy(out, a.Body)
		return err
	}
	var problem struct {
		Title, Detail, Code string
		RequestID           string `json:"request_id"`
		Errors              []struct{ Field, Message string }
	}
	text, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	if json.Unmarshal(text, &problem) != nil || problem.Code == "" {
		return fmt.Errorf("%s answered %s, which is not an answer of the management API: is this the right address?", r.URL.Host, a.Status)
	}
	told := fmt.Sprintf("%d %s: %s", a.StatusCode, problem.Code, cmp.Or(problem.Detail, problem.Title))
	for _, e := range problem.Errors {
		told += fmt.Sprintf(" (%s: %s)", e.Field, e.Message)
	}
	return errors.New(models.OnlyPrintable(fmt.Sprintf("%s [request %s]", told, problem.RequestID)))
}
