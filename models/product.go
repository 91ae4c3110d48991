package models

import (
	"regexp"
	"time"
	"unicode/utf8"
)

// Product is what a workspace's API tokens open: an upstream, and the resources through which it is reached.
type Product struct {
	ID              string `gorm:"primaryKey"`
	WorkspaceID     string
	Name            string
	Prefix          string    // the four characters that its tokens begin with
	Upstream        string    // the address that calls are sent on to; empty: the sample product
	ConnectTimeoutS int       `gorm:"column:connect_timeout_s"` // seconds
	AnswerTimeoutS  int       `gorm:"column:answer_timeout_s"`  // seconds until the header of the answer
	MaxBodyMiB      int       `gorm:"column:max_body_mib"`      // of a call
	PassCredential  bool      // the upstream is sent the credential too
	WebSocket       bool      // calls may become WebSockets
	Headers         []byte    // sealed: fields that each call upstream carries, "Name: value" a line; empty: none
	SigningKey      []byte    // sealed: signs who called; empty: there is none yet
	Resources       Resources `gorm:"serializer:json"`
	Revision        int64
	CreatedAt       time.Time `gorm:"autoCreateTime:false"`
}

// MostProducts is how many products a workspace may have.
const MostProducts = 20

// NewProduct is the product that a workspace is born with: it points to the sample.
func NewProduct(id, workspaceID string, now time.Time) Product {
	return Product{
		ID: id, WorkspaceID: workspaceID, Name: "Product API", Prefix: "prod", ConnectTimeoutS: 3, AnswerTimeoutS: 30, MaxBodyMiB: 2048,
		Headers: []byte{}, SigningKey: []byte{}, Resources: DefaultResources(), Revision: 1, CreatedAt: now,
	}
}

// Sample says whether calls go to the sample product.
func (p Product) Sample() bool { return p.Upstream == "" }

// ProductNaming is the input of naming a product.
type ProductNaming struct{ Name, Prefix string }

var fourCharacters = regexp.MustCompile(`^[a-z0-9]{4}$`)

// Clean trims what was typed and tells everything that is wrong with it.
func (n *ProductNaming) Clean() Problems {
	var p Problems
	n.Name, n.Prefix = CleanText(n.Name), CleanText(n.Prefix)
	p.Add(n.Name == "", "name", "Enter a product name.")
	p.Add(utf8.RuneCountInString(n.Name) > 60, "name", "Product name must be 60 characters or fewer.")
	p.Add(!Printable(n.Name), "name", "Product name has characters that can't be shown. Type it again.")
	p.Add(!fourCharacters.MatchString(n.Prefix), "prefix", "Prefix must be 4 lower-case letters or digits.")
	for _, taken := range kindPrefixes {
		p.Add(n.Prefix == taken, "prefix", "This prefix belongs to another kind of credential. Choose another one.")
	}
	return p
}

// ProductUpstream is the input of where a product's calls go, and how. What is wrong with the address and the fields is
// for the caller to say: reading them takes more than this package may import.
type ProductUpstream struct {
	Upstream                        string
	ConnectTimeoutS, AnswerTimeoutS int
	MaxBodyMiB                      int
	PassCredential, WebSocket       bool
	Headers                         []byte // sealed
	SigningKey                      []byte // sealed; nil: as it is
}

// The limits of a product, which its form tells.
const (
	MostConnectSeconds = 30
	MostAnswerSeconds  = 600
	MostBodyMiB        = 10 << 10
)

// Clean tells what is wrong with the numbers.
func (u *ProductUpstream) Clean() Problems {
	var p Problems
	p.Add(u.ConnectTimeoutS < 1 || u.ConnectTimeoutS > MostConnectSeconds, "connect_timeout", "Time to connect must be a whole number of seconds from 1 to 30.")
	p.Add(u.AnswerTimeoutS < 1 || u.AnswerTimeoutS > MostAnswerSeconds, "answer_timeout", "Time to answer must be a whole number of seconds from 1 to 600.")
	p.Add(u.MaxBodyMiB < 1 || u.MaxBodyMiB > MostBodyMiB, "max_body", "Largest request must be a whole number of MiB from 1 to 10,240.")
	return p
}
