package access

import (
	"context"
	"sync"

	"tokendesk/models"
)

// Product is a product with its resources ready to be matched.
type Product struct {
	models.Product
	Routes *Routes
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
	read, err := p.source.Product(ctx, id)
	if err != nil {
		return nil, err
	}
	product = &Product{Product: read, Routes: Compile(read.Resources)}
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
