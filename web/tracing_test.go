package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/tracing"
	"tokendesk/web/webtest"
)

// tracing to a collector, over a store of the world whose statements are traced.
func traced(t *testing.T, s webtest.Site, share float64, more ...webtest.Option) (webtest.Site, func() ([]webtest.Span, string)) {
	t.Helper()
	collector := webtest.NewCollector(t)
	to, err := url.Parse(collector.URL)
	if err != nil {
		t.Fatal(err)
	}
	tracer, err := tracing.New(t.Context(), tracing.Settings{Endpoint: to, Share: share, Version: "v1.2.3", Log: s.Handlers.Log})
	if err != nil {
		t.Fatal(err)
	}
	over := s.OpenWith(t, func(set *store.Settings) { set.Statement, set.Log = tracer.Statement, s.Handlers.Log })
	return webtest.Start(t, s.World, append(more, webtest.Over(over), webtest.Traced(tracer))...), func() ([]webtest.Span, string) {
		if err := tracer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return collector.Spans()
	}
}

const (
	callersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan   = "00f067aa0ba902b7"
	callersParent = "00-" + callersTrace + "-" + callersSpan + "-01"
)

// onlySpan is the one span of those that answers to a description.
func onlySpan(t *testing.T, spans []webtest.Span, what string, is func(webtest.Span) bool) webtest.Span {
	t.Helper()
	var found []webtest.Span
	for _, s := range spans {
		if is(s) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Errorf("there are %d spans of %s", len(found), what)
		return webtest.Span{}
	}
	return found[0]
}

// A call to a product is a span beneath the caller's, with the verdict and the scope; beneath it are the decision and the way to the product, who
// is told of the last one in traceparent, once, and not of the caller's tracestate. A page is a span with its route, and its statements are beneath it.
func TestSpans(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api := newOwnAPI(t)
		p, _ := holder(t, s, models.NewAPIToken{})
		point(t, s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(api.URL)).Want(t, 303)
		site, spans := traced(t, s, 1)
		p.site = site
		p.call(t, "GET", "/api/agent-base", "", "Traceparent", callersParent, "Tracestate", "them=1").Want(t, 204)
		arrived := api.one(t).Header
		consumer{site, garbled(p.token)}.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		site.Browser(t).Get(t, "/signin").Want(t, 200)
		site.SignedIn(t, ines).Get(t, "/people?q=ines").Want(t, 200)
		list, _ := spans()

		call := onlySpan(t, list, "the call", func(s webtest.Span) bool {
			return s.Name == "/api/*" && s.Attributes["tokendesk.verdict"] == "allowed"
		})
		if call.Trace != callersTrace || call.Parent != callersSpan || call.Kind != "SERVER" || call.Attributes["http.response.status_code"] != "204" ||
			call.Attributes["tokendesk.scope"] != "agents:list" || call.Attributes["tokendesk.request_id"] == "" || call.Failed {
			t.Errorf("the call is %+v", call)
		}
		onlySpan(t, list, "its decision", func(s webtest.Span) bool { return s.Name == "decide" && s.Parent == call.ID })
		sent := onlySpan(t, list, "its way", func(s webtest.Span) bool { return s.Name == "upstream" && s.Parent == call.ID })
		if want := "00-" + callersTrace + "-" + sent.ID + "-01"; !slices.Equal(arrived["Traceparent"], []string{want}) || arrived["Tracestate"] != nil {
			t.Errorf("the product was told %q, %q, want %q", arrived["Traceparent"], arrived["Tracestate"], want)
		}
		refused := onlySpan(t, list, "the refusal", func(s webtest.Span) bool { return s.Attributes["tokendesk.verdict"] == "credential_malformed" })
		if refused.Trace == callersTrace || refused.Parent != "" || refused.Attributes["http.response.status_code"] != "401" {
			t.Errorf("the refusal is %+v", refused)
		}
		page := onlySpan(t, list, "the page", func(s webtest.Span) bool { return s.Name == "/people" })
		if page.Attributes["http.route"] != "/people" || page.Attributes["http.response.status_code"] != "200" || page.Attributes["http.request.method"] != "GET" {
			t.Errorf("the page is %+v", page)
		}
		if !slices.ContainsFunc(list, func(s webtest.Span) bool {
			return s.Name == "select people" && s.Trace == page.Trace && s.Kind == "CLIENT"
		}) {
			t.Error("no statement is beneath the page")
		}
	})
}

