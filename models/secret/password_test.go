package secret

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

const sentence = "kettles lantern ferry 42"

// call is one piece of work that a Hasher was seen to do.
type call struct {
	password string
	salt     string
	work     cost
	length   int
}

// watched is a Hasher whose work is recorded and takes no time; its result depends on all that it is given.
func watched(calls *[]call) *Hasher {
	h := NewHasher(1, 1)
	var guard sync.Mutex
	h.derive = func(password, salt []byte, work cost, length int) []byte {
		guard.Lock()
		defer guard.Unlock()
		*calls = append(*calls, call{string(password), string(salt), work, length})
		digest := HashOf(string(salt), string(password))
		return bytes.Repeat(digest[:], 2)[:length]
	}
	return h
}

// S8: passwords are hashed with Argon2id, 19 MiB and two passes, in the PHC format, each with a salt of
// its own; only the same password verifies.
func TestHashAndVerify(t *testing.T) {
	h := NewHasher(0, 0)
	first, err := h.Hash(t.Context(), sentence)
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.Hash(t.Context(), sentence)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") || first == second || len(first) != 97 {
		t.Errorf("got %s and %s", first, second)
	}
	if ok, rehash, err := h.Verify(t.Context(), first, sentence); !ok || rehash || err != nil {
		t.Errorf("the right password: %v, %v, %v", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), first, sentence+"."); ok || rehash || err != nil {
		t.Errorf("a wrong password: %v, %v, %v", ok, rehash, err)
	}
}

// S8: a hash of the reference implementation of Argon2 verifies, so ours are the real thing; and as its
// cost is another, it is to be made again, once the password is known to be right.
func TestVerifyKnowsOtherCosts(t *testing.T) {
	h := NewHasher(1, 1)
	if ok, rehash, err := h.Verify(t.Context(), goodPHC, "password"); !ok || !rehash || err != nil {
		t.Errorf("the right password: %v, %v, %v", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), goodPHC, "Password"); ok || rehash || err != nil {
		t.Errorf("a wrong password: %v, %v, %v", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), "not a hash", "password"); ok || rehash || !errors.Is(err, ErrPHC) {
		t.Errorf("a damaged row: %v, %v, %v", ok, rehash, err)
	}
}

// S8: any difference in cost or length asks for a new hash, and the present ones do not.
func TestVerifyAsksForRehash(t *testing.T) {
	var calls []call
	h := watched(&calls)
	for name, row := range map[string]struct {
		cost cost
		salt int
		hash int
		want bool
	}{
		"present": {standard, 16, 32, false}, "less memory": {cost{19455, 2, 1}, 16, 32, true}, "more passes": {cost{19456, 3, 1}, 16, 32, true},
		"more lanes": {cost{19456, 2, 2}, 16, 32, true}, "short salt": {standard, 8, 32, true}, "short hash": {standard, 16, 16, true},
	} {
		stored := phc{cost: row.cost, salt: make([]byte, row.salt)}
		stored.hash = h.derive([]byte(sentence), stored.salt, row.cost, row.hash)
		if ok, rehash, err := h.Verify(t.Context(), stored.String(), sentence); !ok || rehash != row.want || err != nil {
			t.Errorf("%s: got %v, %v, %v", name, ok, rehash, err)
		}
	}
}

// S7: passwords are compared after NFKC: typed with another keyboard or another system's accents, they
// are the same. Case and spaces count, and nothing is cut off.
func TestPasswordsAreNormalised(t *testing.T) {
	var calls []call
	h := watched(&calls)
	stored, err := h.Hash(t.Context(), "Zwölf Boxkämpfer ﬁnden 12 Ⅳ")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		"Zwölf Boxkämpfer finden 12 IV":                 true,
		"Zwo\u0308lf Boxka\u0308mpfer ﬁnden 12 Ⅳ":       true,
		"Ｚｗölf\u00a0Boxkämpfer\u3000finden １２ IV":       true,
		"zwölf boxkämpfer finden 12 iv":                 false,
		"Zwölf Boxkämpfer finden 12 IV ":                false,
		"Zwolf Boxkampfer finden 12 IV":                 false,
		"Zwölf Boxkämpfer finden 12 IV\x00":             false,
		"Zwölf Boxkämpfer finden 12 IV" + sentence[:10]: false,
	} {
		if ok, _, err := h.Verify(t.Context(), stored, password); ok != want || err != nil {
			t.Errorf("%q: got %v, %v", password, ok, err)
		}
	}
	long := strings.Repeat("x", 127)
	if stored, err = h.Hash(t.Context(), long+"a"); err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.Verify(t.Context(), stored, long+"b"); ok {
		t.Error("the last of 128 characters does not count")
	}
}

