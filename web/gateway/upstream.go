package gateway

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"tokendesk/models"
	"tokendesk/models/access"
)

// ParseUpstream reads the address of a product as it was typed: http or https, a host, perhaps a port, perhaps a path that is put before
// that of every call. The error is Invalid, with a sentence for whoever typed. What it gives is in one form, and is read again
// as the same. Whether the address is one that may be called shows when it is dialled.
func ParseUpstream(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if problem := lookOf(text); problem != "" {
		return nil, models.Fail(models.Invalid, "%s", problem)
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return nil, models.Fail(models.Invalid, "The address could not be read. Write it like https://api.example.com:8443/base.")
	}
	if u.User != nil {
		return nil, models.Fail(models.Invalid, "The address must not hold a user name or a password. What the product wants to know goes into a header field.")
	}
	host, problem := upstreamHost(u)
	if problem != "" {
		return nil, models.Fail(models.Invalid, "%s", problem)
	}
	clean := &url.URL{Scheme: strings.ToLower(u.Scheme), Host: host}
	if base := strings.TrimSuffix(u.EscapedPath(), "/"); base != "" {
		path, ok := access.CanonicalPath(base)
		if !ok {
			return nil, models.Fail(models.Invalid, "The path of the address can be read in two ways. Leave out dots, slashes and escapes that are not needed.")
		}
		clean.Path = path.Decoded()
		if clean.EscapedPath() != path.Escaped() {
			clean.RawPath = path.Escaped()
		}
	}
	return clean, nil
}

const longestAddress = 500

// lookOf is what is wrong with an address at first sight.
func lookOf(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	switch {
	case text == "":
		return "Enter the product's address, like https://api.example.com."
	case len(text) > longestAddress:
		return "The address must be " + strconv.Itoa(longestAddress) + " characters or fewer."
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "The address has a space, or a letter that is not one of A to Z. Write a name with other letters in its ASCII form, which begins with xn--."
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return "The address must begin with https:// or http://."
	case rest == "" || rest[0] == '/':
		return "The address has no host. Write it like https://api.example.com."
	case strings.ContainsAny(text, "?#"):
		return "The address must end with its path. Leave out the question mark or hash sign, and what follows it."
	}
	return ""
}

// upstreamHost is the host of an address in one form, with its port.
func upstreamHost(u *url.URL) (host, problem string) {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if number, err := strconv.ParseUint(port, 10, 16); (err != nil || number == 0) && (port != "" || strings.HasSuffix(u.Host, ":")) {
		return "", "The port must be a number from 1 to 65535."
	}
	address, err := netip.ParseAddr(name)
	isAddress := err == nil
	switch {
	case isAddress && address.Zone() != "":
		return "", "The address must not name a network interface of this machine."
	case isAddress && address.Is6():
		name = "[" + address.String() + "]"
	case !isAddress && !validHost(name):
		return "", "The host must be a name like api.example.com, or an IP address."
	}
	if port == "" {
		return name, ""
	}
	return net.JoinHostPort(strings.Trim(name, "[]"), strings.TrimLeft(port, "0")), ""
}

// validHost accepts names of DNS, and the underscores that container networks have in theirs. What ends in a number is no name: some
// would read it as an address in an old way of writing, like 127.1 (URL standard, section 3.5).
func validHost(name string) bool {
	name = strings.TrimSuffix(name, ".")
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' }) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(name) <= 253 && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}
