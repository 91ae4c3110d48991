package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// howMany reads a number that says how long a test of crashes goes on: few for every change, many by
// `task crash`.
func howMany(t *testing.T, name string, standard int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, which is no number of 1 or more", name, text)
	}
	return n
}

// chance makes the random numbers of a test. What it printed repeats them: TOKENDESK_TEST_SEED.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(howMany(t, "TOKENDESK_TEST_SEED", int(time.Now().UnixNano()&(1<<53-1))))
	t.Logf("TOKENDESK_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, uint64(len(t.Name()))))
}

// after carries a browser over to the next server: it keeps its cookies, and none of its connections.
func (b browser) after(t *testing.T, s server) browser {
	t.Helper()
	next := s.browser(t)
	next.client.Jar = b.client.Jar
	return next
}

// try is do for a request whose answer may never come: the server may be killed while it works on it.
func (b browser) try(r *http.Request) (answered, error) {
	response, err := b.client.Do(r)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answered{response.StatusCode, response.Header.Get("Location"), string(body)}, err
}

// form is the request of a form.
func (b browser) form(ctx context.Context, path string, form url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, err
}

// upload is the request of an installation, as curl -F sends it.
func (b browser) upload(ctx context.Context, token string, p parcel) (*http.Request, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile("collectionFile", p.name); err != nil {
		return nil, err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	body := io.MultiReader(bytes.NewReader(head.Bytes()), bytes.NewReader(p.zip), strings.NewReader(tail))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/installCollection", body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(head.Len() + len(p.zip) + len(tail))
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	return r, nil
}

// call is a request with a token and nothing else, which says what the token is worth: 400 because there is
// no file, 403 because its owner is no Admin, 401 because it is not good.
func (b browser) call(ctx context.Context, token string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/installCollection", nil)
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, err
}

// parcel is a collection file that nobody has installed before.
type parcel struct {
	name   string // of the file, and so of the collection
	zip    []byte
	sha256 string
}

// packed makes a collection of some files with bytes that do not compress.
func packed(random *rand.Rand, name string, files, fileBytes int) (parcel, error) {
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	body := make([]byte, fileBytes)
	var failed error
	for i := range files {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("folder-%d/file-%d.bin", i%3, i), Method: zip.Store})
		if err == nil {
			_, err = io.ReadFull(noise(random), body)
		}
		if err == nil {
			_, err = entry.Write(body)
		}
		failed = errors.Join(failed, err)
	}
	failed = errors.Join(failed, w.Close())
	sum := sha256.Sum256(file.Bytes())
	return parcel{name: name, zip: file.Bytes(), sha256: hex.EncodeToString(sum[:])}, failed
}

// noise is an endless stream of bytes.
func noise(random *rand.Rand) io.Reader {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	return rand.NewChaCha8(seed)
}

// tokenFor creates the bearer token of the person with a record.
func (b browser) tokenFor(t *testing.T, record string) string {
	t.Helper()
	formID := pick(t, b.get(t, record).want(t, 200).body, `name="form_id" value="([^"]+)"`)
	shown := b.post(t, record+"/bearer-token", url.Values{"form_id": {formID}}).want(t, 200)
	return pick(t, shown.body, `<output[^>]* id="token"[^>]*>([^<]+)<`)
}