// S9: the work for an account that does not exist, for a wrong password and for one that is far too long
// is the same: one derivation of the same cost, salt and length, so no time tells them apart.
func TestNobodyCostsTheSame(t *testing.T) {
	var calls []call
	h := watched(&calls)
	stored, err := h.Hash(t.Context(), sentence)
	if err != nil {
		t.Fatal(err)
	}
	huge := strings.Repeat("x", maxPasswordBytes+1)
	for name, work := range map[string]func() (bool, error){
		"wrong":  func() (bool, error) { ok, _, err := h.Verify(t.Context(), stored, "wrong"); return ok, err },
		"huge":   func() (bool, error) { ok, _, err := h.Verify(t.Context(), stored, huge); return ok, err },
		"nobody": func() (bool, error) { return false, h.VerifyNobody(t.Context(), "wrong") },
	} {
		calls = nil
		if ok, err := work(); ok || err != nil {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
		if len(calls) != 1 || calls[0].work != standard || len(calls[0].salt) != saltLength || calls[0].length != hashLength || len(calls[0].password) > 5 {
			t.Errorf("%s: did %+v", name, calls)
		}
	}
}

// A password over the limit is never hashed in part, and does not verify even against the hash of
// nothing, which is what its work is done on.
func TestHugePasswords(t *testing.T) {
	var calls []call
	h := watched(&calls)
	huge := strings.Repeat("x", maxPasswordBytes+1)
	if stored, err := h.Hash(t.Context(), huge); err == nil || stored != "" || len(calls) != 0 {
		t.Errorf("got %q, %v after %d derivations", stored, err, len(calls))
	}
	empty, err := h.Hash(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.Verify(t.Context(), empty, huge); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

// S8: at most `parallel` hashes run at once and at most `queue` calls wait; one more is told so at once.
// Who gives up waiting makes room, and everybody else is served.
func TestHasherIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const parallel, queue = 2, 3
		h := NewHasher(parallel, queue)
		var guard sync.Mutex
		running, most := 0, 0
		turn := make(chan struct{})
		h.derive = func(_, _ []byte, _ cost, length int) []byte {
			guard.Lock()
			running++
			most = max(most, running)
			guard.Unlock()
			<-turn
			guard.Lock()
			running--
			guard.Unlock()
			return make([]byte, length)
		}
		results := make(chan error, 100)
		start := func(ctx context.Context) { go func() { results <- h.VerifyNobody(ctx, sentence) }() }

		for range parallel {
			start(t.Context())
		}
		synctest.Wait() // they work, so whoever comes now waits
		for range queue - 1 {
			start(t.Context())
		}
		impatient, giveUp := context.WithCancel(t.Context())
		start(impatient)
		synctest.Wait() // everybody works or waits
		if running != parallel || len(results) != 0 {
			t.Fatalf("%d run, %d have ended; want %d and 0", running, len(results), parallel)
		}
		if _, err := h.Hash(t.Context(), sentence); !errors.Is(err, ErrBusy) {
			t.Fatalf("one too many: got %v", err)
		}
		if ok, rehash, err := h.Verify(t.Context(), goodPHC, "password"); ok || rehash || !errors.Is(err, ErrBusy) {
			t.Fatalf("one too many: got %v, %v, %v", ok, rehash, err)
		}
		giveUp()
		synctest.Wait()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Fatalf("who gave up got %v", err)
		}
		start(t.Context()) // in the place that was given up
		synctest.Wait()
		for range parallel + queue {
			turn <- struct{}{}
			synctest.Wait()
		}
		for range parallel + queue {
			if err := <-results; err != nil {
				t.Errorf("who waited got %v", err)
			}
		}
		if most != parallel {
			t.Errorf("%d ran at once, want %d", most, parallel)
		}
		close(turn)
		if err := h.VerifyNobody(t.Context(), sentence); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// However many strangers come, half of the places stay with those who are familiar: these neither wait nor are
// told that the server is busy, and all together never work on more than the processors there are.
func TestHasherKeepsPlacesFromStrangers(t *testing.T) {
	for parallel, share := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 8: 4} {
		synctest.Test(t, func(t *testing.T) {
			const queue = 5
			h := NewHasher(parallel, queue)
			turn := make(chan struct{})
			running := map[string]int{}
			var guard sync.Mutex
			h.derive = func(password, _ []byte, _ cost, length int) []byte {
				guard.Lock()
				running[string(password)]++
				guard.Unlock()
				<-turn
				guard.Lock()
				running[string(password)]--
				guard.Unlock()
				return make([]byte, length)
			}
			strangers, busy := h.Strangers(), 0
			results := make(chan error, 1000)
			for range 100 {
				go func() { results <- strangers.VerifyNobody(t.Context(), "stranger") }()
			}
			synctest.Wait()
			for range 100 - share - queue {
				if err := <-results; errors.Is(err, ErrBusy) {
					busy++
				}
			}
			if busy != 100-share-queue || running["stranger"] != share || len(results) != 0 {
				t.Errorf("of %d places strangers have %d; %d were told that it is busy", parallel, running["stranger"], busy)
			}
			for range parallel + queue {
				go func() { results <- h.VerifyNobody(t.Context(), "familiar") }()
			}
			synctest.Wait()
			if running["familiar"] != parallel-share || running["stranger"] != share || len(results) != 0 {
				t.Errorf("of %d places the familiar have %d and strangers %d; %d were refused", parallel, running["familiar"], running["stranger"], len(results))
			}
			close(turn)
			synctest.Wait()
			for range len(results) {
				if err := <-results; err != nil {
					t.Errorf("who waited got %v", err)
				}
			}
			if err := strangers.VerifyNobody(t.Context(), "stranger"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// Who has already gone is not hashed for, even when there is room; and neither he nor a derivation that
// panics keeps a place.
func TestHasherGivesPlacesBack(t *testing.T) {
	var calls []call
	h := watched(&calls)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 5 {
		if err := h.VerifyNobody(gone, sentence); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if len(calls) != 0 {
		t.Errorf("%d derivations for nobody", len(calls))
	}
	derive := h.derive
	h.derive = func(_, _ []byte, _ cost, _ int) []byte { panic("out of memory") }
	for range 5 {
		func() {
			defer func() { _ = recover() }()
			_ = h.VerifyNobody(t.Context(), sentence)
		}()
	}
	h.derive = derive
	if err := h.VerifyNobody(t.Context(), sentence); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	h := NewHasher(1, 1)
	stored, err := h.Hash(b.Context(), sentence)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), stored, sentence); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
