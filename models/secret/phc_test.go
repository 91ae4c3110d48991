package secret

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const goodPHC = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

// S8: what is written reads back as itself, for every cost and length that is accepted.
func TestPHCReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lanes := rapid.IntRange(1, maxLanes).Draw(t, "lanes")
		want := phc{
			cost: cost{
				memoryKiB: uint32(rapid.IntRange(8*lanes, maxMemoryKiB).Draw(t, "memory")),
				passes:    uint32(rapid.IntRange(1, maxPasses).Draw(t, "passes")), lanes: uint8(lanes),
			},
			salt: rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt"),
			hash: rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "hash"),
		}
		got, err := parsePHC(want.String())
		if err != nil || got.String() != want.String() || got.cost != want.cost || string(got.salt) != string(want.salt) {
			t.Fatalf("%s reads back as %s, %v", want, got, err)
		}
	})
}

// S8: a stored string that this program would not write is an error and not a wrong password; above all
// one that asks for the memory or the processor of the whole machine.
func TestPHCRefused(t *testing.T) {
	if _, err := parsePHC(goodPHC); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	change := func(old, new string) string {
		if !strings.Contains(goodPHC, old) {
			t.Fatalf("%q is not in the good one", old)
		}
		return strings.Replace(goodPHC, old, new, 1)
	}
	for _, text := range []string{
		"", "$", "plain", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		" " + goodPHC, goodPHC + " ", goodPHC + "\n", goodPHC + "$", goodPHC + "=", goodPHC + strings.Repeat("A", 512),
		change("argon2id", "argon2i"), change("argon2id", "argon2d"), change("argon2id", "ARGON2ID"), change("v=19", "v=16"), change("$v=19", ""),
		change("m=256", "m=1048577"), change("m=256", "m=4294967296"), change("m=256", "m=7"), change("m=256", "m=0256"), change("m=256", "m=+256"),
		change("m=256", "m=-256"), change("m=256", "m="), change("m=256", "m=0x100"), change("m=256", "x=256"), change("m=256,t=2", "t=2,m=256"),
		change("t=2", "t=0"), change("t=2", "t=17"), change("t=2", "t=99999999999999999999"),
		change("p=1", "p=0"), change("p=1", "p=17"), change("p=1", "p=256"), change("p=1", "p=257"), change("p=1", "p=1,x=1"), change("m=256,t=2,p=1", "m=256,t=2,p=33"),
		change("c29tZXNhbHQ", ""), change("c29tZXNhbHQ", "c29t"), change("c29tZXNhbHQ", "c29tZXNhbHR"), change("c29tZXNhbHQ", "c29tZX\nNhbHQ"), change("c29tZXNhbHQ", strings.Repeat("A", 87)),
		change("nf65", "nf6"), change("nf65", "nf-_"), change("nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "nf65EOgLrQMR/uIPnA4r"), change("nf65", strings.Repeat("A", 88)),
	} {
		if _, err := parsePHC(text); !errors.Is(err, ErrPHC) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// S8: whatever lies in the column, what is accepted is within bounds and is the one spelling of itself.
func FuzzPHC(f *testing.F) {
	f.Add(goodPHC)
	f.Add(strings.Replace(goodPHC, "m=256", "m=1048577", 1))
	f.Add(strings.Replace(goodPHC, "c29t", "c2\r9t", 1))
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsePHC(text)
		if err != nil {
			return
		}
		if got.String() != text {
			t.Errorf("%q is another spelling of %q", text, got)
		}
		if got.memoryKiB > 1<<20 || got.passes > 16 || got.lanes > 16 || got.memoryKiB < 8*uint32(got.lanes) || got.passes < 1 || got.lanes < 1 {
			t.Errorf("%q is out of bounds", text)
		}
	})
}
