package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"tokendesk/models"
	"tokendesk/models/limits"
)

// The checks of the settings. Each takes a value into the config, or says what would be right.

func (c *config) takeListen(v string) error {
	c.listen = v
	return listenProblem(v)
}

func (c *config) takeMetricsListen(v string) error {
	c.metricsListen = v
	if v == "" {
		return nil
	}
	return listenProblem(v)
}

// listenProblem says what is wrong with an address to listen on.
func listenProblem(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("use HOST:PORT, like 127.0.0.1:8080, [::1]:8080, or :8080 for all addresses of this machine")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("use a port from 0 to 65535, like 127.0.0.1:8080; 0 takes any that is free")
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return errors.New("use an IP address of this machine, or leave it out to listen on all, like :8080")
	}
	return nil
}

func (c *config) takeDataDir(v string) error {
	if v == "" {
		return errors.New("name a folder, like ./data")
	}
	c.dataDir = v
	return nil
}

// errDatabaseURL is said of an address that is none, here or where the store reads it.
var errDatabaseURL = errors.New("use postgres://USER:PASSWORD@HOST:PORT/DATABASE, or leave it empty for SQLite")

func (c *config) takeDatabaseURL(v string) error {
	if v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errDatabaseURL
	}
	c.databaseURL = v
	return nil
}

func (c *config) takeRedisURL(v string) error {
	c.redisURL = v
	if v == "" {
		return nil
	}
	r, err := limits.Open(v)
	if err != nil {
		return err
	}
	return r.Close()
}

func (c *config) takeKeyFile(v string) error {
	c.keyFile = v
	if v == "" {
		c.keyFile = filepath.Join(c.dataDir, "key")
	}
	return nil
}

func (c *config) takeBaseURL(v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" ||
		u.User != nil || strings.ContainsAny(v, "?#") {
		return errors.New("use scheme and host alone, like https://desk.example.com")
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil && u.Host != u.Hostname() && !strings.HasSuffix(u.Host, "]") {
		return errors.New("use a port up to 65535, or none, like https://desk.example.com")
	}
	c.baseURL = u.Scheme + "://" + strings.ToLower(u.Host)
	return nil
}

// takeNetworks reads networks that requests come from.
func takeNetworks(to func(*config) *[]*net.IPNet) func(*config, string) error {
	return func(c *config, v string) error {
		for _, text := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			_, network, err := net.ParseCIDR(text)
			if err != nil {
				return errors.New("use networks in CIDR form separated by commas, like 10.0.0.0/8,192.0.2.7/32")
			}
			*to(c) = append(*to(c), network)
		}
		return nil
	}
}

func (c *config) takeUpstreamAllow(v string) error {
	for _, text := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return errors.New("use networks in CIDR form separated by commas, like 127.0.0.0/8,::1/128")
		}
		c.upstreamAllow = append(c.upstreamAllow, network.Masked())
	}
	return nil
}

func (c *config) takeLogFormat(v string) error {
	if v != "text" && v != "json" {
		return errors.New("use text or json")
	}
	c.logFormat = v
	return nil
}

// Limits of collections: below the least, nothing could be installed; beyond the most, a zip would need another
// format, and its directory more memory than a request may take.
const (
	leastSize, mostSize   = 1 << 10, 4<<30 - 1
	leastFiles, mostFiles = 1, 65_000
	directoryPerFile      = 400 // bytes in the zip's directory, more or less
)

// takeSize reads a number of bytes into a limit.
func takeSize(limit func(*config) *int64) func(*config, string) error {
	return func(c *config, v string) error {
		n, err := humanize.ParseBytes(v)
		if err != nil || n < leastSize || n > mostSize {
			return errors.New("use a size from 1KiB to just under 4GiB, like 100MiB")
		}
		*limit(c) = int64(n)
		return nil
	}
}

func (c *config) takeMaxFiles(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < leastFiles || n > mostFiles {
		return errors.New("use a number from 1 to 65000, like 10000")
	}
	c.limits.Entries, c.limits.DirectoryBytes = n, max(c.limits.DirectoryBytes, int64(n)*directoryPerFile)
	return nil
}

// secure says whether people reach the console through TLS, and cookies may insist on it.
func (c config) secure() bool { return strings.HasPrefix(c.baseURL, "https://") }

const longestReplicaName = 60 // characters

func (c *config) takeReplicaName(v string) error {
	if !models.Printable(v) || utf8.RuneCountInString(v) > longestReplicaName {
		return fmt.Errorf("use a name of %d characters or fewer, like gw-1", longestReplicaName)
	}
	c.replicaName = v
	return nil
}

func (c *config) takeVerifyCache(v string) error { return takeSwitch(&c.verifyCache, v) }

func (c *config) takeForwardAuthIdentity(v string) error {
	return takeSwitch(&c.forwardAuthIdentity, v)
}

func takeSwitch(to *bool, v string) error {
	if v != "on" && v != "off" {
		return errors.New("use on or off")
	}
	*to = v == "on"
	return nil
}

// mostCacheEntries is more than anybody has memory for.
const mostCacheEntries = 1 << 30

func (c *config) takeCacheEntries(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > mostCacheEntries {
		return errors.New("use a whole number of 1 or more, like 1000000")
	}
	c.cacheEntries = n
	return nil
}
