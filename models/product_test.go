package models

import (
	"strings"
	"testing"
)

// A workspace's first product has what every one begins with: the prefix of the documents, the sample behind it, limits that
// its own forms would take, resources of its own.
func TestNewProduct(t *testing.T) {
	p := NewProduct("x1", "w1", noon)
	if p.ID != "x1" || p.WorkspaceID != "w1" || p.CreatedAt != noon || p.Prefix != "prod" || p.Revision != 1 || !p.Sample() || p.PassCredential || p.WebSocket || p.Headers == nil || p.SigningKey == nil {
		t.Errorf("it is %+v", p)
	}
	n, u := ProductNaming{p.Name, p.Prefix}, ProductUpstream{ConnectTimeoutS: p.ConnectTimeoutS, AnswerTimeoutS: p.AnswerTimeoutS, MaxBodyMiB: p.MaxBodyMiB}
	if problems := append(append(n.Clean(), u.Clean()...), p.Resources.Clean()...); len(problems) > 0 || len(p.Resources) != 8 {
		t.Errorf("its own forms find %v", problems)
	}
	p.Resources[0].Name = "Other"
	if NewProduct("x2", "w1", noon).Resources[0].Name != "Agents" {
		t.Error("two products share their resources")
	}
	if (Product{Upstream: "https://x.example"}).Sample() {
		t.Error("a product with an address is the sample")
	}
}

// A product has a name that can be shown and a prefix of four lower-case letters or digits, which tells its tokens from all
// other credentials.
func TestProductNaming(t *testing.T) {
	const prefix, taken = "Prefix must be 4 lower-case letters or digits.", "This prefix belongs to another kind of credential. Choose another one."
	for _, c := range []struct{ name, prefix, field, says string }{
		{" Billing \t API ", " bill ", "", ""},
		{strings.Repeat("é", 60), "0000", "", ""},
		{"a", "a1b2", "", ""},
		{"a", "prod", "", ""},
		{"", "bill", "name", "Enter a product name."},
		{" \n", "bill", "name", "Enter a product name."},
		{strings.Repeat("é", 61), "bill", "name", "Product name must be 60 characters or fewer."},
		{"a\u202eb", "bill", "name", "Product name has characters that can't be shown. Type it again."},
		{"a\x00", "bill", "name", "Product name has characters that can't be shown. Type it again."},
		{"a", "", "prefix", prefix},
		{"a", "bil", "prefix", prefix},
		{"a", "billi", "prefix", prefix},
		{"a", "Bill", "prefix", prefix},
		{"a", "bi_l", "prefix", prefix},
		{"a", "bi l", "prefix", prefix},
		{"a", "bıll", "prefix", prefix},
		{"a", "bill\n\nx", "prefix", prefix},
		{"a", "user", "prefix", taken},
		{"a", "auto", "prefix", taken},
		{"a", "pkey", "prefix", taken},
		{"a", "coll", "prefix", taken},
	} {
		n := ProductNaming{c.name, c.prefix}
		problems := n.Clean()
		switch {
		case c.field == "" && (len(problems) > 0 || n.Name != CleanText(c.name) || n.Prefix != strings.TrimSpace(c.prefix)):
			t.Errorf("%q, %q: %+v with %v", c.name, c.prefix, n, problems)
		case c.field != "" && (len(problems) != 1 || problems[0] != (Field{c.field, c.says})):
			t.Errorf("%q, %q: %v, want %s", c.name, c.prefix, problems, c.says)
		}
	}
	if problems := (&ProductNaming{}).Clean(); len(problems) != 2 {
		t.Errorf("of nothing is told %v", problems)
	}
}

// The numbers of a product have bounds, and every one that is out of them is told.
func TestProductUpstream(t *testing.T) {
	for _, c := range []struct {
		connect, answer, body int
		fields                string
	}{
		{1, 1, 1, ""},
		{MostConnectSeconds, MostAnswerSeconds, MostBodyMiB, ""},
		{0, 1, 1, "connect_timeout"},
		{31, 1, 1, "connect_timeout"},
		{1, 0, 1, "answer_timeout"},
		{1, 601, 1, "answer_timeout"},
		{1, 1, 0, "max_body"},
		{1, 1, 10_241, "max_body"},
		{-1, -1, -1, "connect_timeout answer_timeout max_body"},
	} {
		u := ProductUpstream{ConnectTimeoutS: c.connect, AnswerTimeoutS: c.answer, MaxBodyMiB: c.body}
		var told []string
		for _, p := range u.Clean() {
			told = append(told, p.Name)
		}
		if strings.Join(told, " ") != c.fields {
			t.Errorf("%+v: told of %q", u, told)
		}
	}
}
