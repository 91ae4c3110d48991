package secret

import (
	"hash/crc32"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var canonical = regexp.MustCompile(`^[a-z0-9]{4}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$`)

// number62 writes a number as the specification of the checksum says, apart from the code under test.
func number62(n uint64) string {
	text := ""
	for n > 0 {
		text = string(base62[n%62]) + text
		n /= 62
	}
	return strings.Repeat("0", max(0, checksumLength-len(text))) + text
}

// canonicalReference is Parse, slow and by the letter of T1.
func canonicalReference(s string) bool {
	return canonical.MatchString(s) && len(s) == 54 && number62(uint64(crc32.ChecksumIEEE([]byte(s[:48])))) == s[48:]
}

// T2: there is one string for a credential; every variant of it is refused.
func TestParseRefusesVariants(t *testing.T) {
	text, err := Mint("user", rand.NewChaCha8([32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	good := text.Reveal()
	body := good[:48]
	sum := uint64(crc32.ChecksumIEEE([]byte(body)))
	resum := func(body string) string { return body + number62(uint64(crc32.ChecksumIEEE([]byte(body)))) }
	unpadded := ""
	for c := 0; unpadded == ""; c++ { // a body whose sum begins with a zero
		if s := resum(body[:46] + number62(uint64(c))[4:]); s[48] == '0' {
			unpadded = s[:48] + s[49:]
		}
	}
	variants := map[string]string{
		"sum not padded": unpadded, "sum padded with a space": unpadded[:48] + " " + unpadded[48:],
		"empty": "", "twice": good + good, "space before": " " + good, "space after": good + " ",
		"space for the last": good[:53] + " ", "tab before": "\t" + good, "line end": good + "\n", "carriage return": good + "\r\n",
		"zero byte after": good + "\x00", "zero byte for the last": good[:53] + "\x00", "soft hyphen": good[:20] + "\u00ad" + good[20:],
		"zero width space": good + "\u200b", "byte order mark": "\ufeff" + good, "quoted": `"` + good + `"`,
		"with its scheme": "Bearer " + good, "percent-encoded": strings.Replace(good, "_", "%5F", 1),
		"no underscore": good[:4] + good[5:], "hyphen": good[:4] + "-" + good[5:], "full width": good[:4] + "＿" + good[5:],
		"upper case": strings.ToUpper(good), "lower case": strings.ToLower(resum("user_" + strings.Repeat("A", 43))),
		"upper-case prefix, right sum":   resum("User" + body[4:]),
		"short body, right sum":          resum(body[:47]),
		"long body, right sum":           resum(body + "0"),
		"base64 body, right sum":         resum(body[:47] + "-"),
		"non-ASCII body, right sum":      resum(body[:46] + "é"),
		"Cyrillic lookalike":             resum(body[:46] + "а"),
		"underscore in body, right sum":  resum(body[:47] + "_"),
		"sum of the body alone":          body + number62(uint64(crc32.ChecksumIEEE([]byte(body[5:])))),
		"sum over 32 bits, same CRC":     body + number62(sum+1<<32),
		"sum with CRC of another kind":   body + number62(uint64(crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli)))),
		"prefix of three, longer body":   resum("use_r" + body[5:]),
		"upper-case sum":                 body + strings.ToUpper("abcdef"),
		"invalid UTF-8":                  good[:30] + "\xff" + good[31:],
		"a different prefix, old sum":    "prod" + good[4:],
		"neighbours of the sum swapped":  good[:48] + good[49:50] + good[48:49] + good[50:],
		"eighty characters of a longer":  (good + good)[:80],
		"body of zeros, sum of zeros":    "user_" + strings.Repeat("0", 49),
		"first and last of the body":     good[:5] + good[47:48] + good[6:47] + good[5:6] + good[48:],
		"the hash, as text":              Text(good).Hash().Hex()[:54],
		"what is printed in its place":   Text(good).String(),
		"the hint, as the console shows": Text(good).Hint().Prefix + "...",
	}
	for name, s := range variants {
		if _, ok := Parse(s); ok || s == good {
			t.Errorf("%s: %q is taken for a credential", name, s)
		}
	}
	for size := range len(good) {
		if _, ok := Parse(good[:size]); ok {
			t.Errorf("the first %d characters are taken", size)
		}
		if _, ok := Parse(good[len(good)-size:]); ok {
			t.Errorf("the last %d characters are taken", size)
		}
	}
}

// T2: a credential with any one byte replaced by any other is refused: exhaustive, 54 times 255.
func TestParseRefusesEveryTypo(t *testing.T) {
	good := mint(t, "prod").Reveal()
	typo := []byte(good)
	for i := range typo {
		for c := range 256 {
			if typo[i] = byte(c); typo[i] == good[i] {
				continue
			}
			if _, ok := Parse(string(typo)); ok {
				t.Fatalf("%q is taken, with byte %d changed", typo, i)
			}
		}
		typo[i] = good[i]
	}
}

// T3: of 2,000,000 well-formed strings with a random checksum none passes; by chance one in 62^6 would,
// 57 thousand million. The seeds are fixed, so the test is the same each time.
func TestParseRefusesInvented(t *testing.T) {
	for seed := range uint64(2) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, seed))
			text := []byte("user_" + strings.Repeat("0", 49))
			for n := range 1_000_000 {
				from := checkedLength // a new sum each time, a new body every hundred
				if n%100 == 0 {
					from = prefixLength + 1
				}
				for i := from; i < len(text); i++ {
					text[i] = base62[random.Uint32()%62]
				}
				if _, ok := Parse(string(text)); ok {
					t.Fatalf("%s is taken for a credential", text)
				}
			}
		})
	}
}

