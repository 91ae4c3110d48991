//go:build linux

package chaos

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// desk is an installation of several servers over a PostgreSQL of its own.
type desk struct {
	t        *testing.T
	own      *storetest.OwnPostgres
	pooler   *storetest.Pooler // by which some of the servers reach it
	standby  *storetest.OwnPostgres
	address  string // of PostgreSQL, and of the standby, for proxies
	second   string
	world    storetest.World
	admin    models.Actor
	place    string   // the workspace's ID
	clickers []string // credentials of Admins: each may make 300 calls a minute
	askers   []string // the same, for verification
	replicas []*replica
	minting  sync.Mutex
	reserve  []*token
}

// standbyLag is how late the standby shows what it has got: late enough for what is read there to be wrong.
const standbyLag = 2 * time.Second

// token is an API token with the history of each secret that it has had.
type token struct {
	id, secret string
	h          *history
}

// newDesk makes an installation with so many servers and tokens.
func newDesk(t *testing.T, program string, replicas, tokens int, env ...string) *desk {
	t.Helper()
	d := &desk{t: t, own: storetest.NewOwnPostgres(t)}
	d.world = storetest.New(t, d.own.URL)
	d.admin = d.world.SetUp(t)
	key := filepath.Join(t.TempDir(), "key")
	d.furnish(upstream(t), key)
	for range 30 {
		p := d.world.Person(t, d.admin, models.Admin)
		_, text := d.world.Token(t, d.admin, p.ID)
		d.clickers = append(d.clickers, text.Reveal())
	}
	d.askers, d.clickers = d.clickers[:10], d.clickers[10:]
	for i := range tokens {
		made, text := d.world.WorkspaceToken(t, d.admin, d.place, models.NewAPIToken{Name: fmt.Sprintf("token %d", i), Expiration: models.NoExpiration})
		d.reserve = append(d.reserve, &token{made.ID, text.Reveal(), &history{}})
	}
	d.standby = d.own.NewStandby(t, standbyLag)
	d.address, d.second = bridge(t, d.own.URL), bridge(t, d.standby.URL)
	d.pooler = d.own.NewPooler(t)
	for i := range replicas {
		at, pooled := d.address, i >= replicas-replicas/2
		if pooled {
			at = d.pooler.Address
		}
		d.replicas = append(d.replicas, newReplica(t, program, fmt.Sprintf("gw-%d", i), at, pooled, key, slices.Clone(env)...))
	}
	for i := range replicas {
		d.awaitReady(i)
	}
	return d
}

// furnish points the product at an upstream, with a signing key that is sealed with the installation's, and takes the limit away.
func (d *desk) furnish(to, keyFile string) {
	d.t.Helper()
	key, err := secret.OpenKey(keyFile)
	if err != nil {
		d.t.Fatal(err)
	}
	db, err := pgx.Connect(d.t.Context(), d.own.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close(context.Background())
	var product string
	var sealed []byte
	err = db.QueryRow(d.t.Context(), "UPDATE workspaces SET api_calls_a_minute = $1 RETURNING id", models.MostCallsAMinute).Scan(&d.place)
	if err == nil {
		err = db.QueryRow(d.t.Context(), "SELECT id FROM products").Scan(&product)
	}
	if err == nil {
		sealed, err = key.Seal("product/signing-key/"+product, make([]byte, 32))
	}
	if err == nil {
		_, err = db.Exec(d.t.Context(), "UPDATE products SET upstream = $1, signing_key = $2, revision = revision + 1", to, sealed)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// awaitReady waits until a server answers and has its database.
func (d *desk) awaitReady(n int) {
	d.t.Helper()
	r := d.replicas[n]
	for late := now() + 30*time.Second; now() < late; time.Sleep(20 * time.Millisecond) {
		r.alive(d.t)
		a, err := (&http.Client{Timeout: time.Second}).Get(r.base + "/readyz")
		if err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
	}
	d.t.Fatalf("%s does not answer:\n%s", r.name, r.tail())
}

// awaitNotices waits until each server says in its row whether the database tells it of changes: not those behind the pooler, which takes a listener
// and tells it nothing.
func (d *desk) awaitNotices() error {
	var list []models.Replica
	var err error
	for late := now() + 20*time.Second; now() < late; time.Sleep(50 * time.Millisecond) {
		if list, err = d.world.Replicas(d.t.Context()); err != nil {
			continue
		}
		told := map[string]string{}
		for _, r := range list {
			told[r.Name] = r.Notice
		}
		right := len(list) == len(d.replicas)
		for _, r := range d.replicas {
			notice, there := told[r.name]
			right = right && there && (notice == models.NoticePolling) == r.pooled
		}
		if right {
			return nil
		}
	}
	return fmt.Errorf("the servers do not say who is told of changes: %+v (%w)", list, err)
}

// mint takes a token that nobody has used; the reserve is made before the faults begin, so that each is known to be good.
func (d *desk) mint() *token {
	d.minting.Lock()
	defer d.minting.Unlock()
	if len(d.reserve) == 0 {
		return nil
	}
	one := d.reserve[0]
	d.reserve = d.reserve[1:]
	return one
}

// kept tells what the database has of a secret: whether it is good.
func (d *desk) good(text string) (bool, error) {
	g, err := d.world.GrantOf(d.t.Context(), secret.Text(text).Hash())
	return err == nil && g.Credential.Enabled && g.Credential.RevokedAt == nil, err
}

// upstream is a product that answers every call with a stream: each piece of it says when it was sent.
func upstream(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			if _, err := fmt.Fprintf(w, "data: %d\n\n", now()); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// bridge has PostgreSQL, which listens on a socket of the file system, reached by TCP: toxiproxy knows nothing else.
func bridge(t *testing.T, to string) (address string) {
	t.Helper()
	at, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(at.Query().Get("host"), ".s.PGSQL.5432")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go splice(from, socket)
		}
	}()
	return l.Addr().String()
}

func splice(from net.Conn, socket string) {
	defer from.Close()
	to, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	pass := func(a, b net.Conn) { _, _ = io.Copy(a, b); done <- struct{}{} }
	go pass(to, from)
	go pass(from, to)
	<-done
}
