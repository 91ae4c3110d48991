package access

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
)

// Guess is one attempt at a password.
type Guess struct {
	Account string // the address of an account as it was typed, folded (models.EmailKey), there or not
	Address string // the caller's IP address, as far as trusted
	Device  string // what makes the browser familiar: what KnownDevice answers, or a session's ID; empty for a stranger
}

// Familiar says whether somebody signed in to this account in this browser before.
func (g Guess) Familiar() bool { return g.Device != "" }

// limit is something that is counted, and how far it may go.
type limit struct {
	key    key
	free   int // failures before it waits; 0: as many as there may be
	atOnce int // attempts under way together; 0: as many as there may be
}

// limits are what the caller is counted by: first for itself, then with others.
func (g Guess) limits() [2]limit {
	if g.Familiar() {
		return [2]limit{
			{key: keyOf("device", g.Account, g.Device), free: freePerAccount, atOnce: deviceAtOnce},
			{key: keyOf("devices", g.Account), atOnce: familiarAtOnce},
		}
	}
	from := network(g.Address, 64)
	return [2]limit{
		{key: keyOf("pair", g.Account, from), free: freePerAccount},
		{key: keyOf("address", from), free: freePerAddress, atOnce: atOnce},
	}
}

// claim is what a stranger asks a budget for, and as whom.
type claim struct{ what, who key }

// claims are on the account's budget and then on the one of all accounts; who is familiar has none. Who asks is
// a /48 in IPv6: as many networks as anybody can have from a tunnel for nothing count as one, and nobody is
// refused for it.
func (g Guess) claims() []claim {
	if g.Familiar() {
		return nil
	}
	from := network(g.Address, 48)
	return []claim{
		{keyOf("account", g.Account), keyOf("neighbour", g.Account, from)},
		{keyOf("accounts"), keyOf("neighbour", from)},
	}
}

// network names an address by its network, in one spelling: in IPv6 one caller has a whole /64 at least.
func network(address string, bits int) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if network, err := ip.Prefix(bits); err == nil && ip.Is6() {
		return network.String()
	}
	return ip.String()
}

// key names what is counted, in little memory whatever was typed.
type key [16]byte

func keyOf(parts ...string) key {
	var text []byte
	for _, part := range parts {
		text = binary.BigEndian.AppendUint32(text, uint32(len(part)))
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return key(sum[:len(key{})])
}

// throttleRoom is how many entries there are of each sort, so that a flood cannot eat the memory.
const throttleRoom = 100_000

// makeRoom forgets, when there is no room left, what is old, and if all is new, a tenth of it, whichever comes.
func makeRoom[V any](entries map[key]V, old func(V) bool) {
	if len(entries) < throttleRoom {
		return
	}
	for k, v := range entries {
		if old(v) {
			delete(entries, k)
		}
	}
	for k := range entries {
		if len(entries) < throttleRoom*9/10 {
			return
		}
		delete(entries, k)
	}
}
