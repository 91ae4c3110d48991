package gateway

import (
	"net/url"
	"strings"
)

// relocate is where a product's redirect leads a caller, who knows the gateway's address and not the product's: an address below the
// product's own becomes the path by which the gateway reaches it, where it does: below /api/. Any other stays as it is.
func (l *line) relocate(location string) string {
	to, err := url.Parse(location)
	if err != nil || to.User != nil || to.Opaque != "" {
		return location
	}
	switch {
	case to.Host == "" && to.Scheme == "" && l.escaped != "" && strings.HasPrefix(location, "/"): // a path of the product's host
	case strings.EqualFold(to.Scheme, l.url.Scheme) && (strings.EqualFold(to.Host, l.url.Host) || l.host != "" && strings.EqualFold(to.Host, l.host)):
	default:
		return location
	}
	path, below := strings.CutPrefix(to.EscapedPath(), l.escaped)
	if !below || !strings.HasPrefix(path, "/api/") || climbs(path) {
		return location
	}
	rest := &url.URL{RawQuery: to.RawQuery, ForceQuery: to.ForceQuery, Fragment: to.Fragment, RawFragment: to.RawFragment}
	return path + rest.String()
}

// climbs says whether a path leads upwards, however it is escaped: to browsers those are one.
func climbs(escaped string) bool {
	for part := range strings.SplitSeq(escaped, "/") {
		if plain, err := url.PathUnescape(part); err != nil || plain == "." || plain == ".." {
			return true
		}
	}
	return false
}
