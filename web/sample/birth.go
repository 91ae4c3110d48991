package sample

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"path"
	"strings"
)

//go:embed seed/*.md
var seed embed.FS

// firstAgents are what a workspace begins with.
var firstAgents = []newAgent{
	{Name: "Token Guide", Event: "token-guide", Description: "Answers questions about API tokens.", Instructions: "Say how a token is sent, and why it is shown once."},
	{Name: "Leak Helper", Event: "token-leaked", Description: "Says what to do about a token that leaked.", Instructions: "Say how a token is revoked, and what comes in its place."},
}

var firstIntegration = newIntegration{Type: "chat", Name: "Chat channel", Scope: global, Config: config{"channel": mask}}

const firstQuestion = "How do I send a token?"

// welcome finds the workspace that calls. At its first call it is born, with agents that have run, documents, an
// integration and a conversation, so that every resource has something to show.
func (s *Sample) welcome(ctx context.Context, caller Caller) (call, error) {
	c := call{Caller: caller, now: s.now()}
	err := s.read.QueryRowContext(ctx, "SELECT number FROM tenants WHERE name = ?", c.Workspace).Scan(&c.tenant)
	if !errors.Is(err, sql.ErrNoRows) {
		return c, err
	}
	var made []file
	err = s.change(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "INSERT INTO tenants (name, born_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING number", c.Workspace, c.now).Scan(&c.tenant)
		if errors.Is(err, sql.ErrNoRows) { // another call was quicker
			return tx.QueryRowContext(ctx, "SELECT number FROM tenants WHERE name = ?", c.Workspace).Scan(&c.tenant)
		}
		if err == nil {
			made, err = s.furnish(ctx, tx, c)
		}
		return err
	})
	if err != nil {
		for _, f := range made {
			s.discard(c.tenant, f.ID, f.Size)
		}
	}
	return c, err
}

// furnish gives a new workspace what it begins with. It answers the files that it made, also when it fails.
func (s *Sample) furnish(ctx context.Context, tx querier, c call) (made []file, err error) {
	if made, err = s.addSeed(ctx, tx, c); err != nil {
		return made, err
	}
	for _, n := range firstAgents {
		a, err := s.addAgent(ctx, tx, c, n)
		if err != nil {
			return made, err
		}
		e, err := s.run(ctx, newFinder(tx, c.tenant), c, a, "")
		if err == nil {
			err = s.keep(ctx, tx, c, e)
		}
		if err != nil {
			return made, err
		}
	}
	if err := s.addIntegration(ctx, tx, c, firstIntegration.integration(s.ids.next(c.now), c.now, c.now)); err != nil {
		return made, err
	}
	found, err := lookUp(ctx, tx, c.tenant, firstQuestion)
	if err != nil {
		return made, err
	}
	return made, s.addReply(ctx, tx, c, newMessage{Message: firstQuestion}, &reply{Answer: compose(found), Sources: found})
}

// addSeed uploads the documents that every workspace begins with.
func (s *Sample) addSeed(ctx context.Context, tx querier, c call) (made []file, err error) {
	names, err := fs.Glob(seed, "seed/*.md")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := seed.ReadFile(name)
		if err != nil {
			return made, err
		}
		f := file{ID: s.ids.next(c.now), Name: path.Base(name), CredentialID: c.Credential, CreatedAt: c.now}
		if f.Size, f.SHA256, err = s.receiveFile(c.tenant, f.ID, strings.NewReader(string(text))); err != nil {
			return made, err
		}
		made = append(made, f)
		if err := s.addFile(ctx, tx, c, &f, strings.TrimSpace(string(text))); err != nil {
			return made, err
		}
	}
	return made, nil
}
