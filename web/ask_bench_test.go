package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
)

// known is a source that knows what it knows at once, so that a benchmark measures everything but that.
type known struct {
	grants  map[secret.Hash]models.Grant
	product models.Product
}

func (k *known) GrantOf(_ context.Context, hash secret.Hash) (models.Grant, error) {
	if g, ok := k.grants[hash]; ok {
		return g, nil
	}
	return models.Grant{}, models.Fail(models.NotFound, "That does not exist.")
}

func (k *known) ProgramOf(context.Context, secret.SignInClaims) (models.Grant, error) {
	return models.Grant{}, models.Fail(models.NotFound, "That does not exist.")
}

func (k *known) OpensFor(context.Context, models.CredentialKind, models.Person, string) (models.Opens, error) {
	return models.Opens{WorkspaceID: "w1", ProductID: "pr1", CallsAMinute: 100}, nil
}

func (k *known) ProductAsOf(context.Context, string) (models.Product, models.Snapshot, error) {
	return k.product, models.Snapshot{}, nil
}

func (k *known) RoleIn(context.Context, string, string) (models.WorkspaceRole, models.Snapshot, error) {
	return models.WorkspaceAdmin, models.Snapshot{}, nil
}

// asking makes a server that answers who asks, the key of a workspace's Admin, and credentials to ask about, of which each has a limit of its own.
func asking(b testing.TB, n int) (s *Server, key string, about []string) {
	b.Helper()
	k := &known{grants: map[secret.Hash]models.Grant{}, product: models.Product{ID: "pr1", Resources: models.DefaultResources()}}
	mint := func(prefix string, grant models.Grant) string {
		text, err := secret.Mint(prefix, nil)
		if err != nil {
			b.Fatal(err)
		}
		grant.Credential.Enabled = true
		k.grants[text.Hash()] = grant
		return text.Reveal()
	}
	key = mint("pkey", models.Grant{Credential: models.Credential{ID: models.NewID(), Kind: models.APIKey, PersonID: "p1"}, Owner: models.Person{ID: "p1", Role: models.Member}})
	for range n {
		about = append(about, mint("prod", models.Grant{
			Credential: models.Credential{ID: models.NewID(), Kind: models.APIToken, WorkspaceID: models.NewID()}, Opens: models.Opens{WorkspaceID: models.NewID(), ProductID: "pr1", CallsAMinute: 1 << 40},
		}))
	}
	h := &handlers.Handlers{Gate: access.NewGate(k, access.NewTally(), models.SystemClock), Refusals: access.NewRefusals(models.SystemClock), Reports: access.NewReports(models.SystemClock), Clock: models.SystemClock, Log: slog.New(slog.DiscardHandler)}
	return New(h, nil), key, about
}

// nowhere is a writer of answers that keeps none.
type nowhere struct {
	header http.Header
	status int
	bytes  int
}

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) WriteHeader(status int)      { n.status = status }
func (n *nowhere) Write(p []byte) (int, error) { n.bytes += len(p); return len(p), nil }

// serving sends one request again and again.
func serving(b *testing.B, to http.Handler, path, kind, key, body string) {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, path, nil)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Api-Key", key)
	r.ContentLength = int64(len(body))
	w := &nowhere{header: http.Header{}}
	reader := strings.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		w.status = http.StatusOK
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		if to.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

func BenchmarkVerify100(b *testing.B) {
	s, key, about := asking(b, 100)
	var body bytes.Buffer
	body.WriteString(`{"requests":[`)
	for i, text := range about {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`{"credential":` + strconv.Quote(text) + `,"method":"GET","path":"/api/agent-base"}`)
	}
	body.WriteString(`]}`)
	serving(b, s, verifyPath, "application/json", key, body.String())
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
}

func BenchmarkIntrospect(b *testing.B) {
	s, key, about := asking(b, 1)
	serving(b, s, introspectPath, "application/x-www-form-urlencoded", key, "token="+about[0])
}

// BenchmarkNothing is the measure for it: a handler of Echo that does nothing.
func BenchmarkNothing(b *testing.B) {
	e := echo.New()
	e.POST("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	serving(b, e, "/", "application/x-www-form-urlencoded", "", "token=")
}
