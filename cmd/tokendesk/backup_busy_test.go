package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// meanwhile is what keeps a server busy while something else happens.
type meanwhile struct {
	stop    chan struct{}
	workers sync.WaitGroup
	mu      sync.Mutex
	done    map[string]int // answers, by what was asked and the status
	longest time.Duration
}

// begin has a few browsers and programs ask one thing after another until it is ended, and waits for
// the first answers.
func (s server) begin(t *testing.T, asks map[string]func(n int) (*http.Request, error)) *meanwhile {
	t.Helper()
	m := &meanwhile{stop: make(chan struct{}), done: map[string]int{}}
	for what, ask := range asks {
		first := make(chan struct{})
		b := s.browser(t)
		m.workers.Go(func() {
			for n := 0; ; n++ {
				m.note(what, b, ask, n)
				if n == 0 {
					close(first)
				}
				select {
				case <-m.stop:
					return
				default:
				}
			}
		})
		<-first
	}
	return m
}

func (m *meanwhile) note(what string, b browser, ask func(n int) (*http.Request, error), n int) {
	began := time.Now()
	r, err := ask(n)
	if err == nil {
		var response *http.Response
		if response, err = b.client.Do(r); err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			what = fmt.Sprintf("%s %d", what, response.StatusCode)
		}
	}
	if err != nil {
		what = fmt.Sprintf("%s: %v", what, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[what]++
	m.longest = max(m.longest, time.Since(began))
}

// end ends it and answers the kinds of answers that there were.
func (m *meanwhile) end(t *testing.T) []string {
	t.Helper()
	close(m.stop)
	m.workers.Wait()
	var said []string
	for what := range m.done {
		said = append(said, what)
	}
	slices.Sort(said)
	t.Logf("%v, the longest took %s", m.done, m.longest.Round(time.Millisecond))
	return said
}

// installing sends a collection, under another name each time.
func (s server) installing(t *testing.T, token string) func(n int) (*http.Request, error) {
	content := collection(t)
	return func(n int) (*http.Request, error) {
		var body bytes.Buffer
		fmt.Fprintf(&body, "--x\r\nContent-Disposition: form-data; name=\"collectionFile\"; filename=\"load %d.zip\"\r\n\r\n%s\r\n--x--\r\n", n, content)
		r, err := http.NewRequest(http.MethodPost, s.base+"/installCollection", &body)
		if err == nil {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return r, err
	}
}

// renaming renames the workspace as whoever is signed in with a browser.
func (b browser) renaming(n int) (*http.Request, error) {
	form := url.Values{"name": {fmt.Sprint("Press ", n)}}
	r, err := http.NewRequest(http.MethodPost, b.base+"/w/marlowe-press/settings", strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		at, _ := url.Parse(b.base)
		for _, c := range b.client.Jar.Cookies(at) {
			r.AddCookie(c)
		}
	}
	return r, err
}
