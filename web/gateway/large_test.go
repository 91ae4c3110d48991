package gateway

import (
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
)

// watched is an endless row of zeros that looks at the memory in use while it is read or written.
type watched struct {
	moved int64
	most  *atomic.Int64 // bytes
}

func (w *watched) look(n int) {
	before := w.moved
	if w.moved += int64(n); before>>24 == w.moved>>24 { // each 16 MiB
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.most.Store(max(w.most.Load(), int64(m.HeapInuse+m.StackInuse)))
}

func (w *watched) Read(p []byte) (int, error)  { w.look(len(p)); return len(p), nil }
func (w *watched) Write(p []byte) (int, error) { w.look(len(p)); return len(p), nil }

// An upload and a download of 1 GiB pass, and the memory of all of caller, gateway and product together does not grow with them.
func TestAGibibyteEachWay(t *testing.T) {
	size := int64(1 << 30)
	if raceDetector {
		size = 64 << 20 // which is ten times as slow
	}
	var most atomic.Int64
	buffers := make(chan []byte, 2)
	buffers <- make([]byte, 256<<10)
	buffers <- make([]byte, 256<<10)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		buffer := <-buffers
		defer func() { buffers <- buffer }()
		if n, err := io.CopyBuffer(&watched{most: &most}, struct{ io.Reader }{r.Body}, buffer); r.Method == "PUT" && n != size {
			t.Errorf("the product got %d bytes, %v", n, err)
		}
		if r.Method == "GET" {
			_, _ = io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(&watched{most: &most}, size), buffer)
		}
	}, nil)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, call := range []struct {
		method string
		length int64 // of the body; -1: not told
	}{{"PUT", size}, {"PUT", -1}, {"GET", 0}} {
		r, err := http.NewRequest(call.method, d.server.URL+"/api/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		if call.length != 0 {
			r.Body, r.ContentLength = io.NopCloser(io.LimitReader(&watched{most: &most}, size)), call.length
		}
		answer, err := d.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		if answer.StatusCode != http.StatusOK || err != nil || call.method == "GET" && n != size {
			t.Errorf("%s of %d: %s, %d bytes, %v", call.method, call.length, answer.Status, n, err)
		}
	}
	if grown := most.Load() - int64(before.HeapInuse+before.StackInuse); grown > 16<<20 {
		t.Errorf("%d MiB more were in use", grown>>20)
	}
}