// The hot path makes no garbage: recognising, refusing, hashing and hinting allocate nothing.
func TestParseAndHashAllocateNothing(t *testing.T) {
	good := mint(t, "user").Reveal()
	bad := good[:53] + "!"
	var hash Hash
	var hint Hint
	got := testing.AllocsPerRun(100, func() {
		if _, ok := Parse(bad); ok {
			t.Error("a bad one is taken")
		}
		text, ok := Parse(good)
		if !ok {
			t.Error("a good one is refused")
		}
		hash, hint = text.Hash(), text.Hint()
	})
	if got != 0 {
		t.Errorf("%v allocations, of %v and %v", got, hash, hint)
	}
}

// T1, T2: Parse takes exactly what the specification says, whatever it is given.
func FuzzParse(f *testing.F) {
	good := mint(f, "user").Reveal()
	for _, seed := range []string{"", good, good + " ", good[:53], strings.ToUpper(good), "user_" + strings.Repeat("0", 49), strings.Repeat("é", 27)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, ok := Parse(s)
		if ok != canonicalReference(s) {
			t.Errorf("%q: Parse says %v", s, ok)
		}
		if ok && text.Reveal() != s || !ok && text != "" {
			t.Errorf("%q becomes %q", s, text.Reveal())
		}
		if len(s) >= 48 { // and with a right checksum, which a fuzzer does not find
			s = s[:48] + number62(uint64(crc32.ChecksumIEEE([]byte(s[:48]))))
			if _, ok := Parse(s); ok != canonical.MatchString(s) {
				t.Errorf("%q: Parse says %v", s, ok)
			}
		}
	})
}

func BenchmarkParseHash(b *testing.B) {
	good := mint(b, "user").Reveal()
	b.ReportAllocs()
	for b.Loop() {
		text, _ := Parse(good)
		_ = text.Hash()
	}
}

func BenchmarkParseRefuses(b *testing.B) {
	good := mint(b, "user").Reveal()
	bad := good[:52] + good[53:] + good[52:53]
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Parse(bad)
	}
}
