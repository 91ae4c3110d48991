package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"tokendesk/models/archive"
)

// wrongValues is for each setting what it must not be. The password in them is hunter2.
var wrongValues = []struct{ setting, value, shown, right string }{
	{"REPLICA_NAME", "a\tb", `"a\tb"`, "use a name of 60 characters or fewer"},
	{"REPLICA_NAME", strings.Repeat("x", 61), "", "use a name of 60 characters or fewer"},
	{"VERIFY_CACHE", "yes", "", "use on or off"},
	{"FORWARD_AUTH_IDENTITY", "", `""`, "use on or off"},
	{"CACHE_ENTRIES", "0", "", "use a whole number of 1 or more"},
	{"CACHE_ENTRIES", "1e6", "", "use a whole number of 1 or more"},
	{"LISTEN", "", `""`, "use HOST:PORT, like 127.0.0.1:8080"},
	{"LISTEN", "8080", "", "use HOST:PORT, like 127.0.0.1:8080"},
	{"LISTEN", "localhost", "", "use HOST:PORT, like 127.0.0.1:8080"},
	{"LISTEN", "::1:8080", "", "[::1]:8080"},
	{"LISTEN", "127.0.0.1:", "", "use a port from 0 to 65535"},
	{"LISTEN", "127.0.0.1:http", "", "use a port from 0 to 65535"},
	{"LISTEN", "127.0.0.1:65536", "", "use a port from 0 to 65535"},
	{"LISTEN", "127.0.0.1:+80", "", "use a port from 0 to 65535"},
	{"LISTEN", "desk.example.com:80", "", "use an IP address of this machine"},
	{"LISTEN", "http://127.0.0.1:80", "", "use HOST:PORT"},
	{"LISTEN", "postgres://desk:hunter2@db:5432", "postgres://desk:xxxxx@db:5432", "use HOST:PORT"},
	{"LISTEN", "a\nb", `"a\nb"`, "use HOST:PORT"},
	{"METRICS_LISTEN", "9090", "", "use HOST:PORT"},
	{"METRICS_LISTEN", "desk.example.com:9090", "", "use an IP address of this machine"},
	{"DATA_DIR", "", `""`, "name a folder, like ./data"},
	{"DATABASE_URL", "tokendesk.db", "not shown", "use postgres://USER:PASSWORD@HOST:PORT/DATABASE, or leave it empty for SQLite"},
	{"DATABASE_URL", "mysql://desk:hunter2@db/desk", "mysql://desk:xxxxx@db/desk", "use postgres://"},
	{"DATABASE_URL", "POSTGRES://desk:hunter2@db/desk", "postgres://desk:xxxxx@db/desk", "use postgres://"},
	{"DATABASE_URL", "postgres:/desk:hunter2@db/desk", "not shown", "use postgres://"},
	{"DATABASE_URL", "postgres:desk:hunter2@db/desk", "not shown", "use postgres://"},
	{"DATABASE_URL", "desk:hunter2@db/desk", "not shown", "use postgres://"},
	{"DATABASE_URL", "host=db user=desk password=hunter2", "not shown", "use postgres://"},
	{"DATABASE_URL", "mysql://db/desk?password=hunter2", "mysql://db/desk?password=xxxxx", "use postgres://"},
	{"REDIS_URL", "redis:6379", "not shown", "use redis://USER:PASSWORD@HOST:PORT"},
	{"REDIS_URL", "http://desk:hunter2@redis", "http://desk:xxxxx@redis", "use redis://"},
	{"REDIS_URL", "redis://:hunter2@redis:6379/x", "redis://:xxxxx@redis:6379/x", "use redis://"},
	{"REDIS_URL", "desk:hunter2@redis:6379", "not shown", "use redis://"},
	{"BASE_URL", "desk.example.com", "", "use scheme and host alone, like https://desk.example.com"},
	{"BASE_URL", "ftp://desk.example.com", "", "use scheme and host alone"},
	{"BASE_URL", "https://", "", "use scheme and host alone"},
	{"BASE_URL", "https://:443", "", "use scheme and host alone"},
	{"BASE_URL", "https://desk.example.com/console", "", "use scheme and host alone"},
	{"BASE_URL", "https://desk.example.com?a=b", "", "use scheme and host alone"},
	{"BASE_URL", "https://desk.example.com/?", "", "use scheme and host alone"},
	{"BASE_URL", "https://desk.example.com/#", "", "use scheme and host alone"},
	{"BASE_URL", "https://desk.example.com:", "", "use a port up to 65535"},
	{"BASE_URL", "https://desk.example.com:70000", "", "use a port up to 65535"},
	{"BASE_URL", "https://ines:hunter2@desk.example.com", "https://ines:xxxxx@desk.example.com", "use scheme and host alone"},
	{"TRUSTED_PROXIES", "10.0.0.1", "", "use networks in CIDR form"},
	{"TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33", "", "use networks in CIDR form"},
	{"TRUSTED_PROXIES", "10.0.0.0/8;192.0.2.0/24", "", "use networks in CIDR form"},
	{"TRUSTED_PROXIES", "*", "", "use networks in CIDR form"},
	{"FORWARD_AUTH_FROM", "10.0.0.1", "", "use networks in CIDR form"},
	{"COLLECTION_MAX_SIZE", "", `""`, "use a size from 1KiB to just under 4GiB, like 100MiB"},
	{"COLLECTION_MAX_SIZE", "1023", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_SIZE", "4GiB", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_SIZE", "1MiB-", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_SIZE", "100 apples", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_SIZE", "1e99", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_UNPACKED", "much", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_UNPACKED", "99999999999999999999999", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_FILE", "0", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_FILE", "NaN", "", "use a size from 1KiB"},
	{"COLLECTION_MAX_FILES", "0", "", "use a number from 1 to 65000, like 10000"},
	{"COLLECTION_MAX_FILES", "65001", "", "use a number from 1 to 65000"},
	{"COLLECTION_MAX_FILES", "10,000", "", "use a number from 1 to 65000"},
	{"UPSTREAM_ALLOW", "127.0.0.1", "", "use networks in CIDR form separated by commas, like 127.0.0.0/8,::1/128"},
	{"UPSTREAM_ALLOW", "localhost", "", "use networks in CIDR form"},
	{"UPSTREAM_ALLOW", "10.0.0.0/8,10.0.0.0/33", "", "use networks in CIDR form"},
	{"OTLP_ENDPOINT", "127.0.0.1:4318", "", "use the collector's address for OTLP over HTTP, like http://127.0.0.1:4318"},
	{"OTLP_ENDPOINT", "grpc://127.0.0.1:4317", "", "use the collector's address"},
	{"OTLP_ENDPOINT", "http://", "", "use the collector's address"},
	{"OTLP_ENDPOINT", "http://desk:hunter2@127.0.0.1:4318", "http://desk:xxxxx@127.0.0.1:4318", "without a user or a password"},
	{"OTLP_ENDPOINT", "http://127.0.0.1:4318?token=hunter", "", "use the collector's address"},
	{"TRACE_SHARE", "", `""`, "use a number from 0 to 1"},
	{"TRACE_SHARE", "1.5", "", "use a number from 0 to 1"},
	{"TRACE_SHARE", "NaN", "", "use a number from 0 to 1"},
	{"LOG_FORMAT", "", `""`, "use text or json"},
	{"LOG_FORMAT", "JSON", "", "use text or json"},
}

