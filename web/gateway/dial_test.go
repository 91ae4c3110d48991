package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Which addresses are called: those where products can be, private networks with them; and never those of this machine, of the same wire, of a
// cloud's own services, or of many, however they are written (security rule G8).
func TestAddresses(t *testing.T) {
	t.Parallel()
	g := New(Settings{})
	for _, address := range []string{
		"10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "8.8.8.8", "203.0.113.7", "169.253.255.255", "169.255.0.0", "128.0.0.1", "126.255.255.255", "1.0.0.0", "223.255.255.255",
		"2001:db8::1", "2606:4700::1111", "fd00::1", "fdff::1", "::ffff:10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b::10.0.0.1", "2002:0808:0808::1",
	} {
		if err := g.admit(netip.AddrPortFrom(netip.MustParseAddr(address), 80)); err != nil {
			t.Errorf("%s is denied: %v", address, err)
		}
	}
	for _, address := range []string{
		"127.0.0.1", "127.0.0.53", "127.255.255.255", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"::1", "::", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff05::2", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe",
		"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8",
		"2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:1::1", "::ffff:100.100.100.200", "64:ff9b::e000:1",
	} {
		var denied *deniedError
		if err := g.admit(netip.AddrPortFrom(netip.MustParseAddr(address), 80)); !errors.As(err, &denied) || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s is called: %v", address, err)
		}
	}
}

// What an operator allows is called, and no more; where this server listens itself is not called, whatever is allowed.
func TestAllowedAddresses(t *testing.T) {
	t.Parallel()
	g := New(Settings{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("169.254.7.0/24")},
		Own:   []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:8080"), netip.MustParseAddrPort("10.1.2.3:9090"), netip.MustParseAddrPort("[::]:7070")},
	})
	for at, allowed := range map[string]bool{
		"127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "169.254.7.9:80": true, "169.254.8.1:80": false, "[::127.0.0.1]:80": false, "[64:ff9b::127.0.0.1]:80": false,
		"127.0.0.1:8080": false, "[::1]:8080": false, "[::ffff:127.0.0.1]:8080": false, "0.0.0.0:8080": false, "127.0.0.1:7070": false, "10.1.2.3:9090": false, "10.1.2.3:9091": true, "10.1.2.4:9090": true, "203.0.113.1:8080": true,
	} {
		if err := g.admit(netip.MustParseAddrPort(at)); (err == nil) != allowed {
			t.Errorf("%s: %v", at, err)
		}
	}
	everything := New(Settings{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, Own: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}})
	for at, allowed := range map[string]bool{"127.0.0.1:8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "[::ffff:0.0.0.0]:8080": false, "0.0.0.0:8081": true, "127.0.0.2:8080": true} {
		if err := everything.admit(netip.MustParseAddrPort(at)); (err == nil) != allowed {
			t.Errorf("where everything is allowed, %s: %v", at, err)
		}
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range local {
		address := netip.MustParsePrefix(a.String()).Addr()
		if err := g.admit(netip.AddrPortFrom(address, 8080)); err == nil {
			t.Errorf("this machine is called at %s, where this server listens", address)
		}
	}
}

// A name that means something else each time it is asked, or something good and something bad at once, gets nobody to an address that is
// denied (security rule G8).
func TestNamesThatChange(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][][]string{
		"changes":        {{"192.0.2.1"}, {"127.0.0.1"}},
		"both at once":   {{"127.0.0.1", "127.0.0.2"}},
		"the cloud":      {{"169.254.169.254"}},
		"this machine":   {{"0.0.0.0"}},
		"good, then bad": {{"127.0.0.1"}, {"192.0.2.1"}},
	} {
		d := toProduct(t, (&seen{}).ServeHTTP, nil)
		port := d.up.URL.Port()
		d.settings.Allow = nil
		d.resolver = resolverOf(t, answers)
		reached := func() (conn net.Conn, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if conn, err = d.dialer().DialContext(ctx, "tcp", "product.example:"+port); err == nil {
				conn.Close()
			}
			return conn, err
		}
		for range 6 {
			if conn, err := reached(); err == nil {
				t.Errorf("%s: it got to %s", name, conn.RemoteAddr())
			}
		}
		d.settings.Allow = loopback
		got := false
		for i := 0; i < 20 && !got; i++ { // of two addresses in turn, one leads nowhere
			_, err := reached()
			got = err == nil
		}
		if denied := name == "the cloud" || name == "this machine"; got == denied {
			t.Errorf("%s: where loopback is allowed, it got there: %v", name, got)
		}
	}
}

// resolverOf answers questions for IPv4 addresses with one list after the other.
func resolverOf(t *testing.T, answers [][]string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	var asked atomic.Int64
	go func() {
		for question := make([]byte, 512); ; {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			var addresses []string
			if kind := binary.BigEndian.Uint16(question[12+len("\x07product\x07example\x00"):]); kind == 1 {
				addresses = answers[int(asked.Add(1)-1)%len(answers)]
			}
			_, _ = server.WriteTo(replyTo(question[:n], addresses), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// replyTo is an answer of DNS (RFC 1035, section 4), for a time of no length.
func replyTo(question []byte, addresses []string) []byte {
	end := 12 + len("\x07product\x07example\x00") + 4
	reply := append([]byte{}, question[:end]...)
	copy(reply[2:], []byte{0x81, 0x80, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0})
	for _, address := range addresses {
		a := netip.MustParseAddr(address).As4()
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, a[0], a[1], a[2], a[3])
	}
	return reply
}
