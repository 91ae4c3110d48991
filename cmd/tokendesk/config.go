package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"text/tabwriter"

	"tokendesk/models/archive"
)

// config is every setting, checked.
type config struct {
	listen          string // HOST:PORT
	metricsListen   string // the same, for /metrics; empty: nowhere
	dataDir         string
	databaseURL     string // empty means SQLite in dataDir
	redisURL        string // where limits are counted for all servers; empty: each has its share
	keyFile         string
	baseURL         string // scheme and host; empty: as the request says
	trustedProxies  []*net.IPNet
	forwardAuthFrom []*net.IPNet
	// forwardAuthIdentity: those proxies are told who calls.
	forwardAuthIdentity bool
	upstreamAllow       []netip.Prefix // where products may be that would be refused otherwise
	otlpEndpoint        *url.URL       // where spans go; nil: nowhere
	traceShare          float64        // of requests, from 0 to 1
	logFormat           string         // "text" or "json"
	replicaName         string         // what this server is called among several
	verifyCache         bool           // calls to products are answered from memory
	cacheEntries        int            // credentials in it
	limits              archive.Limits
}

// setting is one row of the table that --help prints: an environment variable, the flag of the same
// name (TOKENDESK_LISTEN is --listen), its default, and the check that takes its value.
type setting struct {
	name     string
	standard string
	empty    string // what an empty default means
	help     string
	take     func(c *config, value string) error // the error says what would be right
}

// The order matters where a default depends on another setting: the key file is in the data directory.
var settings = []setting{
	{"LISTEN", "127.0.0.1:8080", "", "address and port to listen on", (*config).takeListen},
	{"METRICS_LISTEN", "", "none", "address and port to answer Prometheus on, at /metrics, like 127.0.0.1:9090; whoever reaches it reads it", (*config).takeMetricsListen},
	{"DATA_DIR", "./data", "", "folder for the SQLite database, the key file, and uploads while they are checked", (*config).takeDataDir},
	{"DATABASE_URL", "", "SQLite", "postgres://USER:PASSWORD@HOST:PORT/DATABASE; empty: SQLite in the data directory", (*config).takeDatabaseURL},
	{"REDIS_URL", "", "none", "redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS: servers on one database count limits there together; empty: each has its share of them", (*config).takeRedisURL},
	{"KEY_FILE", "", "key in the data directory", "file with the installation's key, made at the first start; the same for all servers of one database", (*config).takeKeyFile},
	{"BASE_URL", "", "as the request says", "address that people use, like https://desk.example.com; with https, cookies are bound to TLS", (*config).takeBaseURL},
	{"TRUSTED_PROXIES", "", "none", "networks whose X-Forwarded-For is believed, like 10.0.0.0/8,192.0.2.7/32", takeNetworks(func(c *config) *[]*net.IPNet { return &c.trustedProxies })},
	{"FORWARD_AUTH_FROM", "", "none", "networks of proxies that may ask at /forward-auth, like 10.0.0.5/32; whoever can send requests from there can ask too", takeNetworks(func(c *config) *[]*net.IPNet { return &c.forwardAuthFrom })},
	{"FORWARD_AUTH_IDENTITY", "on", "", "on: proxies that ask are told who calls; off: the decision alone, for those that pass nothing on", (*config).takeForwardAuthIdentity},
	{"UPSTREAM_ALLOW", "", "none", "networks where products may be although this machine and its neighbours are refused, like 127.0.0.0/8,::1/128", (*config).takeUpstreamAllow},
	{"COLLECTION_MAX_SIZE", "100MiB", "", "the most that a collection's .zip file may weigh", takeSize(func(c *config) *int64 { return &c.limits.ArchiveBytes })},
	{"COLLECTION_MAX_UNPACKED", "500MiB", "", "the most that its files may weigh together, unpacked", takeSize(func(c *config) *int64 { return &c.limits.TotalBytes })},
	{"COLLECTION_MAX_FILE", "100MiB", "", "the most that one of them may weigh, unpacked", takeSize(func(c *config) *int64 { return &c.limits.FileBytes })},
	{"COLLECTION_MAX_FILES", "10000", "", "the most files and folders in it", (*config).takeMaxFiles},
	{"REPLICA_NAME", "", "the machine's name", "what this server is called where several are listed", (*config).takeReplicaName},
	{"VERIFY_CACHE", "on", "", "on: calls to products are answered from memory, and what is revoked is refused at once all the same; off: each asks the database", (*config).takeVerifyCache},
	{"CACHE_ENTRIES", "1000000", "", "the most credentials to remember, of about 150 bytes each", (*config).takeCacheEntries},
	{"OTLP_ENDPOINT", "", "none", "address of an OpenTelemetry collector that takes spans by OTLP over HTTP, like http://127.0.0.1:4318", (*config).takeOTLPEndpoint},
	{"TRACE_SHARE", "1", "", "the share of requests that are traced, from 0 to 1, where a collector is named", (*config).takeTraceShare},
	{"LOG_FORMAT", "text", "", "text or json", (*config).takeLogFormat},
}