// What callers send is in no span, wherever they send it: no credential, no search, no address, and no method or route that they made up. The same
// holds for a request that is no request of ours.
func TestSpansKeepNothingOfCallers(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		_, token := s.Token(t, s.Admin, m.owner.ID)
		cookie := session(t, s, m.owner)
		site, spans := traced(t, s, 1)
		sent := m.sendForgeries(t, site, forgery+"\x00", cookie, token.Reveal())
		site.Browser(t).Send(t, "BREW", "/people", nil)
		list, text := spans()
		if roots := slices.DeleteFunc(list, func(s webtest.Span) bool { return s.Kind != "SERVER" }); len(roots) < sent/2 { // no more than 2048 wait at once
			t.Errorf("%d requests are %d spans", sent, len(roots))
		}
		if told := found([]byte(text), []string{token.Reveal(), cookie, storetest.Password}); len(told) > 0 {
			t.Errorf("the spans have %v", told)
		}
		for _, never := range []string{"forged", "BREW", "127.0.0.1", m.owner.Email} {
			if strings.Contains(text, never) {
				t.Errorf("the spans have %q", never)
			}
		}
	})
}

// A trusted proxy's traceparent says whether a call is traced. Whoever else sends one does not: the share decides, also of a trace ID that was chosen for
// it. What cannot be read begins a trace of its own, and does not reach the product. Nobody's tracestate goes anywhere.
func TestWhatIsTraced(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	api := newOwnAPI(t)
	p, _ := holder(t, s, models.NewAPIToken{})
	point(t, s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(api.URL)).Want(t, 303)
	not := strings.TrimSuffix(callersParent, "1") + "0"
	lowest := "00-" + strings.Repeat("0", 31) + "1-" + callersSpan + "-01" // which a share of trace IDs takes first
	here, elsewhere := []webtest.Option{webtest.Trusting("127.0.0.0/8")}, []webtest.Option{webtest.Trusting("192.0.2.0/24")}
	for _, c := range []struct {
		share  float64
		parent string
		from   []webtest.Option
		spans  int
	}{
		{1, not, here, 0}, {0, callersParent, here, 1}, {0, "", here, 0}, {1, "", here, 1}, {1, "nonsense", here, 1},
		{1, not, nil, 1}, {0, callersParent, nil, 0}, {0, callersParent, elsewhere, 0}, {1, callersParent, elsewhere, 1}, {1e-9, lowest, nil, 0},
		{0, "", nil, 0}, {1, "nonsense", nil, 1}, {1, "00-" + strings.Repeat("0", 32) + "-" + callersSpan + "-01", nil, 1},
	} {
		site, spans := traced(t, s, c.share, c.from...)
		fields := []string{"Tracestate", "them=" + p.token}
		if c.parent != "" {
			fields = append(fields, "Traceparent", c.parent)
		}
		consumer{site, p.token}.call(t, "GET", "/api/agent-base", "", fields...).Want(t, 204)
		arrived := api.one(t).Header
		list, text := spans()
		if n := len(slices.DeleteFunc(list, func(s webtest.Span) bool { return s.Kind != "SERVER" })); n != c.spans {
			t.Errorf("%v, %q: %d spans", c.share, c.parent, n)
		}
		told := arrived.Get("Traceparent")
		ours := len(arrived["Traceparent"]) == 1 && len(told) == len(callersParent) && told != c.parent
		if goesOn := strings.Contains(c.parent, callersTrace); !ours || strings.Contains(told, callersTrace) != goesOn || strings.HasSuffix(told, "-01") != (c.spans == 1) {
			t.Errorf("%v, %q: the product was told %q", c.share, c.parent, arrived["Traceparent"])
		}
		if arrived["Tracestate"] != nil || strings.Contains(text, p.token) {
			t.Errorf("%v, %q: the product was told the state %q; the spans are %s", c.share, c.parent, arrived["Tracestate"], text)
		}
	}
	// Where nothing is traced, what a caller tells goes on as it came.
	p.call(t, "GET", "/api/agent-base", "", "Traceparent", callersParent).Want(t, 204)
	if told := api.one(t).Header["Traceparent"]; !slices.Equal(told, []string{callersParent}) {
		t.Errorf("without tracing the product was told %q", told)
	}
}

