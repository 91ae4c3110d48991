package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// Limits are counted in a Redis that is reached by TLS, whose certificate an authority of one's own has signed: SSL_CERT_FILE names that authority.
// Without it the doctor says what is wrong, and shows no password; the server starts and goes by its share.
func TestRedisByTLS(t *testing.T) {
	t.Parallel()
	authority, address := redisByTLS(t)
	url := "TOKENDESK_REDIS_URL=rediss://:hunter2@" + address
	each(t, func(t *testing.T, in place) {
		env := []string{url, "TOKENDESK_METRICS_LISTEN=127.0.0.1:0", "SSL_CERT_FILE=" + authority}
		s := in.serve(t, env...)
		token := s.setUp(t).bearerToken(t)
		s.opens(t, token, http.StatusOK)
		s.awaitMetric(t, "tokendesk_limits_together_up 1$")
		s.awaitMetric(t, "tokendesk_limits_together_total [1-9]")
		said := launch(t, in.env(env...), "", "doctor").wait(t)
		if said.code != 0 || !strings.Contains(said.out, "ok     limits at rediss://:xxxxx@"+address+"\n") {
			t.Errorf("exit code %d: %s%s", said.code, said.out, said.err)
		}
		s.stop(t)

		said = launch(t, in.env(url), "", "doctor").wait(t)
		if said.code != 1 || !strings.Contains(said.out, "wrong  limits at rediss://:xxxxx@"+address+": it does not answer: ") || !strings.Contains(said.out, "certificate signed by unknown authority") {
			t.Errorf("without the authority: exit code %d: %s%s", said.code, said.out, said.err)
		}
		if strings.Contains(said.out+said.err, "hunter2") {
			t.Error("it shows the password")
		}
		s = in.serve(t, url, "TOKENDESK_METRICS_LISTEN=127.0.0.1:0")
		s.opens(t, token, http.StatusOK)
		s.awaitMetric(t, "tokendesk_limits_by_share_total [1-9]")
		s.stop(t)
	})
}

// redisByTLS starts Redis, or Valkey, with a certificate for this machine alone, and answers the file with the authority that signed it, and where it is.
func redisByTLS(t *testing.T) (authority, address string) {
	t.Helper()
	program := os.Getenv("TOKENDESK_TEST_REDIS")
	for _, name := range []string{"redis-server", "valkey-server"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		storetest.Missing(t, "neither redis-server nor valkey-server is there")
	}
	dir := t.TempDir()
	certify(t, dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	at := func(name string) string { return filepath.Join(dir, name) }
	redis := exec.Command(program, "--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir, "--requirepass", "hunter2",
		"--tls-cert-file", at("redis.pem"), "--tls-key-file", at("redis.key"), "--tls-ca-cert-file", at("authority.pem"), "--tls-auth-clients", "no")
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = redis.Process.Kill()
		_ = redis.Wait()
	})
	again, late := time.NewTicker(25*time.Millisecond), time.After(enough)
	defer again.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return at("authority.pem"), address
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatal("Redis does not answer")
		}
	}
}

// certify makes an authority and a certificate of 127.0.0.1 that it signs, for an hour.
func certify(t *testing.T, dir string) {
	t.Helper()
	keep := func(name, kind string, der []byte) {
		write(t, filepath.Join(dir, name), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	issue := func(number int64, name string, authority bool, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		of := &x509.Certificate{
			SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
			IsCA: authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		if parent == nil {
			parent, by = of, key
		}
		der, err := x509.CreateCertificate(rand.Reader, of, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made, key
	}
	authority, by := issue(1, "the tests", true, nil, nil)
	of, key := issue(2, "redis", false, authority, by)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keep("authority.pem", "CERTIFICATE", authority.Raw)
	keep("redis.pem", "CERTIFICATE", of.Raw)
	keep("redis.key", "PRIVATE KEY", der)
}
