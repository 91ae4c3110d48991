package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tokendesk/web/webtest"
)

// With a collector named, a server sends it what it does, all of it by its end: pages, calls and statements; and the lines of its log say in which
// trace they are.
func TestTraces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		collector := webtest.NewCollector(t)
		s := in.serve(t, "TOKENDESK_OTLP_ENDPOINT="+collector.URL)
		admin := s.setUp(t)
		token := admin.bearerToken(t)
		s.opens(t, token, http.StatusOK)
		log := s.stop(t).err
		spans, text := collector.Spans()
		names := map[string]string{}
		for _, span := range spans {
			names[span.Name] = span.Trace
		}
		for _, want := range []string{"/setup", "/people", "/api/*", "decide", "upstream", "insert people", "insert events", "update change_clock"} {
			if names[want] == "" {
				t.Errorf("there is no span %s among %v", want, names)
			}
		}
		if !strings.Contains(log, "trace_id="+names["/people"]) {
			t.Errorf("the trace %s is not in the log", names["/people"])
		}
		if strings.Contains(text, token) || strings.Contains(text, "ines@") || !strings.Contains(text, `"tokendesk"`) {
			t.Error("the spans have what they must not, or not whose they are")
		}
	})
}

// A collector that is not there holds nobody up: the server answers, says so in its log, and ends in time. And where none is named nothing says trace.
func TestTracesToNobody(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).serve(t, "TOKENDESK_OTLP_ENDPOINT=http://127.0.0.1:1")
	s.setUp(t).get(t, "/people").want(t, http.StatusOK)
	if log := s.stop(t).err; !strings.Contains(log, `level=WARN msg="spans could not be sent"`) {
		t.Errorf("the log: %s", log)
	}
	s = onSQLite(t).serve(t)
	s.setUp(t).get(t, "/people").want(t, http.StatusOK)
	if log := s.stop(t).err; slices.ContainsFunc([]string{"trace", "span"}, func(word string) bool { return strings.Contains(log, word) }) {
		t.Errorf("the log: %s", log)
	}
}
