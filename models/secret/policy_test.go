package secret

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// S7: what is refused, why, and what is just accepted.
func TestCheckPassword(t *testing.T) {
	who := []string{"Anna-Maria Öztürk", "am.oeztuerk@example.com", "Riverside Labs", "Li"}
	for password, want := range map[string]string{
		// length, in code points after NFKC
		"": tooShort, "kettle ferry 4": tooShort, "kettle ferry 42": "", "kettle ferry é4": "", "kettle ferry e\u0301": tooShort, "kettle ferr\u0301y 4": tooShort,
		"ｋｅｔｔｌｅ　ｆｅｒｒｙ　４２": "", "茶壺渡船四十二番地東京都港区芝": "", "茶壺渡船四十二番地東京都港区": tooShort, "kettle 👍👎👌✌👊👋👏": tooShort, "kettle 👍👎👌✌👊👋👏🙏": "",
		unrelated(128): "", unrelated(129): tooLong, unrelated(1024): tooLong, unrelated(100_000): tooLong,
		strings.Repeat("\u1100\u1161\u11a8", 128): tooLong, strings.Repeat("é", 128): repeats,
		// what cannot be typed
		"kettle ferry 42\n": untypeable, "kettle\tferry 423": untypeable, "kettle ferry 42\x00": untypeable, "kettle ferry 42\u0085": untypeable, "kettle ferry 42\xff": untypeable,
		// no rule about kinds of character
		"kettles ferry lanterns": "", "KETTLES FERRY LANTERNS": "", "   kettles ferry": "", "7249 1583 0617 26": "", "Kettles, ferry!": "",
		// the product
		"the tokendesk of kettles": product, "Token Desk kettles ferry": product, "TOKENDESK ferry lanterns": product, "t-o-k-e-n-d-e-s-k ferry 42": product, "tokens on my desk, 7 of them": "",
		// the person: words of four characters, unless 15 others are there
		"anna likes 7 kettles": "", "öztürk kettles 42": knownWords, "ÖZTÜRK kettles 42": knownWords, "Ö\u0308ztürk 12 kettles and ferry": "",
		"maria.oeztuerk 42 x": knownWords, "kettles and lanterns of maria": "", "riverside kettle 42": knownWords, "riverside labs kettle ferry 42": "", "example kettle 42": knownWords,
		"li kettle ferry 4": "",
		// repetition
		"aaaaaaaaaaaaaaa": repeats, "               ": repeats, "kettlekettlekettle": repeats, "KettlekettleKET": repeats, "x7!qx7!qx7!qx7!q": repeats,
		"kettle ferry 42kettle ferry 42": "", "kettle ferry 4kettle ferry 4": repeats, "👍👎👍👎👍👎👍👎👍👎👍👎👍👎👍": repeats,
		// the list, also in disguise
		"rumpelstiltskin": common, "RumpelStiltSkin": common, "rumpelstiltskin1": common, "123!rumpelstiltskin!": common, "rumpel stilt skin": common, "correct horse battery staple": common,
		"congratulations": common, "youngandrestless": common, "ｒumpelstiltskin": common,
		// made of what is tried first
		"qwertyuiopasdfgh1": common, "lkjhgfdsapoiuytr": tooEasy, "abcdefghijklmnop": common, "qwertzuiopyxcvbn7": tooEasy, "cdefghijklmnopqr": tooEasy, "zyxwvutsrqponmlk": tooEasy, "acegikmoqsuwy135": tooEasy,
		"monkeybananasunshine": tooEasy, "BaseBallFootBall": tooEasy, "Password123456!!": tooEasy, "P@ssw0rd12345678": tooEasy, "$un5h1ne$un5h1ne!": tooEasy,
		"aaaaaaaabbbbbbbb": tooEasy, "aabbccddeeffgghh": tooEasy, "admin_admin_admin_1": tooEasy, "1q2w3e4r!Q@W#E$R": tooEasy, "йцукенгшщзфывапр": tooEasy,
		"angela loves michael": "", "xK9#mQ2$vL7!pR4": "", "3f9a1c7e5b2d8064": "", "the rain in spain falls": "",
	} {
		if got := CheckPassword(password, who...); got != want {
			t.Errorf("%.40q: got %q, want %q", password, got, want)
		}
	}
}

// unrelated is text of a length with nothing in it to object to.
func unrelated(length int) string {
	random := rand.New(rand.NewPCG(3, 4))
	text := make([]byte, length)
	for i := range text {
		text[i] = base62[random.IntN(62)]
	}
	return string(text)
}

// Every message is a whole sentence that says what to do, and quotes nothing of the password.
func TestProblemsAreSentences(t *testing.T) {
	for _, text := range []string{tooShort, tooLong, untypeable, product, knownWords, repeats, common, tooEasy} {
		if !strings.HasPrefix(text, "Password ") || !strings.HasSuffix(text, ".") || len(text) > 140 {
			t.Errorf("%q", text)
		}
	}
}

// S7: whatever is accepted has the length, and is accepted in any case and normal form; whatever is
// given, an answer comes.
func TestCheckPasswordProperties(t *testing.T) {
	anything := rapid.OneOf(rapid.String(), rapid.StringN(15, 128, -1), rapid.StringMatching(`[a-z0-9 ]{12,40}`), rapid.StringMatching(`(password|qwerty|1234|monkey|!){3,9}`))
	rapid.Check(t, func(t *rapid.T) {
		password := anything.Draw(t, "password")
		word := rapid.StringMatching(`[a-z]{0,9}`).Draw(t, "word")
		problem := CheckPassword(password, word)
		if problem != "" {
			return
		}
		if n := utf8.RuneCountInString(norm.NFKC.String(password)); n < 15 || n > 128 {
			t.Fatalf("%q is accepted with %d characters", password, n)
		}
		if spelling := fold(password); CheckPassword(spelling, word) != "" && utf8.RuneCountInString(spelling) <= 128 {
			t.Fatalf("%q is accepted, and %q is not", password, spelling)
		}
		if CheckPassword(password) != "" {
			t.Fatalf("%q is accepted for %q, and not for nobody", password, word)
		}
	})
}

// The policy must not be in the way of what it asks for: no random password is refused, and no four
// random words, not even when each of them is on the list of common passwords.
func TestCheckPasswordTakesGoodOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, from := range []string{base62, base62[:10] + "abcdef", base62[36:], base62 + "!#$%&*+-./:;<=>?@_"} {
		for range 500 {
			text := make([]byte, MinPasswordLength)
			for i := range text {
				text[i] = from[random.IntN(len(from))]
			}
			if problem := CheckPassword(string(text)); problem != "" {
				t.Errorf("%s: %s", text, problem)
			}
		}
	}
	list := slices.DeleteFunc(slices.Clone(commonPasswords()), func(entry string) bool {
		return len(entry) > longestWord || strings.Trim(entry, base62[36:]) != ""
	})
	for range 500 {
		text := list[random.IntN(len(list))]
		for range 3 {
			text += " " + list[random.IntN(len(list))]
		}
		if problem := CheckPassword(text); problem != "" {
			t.Errorf("%s: %s", text, problem)
		}
	}
}

func BenchmarkCheckPassword(b *testing.B) {
	long := unrelated(128)
	b.ReportAllocs()
	for b.Loop() {
		_ = CheckPassword(long, "Anna-Maria Öztürk", "am.oeztuerk@example.com")
	}
}