// Every line of the log that belongs to a request says which, those of the store and the gateway among them, and with tracing in which trace;
// also while the database is away.
func TestLogLinesSayWhichRequest(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, _ := holder(t, s, models.NewAPIToken{})
		never, _ := holder(t, s, models.NewAPIToken{Name: "Never used"}) // so that nobody has it in memory
		nowhere := newOwnAPI(t)
		nowhere.Close()
		point(t, s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(nowhere.URL)).Want(t, 303)
		site, _ := traced(t, s, 1)
		before := len(s.Log.String())
		consumer{site, p.token}.call(t, "GET", "/api/agent-base", "").Want(t, 502)
		consumer{site, garbled(p.token)}.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		cookie := site.SignedIn(t, ines)
		cookie.Get(t, "/people").Want(t, 200)
		if err := site.Handlers.Store.Close(); err != nil {
			t.Fatal(err)
		}
		consumer{site, never.token}.call(t, "GET", "/api/agent-base", "").Want(t, 503)
		consumer{site, p.token}.call(t, "GET", "/v1/me", "").Want(t, 503)
		cookie.Get(t, "/people").Want(t, 503)
		seen := map[string]bool{}
		for line := range strings.SplitSeq(strings.TrimSuffix(s.Log.String()[before:], "\n"), "\n") {
			for _, what := range []string{"msg=request ", "a product did not answer", "call refused", "could not be checked", "request failed", "sql: database is closed"} {
				seen[what] = seen[what] || strings.Contains(line, what)
			}
			if strings.Contains(line, "could not be read\"") || strings.Contains(line, "the lease could not") || strings.Contains(line, "calls under way are ended") || strings.Contains(line, `FROM \"events\" WHERE seq >`) || strings.Contains(line, `FROM \"replicas\"`) || strings.Contains(line, "could not be listened to") {
				continue // the server's own, of no request
			}
			if strings.Count(line, " request_id=") != 1 || strings.Count(line, " trace_id=") != 1 || strings.Contains(line, "request_id= ") {
				t.Errorf("a line does not say which request it is about: %s", line)
			}
		}
		for what, there := range seen {
			if !there {
				t.Errorf("there is no line of %q", what)
			}
		}
	})
}

// newTalkingProduct is a product that sends pieces as it gets them.
func newTalkingProduct(t *testing.T, pieces <-chan string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for piece := range pieces {
			_, _ = io.WriteString(w, piece)
			w.(http.Flusher).Flush()
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A call that is traced can do all that one does that is not: an answer that comes in pieces, a body that is sent on as it comes.
func TestTracedCallsStream(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p, _ := holder(t, s, models.NewAPIToken{})
	pieces, next := make(chan string), make(chan struct{})
	product := newTalkingProduct(t, pieces)
	point(t, s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(product)).Want(t, 303)
	site, spans := traced(t, s, 1)
	r, err := http.NewRequest(http.MethodGet, site.URL+"/api/agent-base", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Token", p.token)
	go func() { pieces <- "first"; <-next; pieces <- "last"; close(pieces) }()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	piece := make([]byte, 100)
	n, err := answer.Body.Read(piece)
	if string(piece[:n]) != "first" {
		t.Errorf("the first piece is %q (%v)", piece[:n], err)
	}
	close(next)
	if n, _ = answer.Body.Read(piece); string(piece[:n]) != "last" {
		t.Errorf("the last piece is %q", piece[:n])
	}
	_, _ = answer.Body.Read(piece)
	site.Listener.Close()
	list, _ := spans()
	onlySpan(t, list, "the call", func(s webtest.Span) bool {
		return s.Kind == "SERVER" && s.Attributes["http.response.status_code"] == "200"
	})
}
