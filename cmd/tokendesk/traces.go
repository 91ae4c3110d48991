package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strconv"

	"tokendesk/web/tracing"
)

func (c *config) takeOTLPEndpoint(v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("use the collector's address for OTLP over HTTP, like http://127.0.0.1:4318, without a user or a password")
	}
	c.otlpEndpoint = u
	return nil
}

func (c *config) takeTraceShare(v string) error {
	share, err := strconv.ParseFloat(v, 64)
	if err != nil || !(share >= 0 && share <= 1) {
		return errors.New("use a number from 0 to 1, like 0.1 for one request in ten")
	}
	c.traceShare = share
	return nil
}

// openTracer makes what sends spans; nil where the settings name no collector.
func openTracer(ctx context.Context, c config, log *slog.Logger) (*tracing.Tracer, error) {
	if c.otlpEndpoint == nil {
		return nil, nil
	}
	return tracing.New(ctx, tracing.Settings{Endpoint: c.otlpEndpoint, Share: c.traceShare, Version: programVersion(), Log: log})
}
