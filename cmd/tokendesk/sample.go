package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"tokendesk/models"
	"tokendesk/web/sample"
)

const (
	sampleFile   = "sample.db" // in the data directory
	sampleListen = "127.0.0.1:8090"
	sampleKey    = "TOKENDESK_SAMPLE_KEY" // and no flag: what is typed there, every user of the machine can see
	samplePace   = 20 * time.Millisecond  // between two words of a chat's answer
)

// sampleAlone runs the sample product without the console, for a gateway that is somewhere else.
func sampleAlone(flags *flag.FlagSet) work {
	file := flags.String("file", "", "")
	return func(ctx context.Context, io console, c config, _ []string) error {
		ctx, stop := untilSignal(ctx)
		defer stop()
		key, err := readSampleKey(io.env)
		if err != nil {
			return err
		}
		log := openLog(io, c)
		s, err := openSample(ctx, c, *file, sample.Options{Clock: models.SystemClock, Key: key, Pace: samplePace, Log: log})
		if err != nil && ctx.Err() != nil {
			return nil // told to end before it had begun
		}
		if err != nil {
			return err
		}
		address := sampleAddress(flags, c)
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return errors.Join(listenError("--listen", address, err), s.Close())
		}
		log.Info("the sample is listening", slog.String("address", reachedAt(config{}, listener.Addr())), slog.String("version", programVersion()))
		if key == nil {
			log.Warn("whoever reaches this address is believed to be the gateway: set " + sampleKey + " to the product's signing key")
		}
		finish := func(context.Context) error { return s.Close() }
		return runAll(ctx, finish, answer(sampleServer(s, log), listener, patience, log))
	}
}

// sampleAddress is the address of the flag --listen, or the sample's own: TOKENDESK_LISTEN is the console's.
func sampleAddress(flags *flag.FlagSet, c config) string {
	address := sampleListen
	flags.Visit(func(f *flag.Flag) {
		if f.Name == "listen" {
			address = c.listen
		}
	})
	return address
}

// openSample opens the sample's file, or where none is named the one in the data directory.
func openSample(ctx context.Context, c config, file string, o sample.Options) (*sample.Sample, error) {
	if file == "" {
		if err := makeDataDir(c); err != nil {
			return nil, err
		}
		file = filepath.Join(c.dataDir, sampleFile)
	}
	return sample.Open(ctx, file, o)
}

// readSampleKey reads the key that the gateway signs with, or answers nil where none is set. It quotes nothing of
// one that is wrong.
func readSampleKey(env func(string) (string, bool)) ([]byte, error) {
	text, set := env(sampleKey)
	if !set {
		return nil, nil
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) < sample.LeastKey {
		return nil, usage{sampleKey + " is not a key: use 32 hexadecimal digits or more, like those that openssl rand -hex 32 writes, or unset it to believe every caller"}
	}
	return key, nil
}

// sampleServer serves the sample: a long upload, and a long answer, may take their time.
func sampleServer(s http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    28 << 10, // and 4 KiB that net/http adds
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
