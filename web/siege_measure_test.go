package web_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// The siege is measured against the program itself, in a process of its own: TOKENDESK_SIEGE=1, or task siege.
// What came out, and how to read it, is in docs/signin.md.
const (
	perMinute = 10_000
	zombies   = 2_000
	rounds    = 30 // with the flood, and as many without
	roundTime = 2 * time.Second
	samples   = 2_000
)

// TestSiege measures what an attack on sign-in does to a page and to the owner of the account, and whether
// the time of an answer tells who has one.
func TestSiege(t *testing.T) {
	if os.Getenv("TOKENDESK_SIEGE") == "" {
		t.Skip("takes ten minutes and both cores: TOKENDESK_SIEGE=1")
	}
	s := startProgram(t)
	t.Logf("load average before: %s", load(t))
	t.Run("page", func(t *testing.T) {
		if slower := s.measurePage(t, "victim@siege.example"); slower > 1.1 {
			t.Errorf("a page takes %.3f times as long", slower)
		}
	})
	t.Run("page while they try all accounts", func(t *testing.T) { s.measurePage(t, "somebody#@siege.example") })
	t.Run("owner", s.measureOwner)
	t.Run("time", measureTime)
	t.Logf("load average after: %s", load(t))
}

// measurePage answers how many times as long a page takes, by the median, while 10,000 wrong passwords a
// minute come from 2,000 addresses. Rounds with and without the flood take turns.
func (s program) measurePage(t *testing.T, email string) float64 {
	admin := s.signedIn(t, "198.51.100.1", "admin@siege.example")
	took, busy, answered := map[bool][]float64{}, map[bool][]float64{}, map[int]int{}
	for n := range 2 * rounds {
		attacked := n%4 == 1 || n%4 == 2 // calm, attacked, attacked, calm
		ended := func() map[int]int { return nil }
		if attacked {
			ended = s.flood(t, email, roundTime)
		}
		before, start := s.cpu(t), time.Now()
		for range ticks(20*time.Millisecond, roundTime) {
			asked := time.Now()
			admin.get(t, "/people")
			took[attacked] = append(took[attacked], ms(time.Since(asked)))
		}
		busy[attacked] = append(busy[attacked], 100*float64(s.cpu(t)-before)/float64(time.Since(start)))
		for status, times := range ended() {
			answered[status] += times
		}
	}
	t.Logf("the attacker's attempts by the answer: %v", answered)
	for _, attacked := range []bool{false, true} {
		l := took[attacked]
		t.Logf("attacked %-5v: %d pages, p50 %.2f ms, p90 %.2f, p99 %.2f, mean %.2f; the server used %.1f %% of a core", attacked, len(l),
			quantile(l, 0.5), quantile(l, 0.9), quantile(l, 0.99), mean(l), mean(busy[attacked]))
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		t.Logf("p%.0f with the flood / without: %.3f", 100*q, quantile(took[true], q)/quantile(took[false], q))
	}
	return quantile(took[true], 0.5) / quantile(took[false], 0.5)
}

// The owner signs in each time in a browser that did so before; in a new one, at a new address, mostly too.
func (s program) measureOwner(t *testing.T) {
	laptop := s.signedIn(t, "198.51.100.2", "owner@siege.example")
	ended := s.flood(t, "owner@siege.example", time.Minute)
	refused, times := map[string][]int{}, map[string][]float64{}
	for n := range ticks(time.Second, time.Minute) {
		as := map[string]*client{"familiar": laptop}
		if n%3 == 0 {
			as["new"] = s.client(fmt.Sprintf("203.0.113.%d", n))
		}
		for name, browser := range as {
			asked := time.Now()
			if status := browser.signIn(t, "owner@siege.example", storetest.Password); status != http.StatusSeeOther {
				refused[name] = append(refused[name], n)
			}
			times[name] = append(times[name], ms(time.Since(asked)))
		}
	}
	t.Logf("the attacker's attempts by the answer: %v", ended())
	for name, l := range times {
		t.Logf("the owner in a %s browser: refused in the seconds %v, %d times of %d; p50 %.1f ms, p99 %.1f", name, refused[name], len(refused[name]), len(l), quantile(l, 0.5), quantile(l, 0.99))
	}
	if len(refused["familiar"]) > 0 {
		t.Error("the owner was kept out of a browser that signed in before")
	}
}

// The time of an answer does not tell an address that nobody has from one of a person, active or not: neither
// of a wrong password, nor of an attempt that has to wait. The server is in this process, so that its clock can
// be moved: nobody else gets so many samples so soon.
func measureTime(t *testing.T) {
	b := besiege(t)
	emails := map[string]string{"unknown": "Nobody3@marlowe.example"}
	for _, name := range []string{"known", "deactivated"} {
		person := b.Person(t, b.Admin, models.Member)
		if emails[name] = person.Email; name == "known" {
			continue
		}
		if _, err := b.DeactivatePerson(t.Context(), b.Admin, person.ID); err != nil {
			t.Fatal(err)
		}
	}
	sample := func(want int, from func(n int) string) map[string][]float64 {
		took := map[string][]float64{}
		for n := range samples {
			for _, c := range rand.Perm(len(emails)) {
				name := []string{"unknown", "known", "deactivated"}[c]
				asked := time.Now()
				b.try(t, b.Browser(t), from(n), emails[name], wrong).Want(t, want)
				took[name] = append(took[name], ms(time.Since(asked)))
			}
			if want == http.StatusUnprocessableEntity {
				b.Clock.Advance(time.Minute)
			}
		}
		return took
	}
	compare(t, "wrong password", sample(http.StatusUnprocessableEntity, zombie))
	for _, email := range emails {
		b.exhaust(t, email, "192.0.2.99")
	}
	compare(t, "has to wait", sample(http.StatusTooManyRequests, func(int) string { return "192.0.2.99" }))
}

// compare tells how far apart the times of an unknown address and of the others are (Welch's t-test). The
// slowest tenth of each is told apart: it is what else the machine does, and would hide a difference.
func compare(t *testing.T, what string, took map[string][]float64) {
	t.Helper()
	unknown := quickest(took["unknown"])
	t.Logf("%s: unknown: mean of all %d %.3f ms, of the quickest nine tenths %.3f, p50 %.3f", what, len(took["unknown"]), mean(took["unknown"]), mean(unknown), quantile(unknown, 0.5))
	for _, name := range []string{"known", "deactivated"} {
		l := quickest(took[name])
		apart := percent(mean(l), mean(unknown))
		welch := (mean(l) - mean(unknown)) / math.Sqrt(variance(l)/float64(len(l))+variance(unknown)/float64(len(unknown)))
		t.Logf("%s: %s: mean of all %.3f ms (%+.2f %%), of the quickest nine tenths %.3f (%+.2f %%, Welch's t %+.2f), p50 %.3f", what, name,
			mean(took[name]), percent(mean(took[name]), mean(took["unknown"])), mean(l), apart, welch, quantile(l, 0.5))
		if math.Abs(apart) > 2 && math.Abs(welch) > 3 {
			t.Errorf("%s: the time tells %s from unknown", what, name)
		}
	}
}

func quickest(list []float64) []float64 { return slices.Sorted(slices.Values(list))[:len(list)*9/10] }

func percent(a, b float64) float64 { return 100 * (a/b - 1) }
