package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
)

// config is every setting, checked.
type config struct {
	listen         string
	dataDir        string
	databaseURL    string
	keyFile        string
	baseURL        string
	trustedProxies []*net.IPNet
	logFormat      string
}

// setting is one row of the table that --help prints: an environment variable, the flag of the same
// name (TOKENDESK_LISTEN is --listen), its default, and the check that takes its value.
type setting struct {
	name     string
	standard string
	help     string
	take     func(c *config, value string) error
}

// The order matters where a default depends on another setting: the key file is in the data directory.
var settings = []setting{
	{"LISTEN", "127.0.0.1:8080", "address and port to listen on", func(c *config, v string) error {
		host, port, err := net.SplitHostPort(v)
		if err != nil || port == "" {
			return fmt.Errorf("use HOST:PORT, like 127.0.0.1:8080 or :8080")
		}
		if n, err := net.LookupPort("tcp", port); err != nil || n > 65535 {
			return fmt.Errorf("use a port from 0 to 65535, like 8080")
		}
		if host != "" && host != "localhost" && net.ParseIP(host) == nil {
			return fmt.Errorf("use an IP address of this machine, or leave it out to listen on all, like :8080")
		}
		c.listen = v
		return nil
	}},
	{"DATA_DIR", "./data", "folder for the SQLite database, the key file and uploads while they are checked", func(c *config, v string) error {
		if v == "" {
			return fmt.Errorf("name a folder, like ./data")
		}
		c.dataDir = v
		return nil
	}},
	{"DATABASE_URL", "", "postgres://… ; empty: SQLite in the data directory", func(c *config, v string) error {
		if v == "" {
			return nil
		}
		if !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
			return fmt.Errorf("use postgres://USER:PASSWORD@HOST:PORT/DATABASE, or leave it empty for SQLite")
		}
		if _, err := pgx.ParseConfig(v); err != nil {
			return fmt.Errorf("use postgres://USER:PASSWORD@HOST:PORT/DATABASE: this one cannot be read")
		}
		c.databaseURL = v
		return nil
	}},
	{"KEY_FILE", "", "file with the installation's key, made at the first start; the same for all servers of one database (default key in the data directory)", func(c *config, v string) error {
		c.keyFile = v
		if v == "" {
			c.keyFile = filepath.Join(c.dataDir, "key")
		}
		return nil
	}},
	{"BASE_URL", "", "address that people use, like https://desk.example.com; with https cookies are bound to TLS (default: as the request says)", func(c *config, v string) error {
		if v == "" {
			return nil
		}
		u, err := url.Parse(v)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return fmt.Errorf("use scheme and host alone, like https://desk.example.com")
		}
		c.baseURL = u.Scheme + "://" + u.Host
		return nil
	}},
	{"TRUSTED_PROXIES", "", "networks whose X-Forwarded-For is believed, like 10.0.0.0/8,192.0.2.7/32 (default none)", func(c *config, v string) error {
		for _, text := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			_, network, err := net.ParseCIDR(text)
			if err != nil {
				return fmt.Errorf("use networks in CIDR form separated by commas, like 10.0.0.0/8,192.0.2.7/32")
			}
			c.trustedProxies = append(c.trustedProxies, network)
		}
		return nil
	}},
	{"LOG_FORMAT", "text", "text or json", func(c *config, v string) error {
		if v != "text" && v != "json" {
			return fmt.Errorf("use text or json")
		}
		c.logFormat = v
		return nil
	}},
}

func (s setting) variable() string { return "TOKENDESK_" + s.name }
func (s setting) flag() string     { return strings.ReplaceAll(strings.ToLower(s.name), "_", "-") }

// shown is a value for an error message. A database address has a password in it.
func (s setting) shown(value string) string {
	if s.name != "DATABASE_URL" {
		return value
	}
	if u, err := url.Parse(value); err == nil {
		return u.Redacted()
	}
	return "(an address that is not shown, because it may hold a password)"
}

// addFlags makes a flag for every setting. A flag wins over the variable, the variable over the default.
func addFlags(flags *flag.FlagSet) map[string]*string {
	values := make(map[string]*string, len(settings))
	for _, s := range settings {
		values[s.name] = flags.String(s.flag(), "", s.help)
	}
	return values
}

// readConfig takes every setting from its flag, its environment variable or its default. The error
// names the setting, the value and what would be right.
func readConfig(flags *flag.FlagSet, values map[string]*string, env func(string) (string, bool)) (config, error) {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var c config
	for _, s := range settings {
		name, value := s.variable(), s.standard
		if v, ok := env(s.variable()); ok {
			value = v
		}
		if given[s.flag()] {
			name, value = "--"+s.flag(), *values[s.name]
		}
		if err := s.take(&c, value); err != nil {
			return c, fmt.Errorf("%s is %q: %w", name, s.shown(value), err)
		}
	}
	return c, nil
}

// printSettings writes the table for --help.
func printSettings(w io.Writer) {
	fmt.Fprintln(w, "Settings (environment variable, flag, default):")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		standard := s.standard
		if standard == "" {
			standard = "(empty)"
		}
		fmt.Fprintf(table, "  %s\t--%s\t%s\t%s\n", s.variable(), s.flag(), standard, s.help)
	}
	table.Flush()
}
