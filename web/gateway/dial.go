package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// dialer opens connections to addresses that may be products'. What a name stands for is found out once, and every address is judged when it
// is dialled: a name that means something else the next time, or several addresses, gets nobody anywhere.
func (g *Gateway) dialer() *net.Dialer {
	return &net.Dialer{
		Resolver: g.resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return g.admit(at)
		},
	}
}

// deniedError is an address that the gateway does not call.
type deniedError struct {
	address netip.Addr
	because string // the end of a sentence that begins with the address
	always  bool   // whatever an operator allows
}

func (e *deniedError) Error() string { return fmt.Sprintf("%s %s", e.address, e.because) }

// admit judges an address. Private networks are where products live, and are allowed.
func (g *Gateway) admit(at netip.AddrPort) error {
	address := at.Addr().Unmap()
	if slices.ContainsFunc(g.settings.Own, func(own netip.AddrPort) bool { return own.Port() == at.Port() && means(own.Addr().Unmap(), address) }) {
		return &deniedError{address, "is where this server itself listens", true}
	}
	if slices.ContainsFunc(g.settings.Allow, func(allowed netip.Prefix) bool { return allowed.Contains(address) }) {
		return nil
	}
	for _, meant := range []netip.Addr{address, embedded(address)} {
		for _, never := range denied {
			if never.prefix.Contains(meant.WithZone("")) {
				return &deniedError{address, never.because, false}
			}
		}
	}
	return nil
}

// means says whether who listens at own is called at an address: at its own, or, when it listens everywhere, at any of this machine.
func means(own, address netip.Addr) bool {
	if !own.IsUnspecified() {
		return own == address || own.IsLoopback() && address.IsUnspecified() // which most systems take for it
	}
	if address.IsLoopback() || address.IsUnspecified() {
		return true
	}
	local, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(local, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap().WithZone("") == address.WithZone("")
	})
}

// denied are the addresses at which there is never a product, unless an operator says so.
var denied = []struct {
	prefix  netip.Prefix
	because string
}{
	{netip.MustParsePrefix("127.0.0.0/8"), thisMachine},
	{netip.MustParsePrefix("::1/128"), thisMachine},
	{netip.MustParsePrefix("0.0.0.0/8"), thisMachine}, // as most systems take it
	{netip.MustParsePrefix("::/128"), thisMachine},
	{netip.MustParsePrefix("169.254.0.0/16"), linkLocal}, // with what clouds tell their machines at 169.254.169.254
	{netip.MustParsePrefix("fe80::/10"), linkLocal},
	{netip.MustParsePrefix("fec0::/10"), linkLocal},
	{netip.MustParsePrefix("fd00:ec2::/32"), metadata},          // Amazon
	{netip.MustParsePrefix("fd20:ce::254/128"), metadata},       // Google
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), metadata}, // Oracle
	{netip.MustParsePrefix("100.100.100.200/32"), metadata},     // Alibaba
	{netip.MustParsePrefix("168.63.129.16/32"), metadata},       // Azure
	{netip.MustParsePrefix("192.0.0.0/24"), metadata},           // Oracle, and others of IANA's
	{netip.MustParsePrefix("224.0.0.0/4"), many},
	{netip.MustParsePrefix("ff00::/8"), many},
	{netip.MustParsePrefix("240.0.0.0/4"), many}, // with 255.255.255.255
	{netip.MustParsePrefix("64:ff9b:1::/48"), translated},
	{netip.MustParsePrefix("2001::/32"), translated}, // Teredo
}

const (
	thisMachine = "is this machine itself"
	linkLocal   = "is link-local: whoever happens to be on the same wire, or the cloud's own service"
	metadata    = "is a cloud's own service"
	many        = "is no address of one machine"
	translated  = "stands for an address that cannot be told"
)

// embedded is the IPv4 address that an IPv6 address stands for: of NAT64 (RFC 6052), 6to4 (RFC 3056), SIIT (RFC 2765), or the oldest form
// of compatible ones (RFC 4291, section 2.5.5.1). It is the address itself where it stands for none.
func embedded(address netip.Addr) netip.Addr {
	b := address.As16()
	for _, form := range embeddings {
		if form.prefix.Contains(address.WithZone("")) {
			return netip.AddrFrom4([4]byte(b[form.at:]))
		}
	}
	return address
}

var embeddings = []struct {
	prefix netip.Prefix
	at     int // the byte where it begins
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12},
	{netip.MustParsePrefix("::/96"), 12},
}
