package access

import (
	"context"
	"slices"
	"sync"

	"tokendesk/models"
)

// Product is a product with its resources ready to be matched.
type Product struct {
	models.Product
	Routes *Routes
	Scopes models.Scopes // of all its operations
	every  string        // the same as one text
	seq    int64         // the newest event that it can have seen
}

func ready(read models.Product, asOf models.Snapshot) *Product {
	p := &Product{Product: read, Routes: Compile(read.Resources), seq: asOf.Seq}
	for _, resource := range read.Resources {
		for _, o := range resource.Operations {
			if scope := resource.Scope(o.Name); !slices.Contains(p.Scopes, scope) { // an operation may have several patterns
				p.Scopes = append(p.Scopes, scope)
			}
		}
	}
	p.every = p.Scopes.String()
	return p
}

// mostKept is how many products are kept ready. Another one takes the place of any.
const mostKept = 1000

// products keeps products ready, each as of its revision.
type products struct {
	source Source
	mu     sync.RWMutex
	ready  map[string]*Product
}

// at is a product as of a revision, or a later one.
func (p *products) at(ctx context.Context, id string, revision int64) (*Product, error) {
	p.mu.RLock()
	product := p.ready[id]
	p.mu.RUnlock()
	if product != nil && product.Revision >= revision {
		return product, nil
	}
	product, err := p.read(ctx, id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := p.ready[id]; kept != nil && kept.Revision > product.Revision {
		return kept, nil
	}
	for other := range p.ready {
		if len(p.ready) < mostKept {
			break
		}
		delete(p.ready, other)
	}
	p.ready[id] = product
	return product, nil
}

// read reads one, and makes it ready.
func (p *products) read(ctx context.Context, id string) (*Product, error) {
	read, asOf, err := p.source.ProductAsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return ready(read, asOf), nil
}
