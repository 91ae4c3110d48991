package web

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tokendesk/models"
	"tokendesk/models/access"
)

const (
	largestVerify  = 256 << 10       // bytes
	mostInAVerify  = 100             // credentials
	verifyPatience = 5 * time.Second // for all of them; what is not found out by then is told as that
	largestAnswers = 256 << 10       // bytes of a buffer that is kept for the next answer
)

// verification is one question about a credential: whether a call with it would pass.
type verification struct{ credential, method, path, workspace string }

// verifying is what a call of many questions is read and answered with.
type verifying struct {
	body    []byte
	decoder *jsontext.Decoder
	asked   []verification
	routes  []access.Route // of each, for the gate
	answer  []byte
}

var verifyings = sync.Pool{New: func() any { return &verifying{decoder: jsontext.NewDecoder(new(bytes.Buffer))} }}

// release forgets what was read, which is full of secrets.
func (v *verifying) release() {
	clear(v.body)
	clear(v.asked)
	clear(v.routes)
	if cap(v.answer) <= largestAnswers {
		verifyings.Put(v)
	}
}

// verify answers of up to 100 credentials whether a call with each would pass, as the gateway decides it: it counts, and it counts against limits.
func (s *calls) verify(w http.ResponseWriter, r *http.Request, id string) {
	who, let, ok := s.asker(w, r, id, asProblem)
	if !ok {
		return
	}
	v := verifyings.Get().(*verifying)
	defer v.release()
	if err := v.read(w, r); err != nil {
		s.badRequest(w, r, err, asProblem)
		return
	}
	if who, ok = s.stillAsks(w, r, id, asProblem, who, let); !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), verifyPatience)
	defer cancel()
	r = r.WithContext(ctx)
	v.answer = append(v.answer[:0], `{"data":[`...)
	v.routes = append(v.routes[:0], make([]access.Route, len(v.asked))...)
	for i := range v.asked {
		d := s.decided(r, &v.asked[i], &v.routes[i], &who)
		if d.Code == access.VerifierUnavailable {
			s.log.Error("a credential could not be checked", slog.String("request_id", id), slog.Any("error", d.Cause))
		} else if !d.Allowed() && d.Matched() {
			s.handlers.RefusedProduct(who.Address, id, d)
		}
		if i > 0 {
			v.answer = append(v.answer, ',')
		}
		v.answer = appendVerdict(v.answer, &d)
	}
	v.answer = append(v.answer, "]}\n"...)
	answer(w, v.answer)
}

// decided asks the gate about one.
func (s *calls) decided(r *http.Request, v *verification, route *access.Route, who *models.Actor) access.Decision {
	path, ok := access.CanonicalPath(v.path)
	if !ok || path.Escaped() != v.path { // who asks sends on what it has, and not what we make of it
		return access.Decision{Code: access.RequestAmbiguous, Check: "request",
			Detail: "The path can be read in two ways, or is none. Leave out dots, doubled slashes, a slash at its end, escapes that are not needed, and what follows a question mark."}
	}
	*route = access.Route{Method: v.method, Path: path, Workspace: v.workspace}
	return s.decide(r, access.Call{Presented: access.PresentText(v.credential), Need: access.Need{Route: route}, Address: who.Address, Asker: who, RequestID: who.RequestID}, access.AtVerify)
}

// appendVerdict writes a decision. What only a holder may know is there only where the secret itself matched, as in the gate's decisions.
func appendVerdict(b []byte, d *access.Decision) []byte {
	status := http.StatusOK
	if !d.Allowed() {
		status = verdicts[d.Code]
	}
	b = append(b, `{"allowed":`...)
	b = strconv.AppendBool(b, d.Allowed())
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = appendMember(b, "code", string(d.Code))
	b = appendMember(b, "title", d.Code.Title())
	b = appendMember(b, "detail", d.Detail)
	if k := &d.Known; d.Matched() {
		b = appendID(b, "credential_id", k.ID)
		b = appendMember(b, "kind", string(k.Kind()))
		b = appendID(b, "person_id", k.Person)
		b = appendID(b, "workspace_id", d.InWorkspace())
		b = appendMember(b, "scope", d.Scope)
		if ends := k.Expires(); !ends.IsZero() {
			b = append(b, `,"expires_at":"`...)
			b = ends.AppendFormat(b, time.RFC3339Nano)
			b = append(b, '"')
		}
	}
	if d.Limit.Window != 0 {
		b = append(b, `,"limit":{"quota":`...)
		b = strconv.AppendInt(b, int64(d.Limit.Quota), 10)
		b = append(b, `,"window_seconds":`...)
		b = strconv.AppendInt(b, int64(d.Limit.Window/time.Second), 10)
		b = append(b, `,"remaining":`...)
		b = strconv.AppendInt(b, int64(d.Limit.Remaining), 10)
		b = append(b, `,"next_seconds":`...)
		b = strconv.AppendInt(b, int64(access.Seconds(d.Limit.Wait)), 10)
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendID writes an ID after other members; one that is zero is left out.
func appendID(b []byte, name string, id [16]byte) []byte {
	if id == ([16]byte{}) {
		return b
	}
	b = append(append(append(b, ',', '"'), name...), '"', ':', '"')
	for _, end := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}} {
		b = append(hex.AppendEncode(b, id[end[0]:end[1]]), '-')
	}
	return append(hex.AppendEncode(b, id[10:]), '"')
}

// read reads what is asked.
func (v *verifying) read(w http.ResponseWriter, r *http.Request) error {
	kind := r.Header.Get("Content-Type")
	if kind != asJSON[0] {
		if kind, _, _ = mime.ParseMediaType(kind); kind != asJSON[0] {
			return verifyHowTo("Send it with Content-Type: application/json.")
		}
	}
	if r.ContentLength > largestVerify {
		return verifyTooLarge
	}
	body := http.MaxBytesReader(w, r.Body, largestVerify)
	v.body = v.body[:0]
	for {
		if len(v.body) == cap(v.body) {
			v.body = append(v.body, make([]byte, max(4<<10, cap(v.body)))...)[:len(v.body)]
		}
		n, err := body.Read(v.body[len(v.body):cap(v.body)])
		v.body = v.body[:len(v.body)+n]
		if err == io.EOF {
			break
		}
		if isTooLarge(err) {
			return verifyTooLarge
		}
		if err != nil {
			return models.Fail(models.Ambiguous, "The body could not be read to its end. Send it again.")
		}
	}
	return v.parse(string(v.body))
}

var verifyTooLarge = models.Fail(models.TooLarge, "The body is larger than 256 KiB. Ask about fewer credentials in a call.")

// verifyHowTo says how to ask, and what is wrong, without a word of what was sent.
func verifyHowTo(problem string) error {
	return models.Fail(models.Ambiguous, "%s", strings.TrimSpace(`Send an object like {"requests":[{"credential":"…","method":"GET","path":"/api/…"}]}. `+problem))
}
