package sample_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"tokendesk/web/sample"
)

// at fills a path's wildcards in.
func at(path string) string {
	return strings.NewReplacer("{id}", "x", "{product}", "x", "{event...}", "x/y").Replace(path)
}

// Every path takes its methods, HEAD where it takes GET, and refuses all others by naming those.
func TestMethods(t *testing.T) {
	c := start(t).as("w1")
	for path, methods := range sample.Resources() {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		slices.Sort(methods)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"} {
			a := c.call(method, at(path), "")
			switch taken := slices.Contains(methods, method); {
			case taken && a.status == 405:
				t.Errorf("%s %s is refused", method, path)
			case taken:
			case method == "HEAD":
				a.want(405)
			default:
				a.refused(405, "method_not_allowed", strings.Join(methods, ", "))
			}
			if a.status == 405 && a.header.Get("Allow") != strings.Join(methods, ", ") {
				t.Errorf("%s %s allows %s", method, path, a.header.Get("Allow"))
			}
		}
	}
}

// HEAD answers what GET does, without the body.
func TestHead(t *testing.T) {
	c := start(t).as("w1")
	for path, methods := range sample.Resources() {
		if !slices.Contains(methods, "GET") {
			continue
		}
		get, head := c.get(at(path)+"?q=token"), c.call("HEAD", at(path)+"?q=token", "")
		if head.status != get.status || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d %q, and GET %d", path, head.status, head.body, get.status)
		}
	}
}

// What is no path of the sample is answered with those that are; no path leads to another one.
func TestUnknownPaths(t *testing.T) {
	c := start(t).as("w1")
	for _, path := range []string{
		"/", "/api", "/api/", "/API/agent-base", "/api/agent-base/", "/api/agent-base/x/", "/api/agent-base/x/y", "/api/agent-base//", "//api/agent-base", "/api//agent-base", "/api/./agent-base",
		"/api/x/../agent-base", "/api/agent-base/..", "/api/webhook/../agent-base", "/api/webhook//x", "/api/integrations-base/product/active", "/api/knowledge-base/search/", "/api/agent-base/triggers/x", "/api/agent-base/triggers//details",
	} {
		c.get(path).refused(404, "not_found", "Nothing answers this path", "GET /api/agent-base, ", "GET|POST /api/assistant/chat.")
	}
	for _, path := range []string{"/api/agent-base/%2e%2e", "/api/agent-base/a%2Fexecutions", "/api/agent-base/triggers%2Fx%2Fdetails", "/api/agent-base/;x", "/api/agent-base/%00"} { // IDs that there are not
		c.get(path).refused(404, "not_found", "no such agent")
	}
	for path, want := range map[string]bool{"/a/b": true, "/a/": true, "/": true, "/a%2F%2Fb": true, "": false, "*": false, "a": false, "//": false, "/a//": false, "/a/./b": false, "/a/..": false} {
		if sample.IsPlain(path) != want {
			t.Errorf("%q is plain: %v", path, !want)
		}
	}
	for path := range maps.Keys(sample.Resources()) {
		if strings.Contains(path, "{") {
			continue
		}
		c.get(path + "/x/x/x/x").want(map[bool]int{true: 405, false: 404}[path == "/api/webhook"])
	}
}

// What every body of JSON has to be.
func TestBodies(t *testing.T) {
	c := start(t).as("w1")
	const path = "/api/agent-base/install"
	for body, text := range map[string]string{
		``:                                `like {"name":"","description":"","instructions":"","event":""}`,
		`null`:                            "Send a JSON object",
		`[]`:                              "Send a JSON object",
		`"x"`:                             "Send a JSON object",
		`{`:                               "ends too early",
		`{"name":"a"`:                     "ends too early",
		`{"name":a}`:                      "at byte 9",
		`{"name":"a"} {}`:                 "more after the JSON object",
		`{"name":"a"}x`:                   "more after the JSON object",
		`{"name":["a"]}`:                  `"name" cannot be a JSON array`,
		`{"name":{"a":1}}`:                `"name" cannot be a JSON object`,
		`{"name":"a","admin":1}`:          `no field "admin"`,
		strings.Repeat(`{"name":`, 8_000): "ends too early",
	} {
		c.post(path, body, "Content-Type", "application/json").refused(400, "bad_request", text)
	}
	c.post(path, `{"name":"a"}`, "Content-Type", "text/plain").refused(415, "unsupported_media_type", "application/json")
	c.post(path, `{"name":"a"}`, "Content-Type", "").refused(415, "unsupported_media_type")
	c.post(path, `{"name":"`+strings.Repeat("x", 70_000)+`"}`).refused(413, "too_large", "65536 bytes")
	c.post(path, " \n{\"name\":\"a\"}\n ", "Content-Type", "Application/JSON; charset=utf-8").want(201)
	if a := c.post(path, `{"name":"<b> & ü"}`).want(201); !strings.Contains(a.body, `"name":"<b> & ü"`) {
		t.Errorf("it is answered as %s", a.body)
	}
}
