package storetest

import (
	"context"
	"sync"

	"tokendesk/models/secret"
)

// remembering is the real hasher, which hashes each password of the tests once in a process: the
// hundredth world has the same hash of the same password as the first. Comparing is the real thing,
// remembered too; a pair that was not seen before is computed.
var remembering = &passwords{Hasher: secret.NewHasher(0, 1000)}

type passwords struct {
	*secret.Hasher
	hashes   sync.Map // password -> PHC
	verdicts sync.Map // [2]string{PHC, password} -> verdict
}

type verdict struct{ ok, rehash bool }

func (p *passwords) Hash(ctx context.Context, password string) (string, error) {
	if phc, ok := p.hashes.Load(password); ok {
		return phc.(string), nil
	}
	phc, err := p.Hasher.Hash(ctx, password)
	if err == nil {
		p.hashes.Store(password, phc)
	}
	return phc, err
}

func (p *passwords) Verify(ctx context.Context, phc, password string) (bool, bool, error) {
	key := [2]string{phc, password}
	if v, ok := p.verdicts.Load(key); ok {
		return v.(verdict).ok, v.(verdict).rehash, nil
	}
	ok, rehash, err := p.Hasher.Verify(ctx, phc, password)
	if err == nil {
		p.verdicts.Store(key, verdict{ok, rehash})
	}
	return ok, rehash, err
}