func (s setting) variable() string { return "TOKENDESK_" + s.name }
func (s setting) flag() string     { return strings.ReplaceAll(strings.ToLower(s.name), "_", "-") }

// wrong says that a setting cannot be used: its name, its value, what would be right.
func (s setting) wrong(name, value string, right error) error {
	shown := masked(value)
	if s.name == "DATABASE_URL" || s.name == "REDIS_URL" {
		shown = maskedURL(value)
	}
	return usage{fmt.Sprintf("%s is %q: %s", name, shown, right)}
}

// addFlags makes a flag for every setting, and answers the map from a setting's name to its flag's
// value, which has what was given and nothing else.
func addFlags(flags *flag.FlagSet) map[string]string {
	given := map[string]string{}
	for _, s := range settings {
		flags.Func(s.flag(), s.help, func(value string) error {
			given[s.name] = value
			return nil
		})
	}
	return given
}

// readConfig takes every setting from its flag, its environment variable or its default, in this
// order. A mistake is a usage that names the setting, the value and what would be right.
func readConfig(given map[string]string, env func(string) (string, bool)) (config, error) {
	c := config{limits: archive.DefaultLimits}
	for _, s := range settings {
		name, value := s.variable(), s.standard
		if v, ok := env(s.variable()); ok {
			value = v
		}
		if v, ok := given[s.name]; ok {
			name, value = "--"+s.flag(), v
			if strings.HasPrefix(v, "-") {
				return config{}, s.wrong(name, value, fmt.Errorf("that looks like the next flag, and the value is missing"))
			}
		}
		if err := s.take(&c, value); err != nil {
			return config{}, s.wrong(name, value, err)
		}
	}
	return c, nil
}

// masked is a text that may be shown: what holds an @ may be an address with a password, in a place
// where none belongs.
func masked(value string) string {
	if strings.Contains(value, "@") {
		return maskedURL(value)
	}
	return value
}

// maskedURL is an address without its password, or a remark in its stead where it is not certain
// which part of it that is.
func maskedURL(value string) string {
	const hidden = "(not shown: there may be a password in it)"
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Fragment != "" || strings.Contains(u.Path+u.RawQuery, "@") {
		return hidden
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return hidden
	}
	for name := range query {
		if strings.Contains(strings.ToLower(name), "pass") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}

// printSettings writes the table for --help.
func printSettings(w io.Writer) {
	fmt.Fprintln(w, "Settings (environment variable, flag, default):")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		standard := s.standard
		if standard == "" {
			standard = "(" + s.empty + ")"
		}
		fmt.Fprintf(table, "  %s\t--%s\t%s\t%s\n", s.variable(), s.flag(), standard, s.help)
	}
	table.Flush()
}
