package gateway

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// foresight is the longest that looking a name up may take while somebody waits for their form.
const foresight = 2 * time.Second

// Foresee says why no call will ever get to an address as ParseUpstream gives it, in a sentence for whoever typed it. It is empty where calls
// may get there, and where that cannot be told: a name that nobody knows yet may be known tomorrow. It spares people a
// surprise and protects nothing: what counts is the address that is dialled, each time.
func (g *Gateway) Foresee(ctx context.Context, u *url.URL) string {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		port = map[string]uint64{"http": 80, "https": 443}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, foresight)
	defer cancel()
	addresses, err := g.resolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return ""
	}
	var told string
	for _, address := range addresses {
		said := notCalled(u, g.admit(netip.AddrPortFrom(address, uint16(port))))
		if said == "" {
			return ""
		}
		told = said
	}
	return told
}
