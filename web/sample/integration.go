package sample

import (
	"regexp"
	"strings"
	"time"
)

// scope says for which products an integration is.
type scope string

const (
	local  scope = "local"  // one product, where it stands before the global one of its type
	global scope = "global" // all of them
)

// integration is a connection to another system. The sample makes none: it keeps which there should be.
type integration struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Name      string    `json:"name"`
	Scope     scope     `json:"scope"`
	ProductID string    `json:"product_id"` // empty when global
	Active    bool      `json:"active"`
	Config    config    `json:"config"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// config is what an integration needs to connect, any of which may be a secret. The sample has no use for it, so
// it keeps masks only, and cannot lose what it does not have.
type config map[string]string

// newIntegration is what a caller says of an integration, to create it or to change it.
type newIntegration struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	Scope     scope  `json:"scope"`
	ProductID string `json:"product_id"`
	Active    *bool  `json:"active"` // true where it is left out
	Config    config `json:"config"`
}

const (
	mask        = "…"
	mostMembers = 20    // of a config
	longestItem = 4_000 // bytes of one of its values
)

var typeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

func (n *newIntegration) clean() error {
	n.Name, n.ProductID = strings.TrimSpace(n.Name), strings.TrimSpace(n.ProductID)
	if n.Name == "" {
		n.Name = n.Type
	}
	if n.Config == nil {
		n.Config = config{}
	}
	var p problems
	p.add(!typeName.MatchString(n.Type), "type is up to 40 lowercase letters, digits, hyphens and underscores, like chat.")
	p.add(!isLine(n.Name), "name is one line of up to 100 characters.")
	p.add(n.Scope != local && n.Scope != global, "scope is local, for one product, or global, for all.")
	p.add(n.Scope == local && n.ProductID == "", "A local integration says for which product, in product_id.")
	p.add(n.Scope == global && n.ProductID != "", "A global integration has no product_id.")
	p.add(!isLine(n.ProductID), "product_id is one line of up to 100 characters.")
	p.add(len(n.Config) > mostMembers, "config has up to 20 members.")
	for name, value := range n.Config {
		p.add(!isLine(name) || len(value) > longestItem, "In config, a name is one line of up to 100 characters, and a value has up to 4000 bytes.")
	}
	if err := p.err(); err != nil {
		return err
	}
	for name, value := range n.Config {
		n.Config[name] = masked(value)
	}
	return nil
}

// masked is a value as it is kept: the last four characters of those that are long enough not to be given away by
// them. A mask stays the same, so that what was read can be sent back.
func masked(value string) string {
	runes := []rune(value)
	switch {
	case strings.HasPrefix(value, mask) && len(runes) <= 5:
		return value
	case len(runes) < 16:
		return mask
	}
	return mask + string(runes[len(runes)-4:])
}

// integration is what comes of it: a new one, or an old one's new content.
func (n newIntegration) integration(id string, createdAt, updatedAt time.Time) integration {
	return integration{
		ID: id, Type: n.Type, Name: n.Name, Scope: n.Scope, ProductID: n.ProductID, Active: n.Active == nil || *n.Active,
		Config: n.Config, CreatedAt: createdAt, UpdatedAt: updatedAt,
	}
}
