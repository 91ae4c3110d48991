package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fixedKey is a key ring of the given lines, each 32 equal bytes.
func fixedKey(t testing.TB, bytes ...byte) Key {
	t.Helper()
	key, err := parseKeyFile(keyLines(bytes...))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyLines(fill ...byte) (lines string) {
	for _, b := range fill {
		lines += keyLine + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, keySize)) + "\n"
	}
	return lines
}

// What is sealed for a purpose opens for it, is not readable, and is sealed differently each time.
func TestSealOpens(t *testing.T) {
	key := fixedKey(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		purpose := rapid.String().Draw(t, "purpose")
		plain := rapid.SliceOfN(rapid.Byte(), 0, 500).Draw(t, "plain")
		first, err := key.Seal(purpose, plain)
		if err != nil {
			t.Fatal(err)
		}
		second, err := key.Seal(purpose, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := key.Open(purpose, first)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %x, %v", got, err)
		}
		if len(first) != len(plain)+49 || bytes.Equal(first[nonceAt:], second[nonceAt:]) || len(plain) > 8 && bytes.Contains(first, plain) {
			t.Fatalf("sealed as %x and %x", first, second)
		}
	})
}

// security.md, "Settled": what is sealed is bound to its purpose, its key and every one of its bytes; so
// a value that was moved or changed in the database does not open.
func TestOpenRefuses(t *testing.T) {
	key := fixedKey(t, 1)
	sealed, err := key.Seal("oidc/client-secret/1", []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(how string, key Key, purpose string, sealed []byte) {
		t.Helper()
		if got, err := key.Open(purpose, sealed); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%s: got %q, %v", how, got, err)
		}
	}
	refused("another row", key, "oidc/client-secret/2", sealed)
	refused("no purpose", key, "", sealed)
	refused("another key", fixedKey(t, 2, 3), "oidc/client-secret/1", sealed)
	refused("one byte more", key, "oidc/client-secret/1", append(bytes.Clone(sealed), 0))
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), key, "oidc/client-secret/1", changed)
		refused(fmt.Sprintf("cut to %d", i), key, "oidc/client-secret/1", sealed[:i])
	}
}

// After a rotation, what the old key sealed and signed is still good, what is made now is the new key's,
// and once the old line is gone, so is what it made.
func TestKeyRotation(t *testing.T) {
	before, during, after := fixedKey(t, 1), fixedKey(t, 2, 1), fixedKey(t, 2)
	old, err := before.Seal("p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := during.Seal("p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	oldText, freshText := before.Sign("p", []byte("x")), during.Sign("p", []byte("x"))
	for _, row := range []struct {
		name       string
		key        Key
		old, fresh bool
	}{{"before", before, true, false}, {"during", during, true, true}, {"after", after, false, true}} {
		_, oldErr := row.key.Open("p", old)
		_, freshErr := row.key.Open("p", fresh)
		_, oldOK := row.key.Verify("p", oldText)
		_, freshOK := row.key.Verify("p", freshText)
		if (oldErr == nil) != row.old || (freshErr == nil) != row.fresh || oldOK != row.old || freshOK != row.fresh {
			t.Errorf("%s: sealed %v, %v; signed %v, %v", row.name, oldErr, freshErr, oldOK, freshOK)
		}
	}
}

// Values that an earlier version sealed and signed must be good in every later one: they are in databases.
func TestKeyGolden(t *testing.T) {
	key := fixedKey(t, 1)
	sealed, err := hex.DecodeString("0142340bfb9a389635b142f7898c7d97e9ac892b281688fbc696cc1d3a991a03ce2c926cf10fa6031bed84b9f5c4897e8147da65d77340")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Open("test", sealed); err != nil || string(got) != "golden" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := key.Sign("test", []byte("golden")); got != "7hbO0fiTmRiv--BHRO6HumdvbGRlbg" {
		t.Errorf("got %s", got)
	}
}

// What seals is never what signs, nor what another purpose seals with; and the id of a key, which stands
// in the clear, is neither.
func TestKeysAreDerivedApart(t *testing.T) {
	m := newMaterial([keySize]byte{1})
	seen := map[string]string{string(m.secret[:]): "the key itself"}
	for _, use := range [][2]string{{"seal", "a"}, {"seal", "b"}, {"seal", ""}, {"sign", "a"}, {"sign", ""}, {"id", ""}} {
		derived := string(m.derive(use[0], use[1]))
		if other, found := seen[derived]; found {
			t.Errorf("%v is %s", use, other)
		}
		seen[derived] = use[0] + " " + use[1]
	}
}

// T6: a key is printed by nothing, not even inside a struct that hides it.
func TestKeyIsNotPrinted(t *testing.T) {
	key := fixedKey(t, 'k')
	hidden := struct {
		Key Key
		key Key
	}{key, key}
	encoded, err := json.Marshal(hidden)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q", "%p", "%t"} {
		for _, holder := range []any{key, &key, hidden, &hidden, []Key{key}} {
			encoded = fmt.Appendf(append(encoded, '\n'), verb, holder)
		}
	}
	for _, spelling := range []string{"kkkk", "107 107", "0x6b, 0x6b", "6b6b6b", "a2tr", "[107"} {
		if strings.Contains(strings.ToLower(string(encoded)), strings.ToLower(spelling)) {
			t.Errorf("%q is shown:\n%s", spelling, encoded)
		}
	}
	if key.String() != "[secret]" || key.GoString() != "[secret]" {
		t.Error("String or GoString shows something else")
	}
}

// A Key that nobody opened seals nothing: better no answer than one without protection.
func TestZeroKeyPanics(t *testing.T) {
	for name, use := range map[string]func(){
		"Seal":   func() { _, _ = Key{}.Seal("p", nil) },
		"Open":   func() { _, _ = Key{}.Open("p", append([]byte{sealVersion}, make([]byte, 100)...)) },
		"Sign":   func() { _ = Key{}.Sign("p", nil) },
		"Verify": func() { _, _ = Key{}.Verify("p", strings.Repeat("A", 40)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s goes through", name)
				}
			}()
			use()
		}()
	}
}
