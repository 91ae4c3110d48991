package access

import (
	"sync"
	"testing"
)

// Every verdict that has a title is counted, at every door, each for itself, however many calls are decided at once.
func TestVerdictsAreCounted(t *testing.T) {
	if len(Codes) != len(titles) {
		t.Errorf("%d codes are counted, and there are %d", len(Codes), len(titles))
	}
	for code := range titles {
		if i, known := codeAt[code]; !known || Codes[i] != code {
			t.Errorf("%s is not counted", code)
		}
	}
	var v Verdicts
	if Codes[0] != Allowed {
		t.Fatal("the first count is not that of what is allowed")
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for d := range Doors {
				for i, code := range Codes {
					for range d*len(Codes) + i {
						v.Count(Door(d), code)
					}
				}
			}
		})
	}
	wait.Wait()
	v.Count(AtGateway, "made_up") // and nothing else
	n := 0
	v.Each(func(door string, code Code, count int64) {
		if door == "" || code != Codes[n%len(Codes)] || count != int64(4*n) {
			t.Errorf("%s %s: %d, want %d", door, code, count, 4*n)
		}
		n++
	})
	if n != len(Doors)*len(Codes) {
		t.Errorf("%d counts", n)
	}
}

// A count is on the path of every call: it must cost nothing that anybody could measure there.
func BenchmarkVerdicts(b *testing.B) {
	for _, code := range []Code{Allowed, CredentialExpired} {
		b.Run(string(code), func(b *testing.B) {
			var v Verdicts
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					v.Count(AtGateway, code)
				}
			})
		})
	}
}