// A wrong setting, from wherever it comes, stops the start with one line: its name, its value, what would
// be right. Nothing was made by then.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{"KEY_FILE": true} // any text may be a path
	for _, c := range wrongValues {
		covered[c.setting] = true
		if c.shown == "" {
			c.shown = `"` + c.value + `"`
		}
		s := setting{name: c.setting}
		t.Run(c.setting+"="+c.value, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			launch(t, in.env(s.variable()+"="+c.value), "").wait(t).wantOneLine(t, 2, "tokendesk: "+s.variable()+" is ", c.shown, c.right)
			in.wantUntouched(t)
			in.run(t, "", "--"+s.flag()+"="+c.value).wantOneLine(t, 2, "tokendesk: --"+s.flag()+" is ", c.shown, c.right)
			in.wantUntouched(t)
		})
	}
	for _, s := range settings {
		if !covered[s.name] {
			t.Errorf("no wrong value of %s is tried", s.name)
		}
	}
}

func (in place) wantUntouched(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(in.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
}

// Only the driver can tell that these are wrong, and what it says of them may quote the password.
func TestUnreadableDatabaseAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, shown string }{
		{"postgres://desk:hunter2@127.0.0.1:x/desk", "not shown"},
		{"postgres://desk:hunter2/3@127.0.0.1/desk", "not shown"},
		{"postgres://desk:hunter2%zz@127.0.0.1/desk", "not shown"},
		{"postgres://desk:hunter2@127.0.0.1:99999/desk", "postgres://desk:xxxxx@127.0.0.1:99999/desk"},
		{"postgres://desk:hunter2@127.0.0.1/desk?sslmode=no", "postgres://desk:xxxxx@127.0.0.1/desk?sslmode=no"},
		{"postgres://127.0.0.1/desk?password=hunter2&sslmode=no", "postgres://127.0.0.1/desk?password=xxxxx&sslmode=no"},
		{"postgres://127.0.0.1/desk?sslmode=no&x=desk:hunter2@127.0.0.1", "not shown"},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			in := place{dir: t.TempDir()}
			for _, command := range []string{"serve", "person list", "migrate status"} {
				args := append(strings.Fields(command), "--database-url", c.url)
				in.run(t, "", args...).wantOneLine(t, 2, "TOKENDESK_DATABASE_URL is ", c.shown, "use postgres://USER:PASSWORD@HOST:PORT/DATABASE")
			}
		})
	}
}

