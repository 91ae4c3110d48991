package sample

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// action answers one call, or says why not.
type action func(s *Sample, w http.ResponseWriter, r *http.Request, c call) error

type methods map[string]action

// resources is every path that the sample answers, the product's table of contents. Where two fit, the more
// particular one does. GET stands for HEAD too.
var resources = []struct {
	path    string
	methods methods
}{
	// Agents
	{"/api/agent-base", methods{"GET": (*Sample).listAgents}},
	{"/api/agent-base/install", methods{"POST": (*Sample).installAgent}},
	{"/api/agent-base/{id}", methods{"GET": (*Sample).showAgent, "PUT": (*Sample).updateAgent, "DELETE": (*Sample).deleteAgent}},

	// Agent Executions
	{"/api/agent-base/{id}/executions", methods{"GET": (*Sample).listExecutions}},

	// Triggers
	{"/api/agent-base/triggers", methods{"GET": (*Sample).listTriggers, "POST": (*Sample).executeTrigger}},
	{"/api/agent-base/triggers/{id}/details", methods{"GET": (*Sample).showTrigger}},

	// Webhooks
	{"/api/webhook", methods{"POST": (*Sample).receive}},
	{"/api/webhook/{event...}", methods{"POST": (*Sample).receive}},

	// Integrations
	{"/api/integrations-base", methods{"GET": (*Sample).listIntegrations, "POST": (*Sample).createIntegration}},
	{"/api/integrations-base/{id}", methods{"GET": (*Sample).showIntegration, "PUT": (*Sample).updateIntegration, "DELETE": (*Sample).deleteIntegration}},
	{"/api/integrations-base/product/{product}/active", methods{"GET": (*Sample).activeIntegrations}},

	// Knowledge Base
	{"/api/knowledge-base", methods{"GET": (*Sample).listDocuments}},
	{"/api/knowledge-base/search", methods{"GET": (*Sample).searchDocuments}},

	// Storage
	{"/api/knowledge-base/storage", methods{"GET": (*Sample).listFiles, "POST": (*Sample).upload}},
	{"/api/knowledge-base/storage/{id}", methods{"GET": (*Sample).download, "DELETE": (*Sample).deleteFile}},

	// Assistant Chat
	{"/api/assistant/chat", methods{"GET": (*Sample).history, "POST": (*Sample).chat}},
}

func (s *Sample) route() {
	for _, resource := range resources {
		s.mux.HandleFunc(resource.path, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, resource.methods) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, nil) })
}

func (s *Sample) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isPlain(r.URL.EscapedPath()) {
		s.answer(w, r, nil)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// answer answers a call of a path that takes these methods; with none, there is no such path.
func (s *Sample) answer(w http.ResponseWriter, r *http.Request, m methods) {
	if err := s.dispatch(w, r, m); err != nil {
		s.fail(w, r, err)
	}
}

func (s *Sample) dispatch(w http.ResponseWriter, r *http.Request, m methods) error {
	caller, err := s.identify(r)
	if err != nil {
		return &problem{http.StatusUnauthorized, "unauthorized", "This call is not believed: " + err.Error() + "."}
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	do, there := m[method]
	switch {
	case m == nil:
		return noResource()
	case !there:
		w.Header().Set("Allow", m.allowed())
		return &problem{http.StatusMethodNotAllowed, "method_not_allowed", "This path takes " + m.allowed() + "."}
	}
	c, err := s.welcome(r.Context(), caller)
	if err != nil {
		return err
	}
	return do(s, w, r, c)
}

// allowed lists the methods as the header Allow does.
func (m methods) allowed() string {
	names := slices.Collect(maps.Keys(m))
	if m[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func noResource() error {
	paths := make([]string, len(resources))
	for i, resource := range resources {
		paths[i] = strings.Join(slices.Sorted(maps.Keys(resource.methods)), "|") + " " + resource.path
	}
	return notFound("Nothing answers this path. These do: " + strings.Join(paths, ", ") + ".")
}

// isPlain says whether a path is written in the one way that a path is: the multiplexer would send others away,
// to where they might lead.
func isPlain(escaped string) bool {
	if !strings.HasPrefix(escaped, "/") {
		return false
	}
	clean := path.Clean(escaped)
	return escaped == clean || clean != "/" && escaped == clean+"/"
}