// readAll reads settings as the program does.
func readAll(t *testing.T, env map[string]string, args ...string) (config, error) {
	t.Helper()
	flags := newFlags("serve")
	given := addFlags(flags)
	if _, err := parse(flags, args); err != nil {
		t.Fatal(err)
	}
	return readConfig(given, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

// A flag wins over the variable, in both of its forms, and the variable over the default.
func TestWhereSettingsComeFrom(t *testing.T) {
	env := map[string]string{"TOKENDESK_DATA_DIR": "from-env", "TOKENDESK_LOG_FORMAT": "wrong", "TOKENDESK_BASE_URL": "https://desk.example.com"}
	for _, args := range [][]string{
		{"--data-dir=from-flag", "--log-format=json", "--base-url="},
		{"--data-dir", "from-flag", "--log-format", "json", "--base-url", ""},
		{"-data-dir", "twice", "-log-format", "json", "-base-url=", "-data-dir=from-flag"},
	} {
		c, err := readAll(t, env, args...)
		if err != nil || c.dataDir != "from-flag" || c.logFormat != "json" || c.listen != "127.0.0.1:8080" || c.baseURL != "" || c.keyFile != "from-flag/key" {
			t.Errorf("%q: %+v, %v", args, c, err)
		}
	}
	c, err := readAll(t, nil)
	if err != nil || c.listen != "127.0.0.1:8080" || c.dataDir != "./data" || c.databaseURL != "" || c.keyFile != "data/key" ||
		c.baseURL != "" || c.trustedProxies != nil || c.logFormat != "text" || c.limits != archive.DefaultLimits {
		t.Errorf("defaults: %+v, %v", c, err)
	}
}

// A flag whose value was forgotten does not take the next flag for one.
func TestForgottenValue(t *testing.T) {
	_, err := readAll(t, nil, "--data-dir", "--listen", ":80")
	if err == nil || !strings.Contains(err.Error(), `--data-dir is "--listen": that looks like the next flag`) {
		t.Errorf("got %v", err)
	}
}

// What these settings take, and how it is kept.
func TestGoodSettings(t *testing.T) {
	for _, c := range []struct {
		flag, value string
		kept        func(c config) string
		want        string
	}{
		{"--listen", "[::1]:0", func(c config) string { return c.listen }, "[::1]:0"},
		{"--listen", "[fe80::1%eth0]:80", func(c config) string { return c.listen }, "[fe80::1%eth0]:80"},
		{"--listen", ":65535", func(c config) string { return c.listen }, ":65535"},
		{"--listen", "localhost:80", func(c config) string { return c.listen }, "localhost:80"},
		{"--base-url", "https://desk.example.com/", func(c config) string { return c.baseURL }, "https://desk.example.com"},
		{"--base-url", "HTTPS://Desk.Example.com:8443", func(c config) string { return c.baseURL }, "https://desk.example.com:8443"},
		{"--base-url", "http://[2001:db8::1]", func(c config) string { return c.baseURL }, "http://[2001:db8::1]"},
		{"--database-url", "postgresql://a:1,b:2/desk", func(c config) string { return c.databaseURL }, "postgresql://a:1,b:2/desk"},
		{"--trusted-proxies", " 10.0.0.0/8, 2001:db8::/32,", func(c config) string { return list(c.trustedProxies) }, "10.0.0.0/8 2001:db8::/32"},
		{"--collection-max-size", "1KiB", func(c config) string { return fmt.Sprint(c.limits.ArchiveBytes) }, "1024"},
		{"--collection-max-size", "4294967295", func(c config) string { return fmt.Sprint(c.limits.ArchiveBytes) }, "4294967295"},
		{"--collection-max-unpacked", "1.5 GiB", func(c config) string { return fmt.Sprint(c.limits.TotalBytes) }, "1610612736"},
		{"--collection-max-file", "20mb", func(c config) string { return fmt.Sprint(c.limits.FileBytes) }, "20000000"},
		{"--collection-max-files", "65000", func(c config) string { return fmt.Sprint(c.limits.Entries, c.limits.DirectoryBytes) }, "65000 26000000"},
		{"--collection-max-files", "1", func(c config) string { return fmt.Sprint(c.limits.Entries, c.limits.DirectoryBytes) }, fmt.Sprint(1, archive.DefaultLimits.DirectoryBytes)},
		{"--key-file", "keys/one", func(c config) string { return c.keyFile }, "keys/one"},
	} {
		got, err := readAll(t, nil, c.flag, c.value)
		if err != nil || c.kept(got) != c.want {
			t.Errorf("%s %q is kept as %q, %v; want %q", c.flag, c.value, c.kept(got), err, c.want)
		}
	}
}

func list(networks []*net.IPNet) string {
	var all []string
	for _, n := range networks {
		all = append(all, n.String())
	}
	return strings.Join(all, " ")
}
