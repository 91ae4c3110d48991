package web_test

import (
	"strings"
	"testing"

	"tokendesk/web/webtest"
)

// Test connection says in a sentence what is there, or what is in the way, keeps what was typed, and changes nothing.
func TestTestConnection(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Sampled())
	api, admin := newOwnAPI(t), s.SignedIn(t, ines)
	product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
	there, before := strings.TrimPrefix(api.URL, "http://"), s.Changes(t)
	gone := newOwnAPI(t)
	gone.Close()
	for address, says := range map[string]string{
		api.URL:                        there + " answered 204 No Content in ",
		api.URL + "/base":              there + " answered 204 No Content in ",
		gone.URL:                       strings.TrimPrefix(gone.URL, "http://") + " refuses the connection: nothing listens there.",
		"https://" + there:             there + " does not speak TLS there. Begin the address with http://",
		"http://169.254.169.254":       "169.254.169.254 is not called: ",
		"http://10.0.0.1.invalid":      "There is no host with the name 10.0.0.1.invalid.",
		"http://[::1]:" + there[10:]:   "is not called: ",
		"http://0.0.0.0:" + there[10:]: "is not called: ",
	} {
		a := admin.Post(t, product+"/test", pointing(address, "headers", "X-Product-Pass: open sesame")).Want(t, 200)
		if told := words(a.Page(t).Find("main")); !strings.Contains(told, says) || a.Value(t, "upstream") != address {
			t.Errorf("%s: %.300s", address, told)
		}
	}
	for _, arrived := range api.take() {
		if arrived.Header.Get("X-Product-Pass") != "open sesame" || arrived.Header.Get("X-Tokendesk-Identity") != "" {
			t.Errorf("a test arrives with %v", arrived.Header)
		}
	}
	admin.Post(t, product+"/test", pointing("", "to", "sample")).Want(t, 200).Has(t, "The sample product is there.")
	for _, c := range []struct {
		form        webtest.Form
		field, says string
	}{
		{pointing(""), "upstream", "Enter the product's address"},
		{pointing("ftp://example.com"), "upstream", "must begin with https:// or http://"},
		{pointing("http://user:pw@example.com"), "upstream", "must not hold a user name or a password"},
		{pointing(api.URL, "connect_timeout", "0"), "connect_timeout", "from 1 to 30"},
		{pointing(api.URL, "answer_timeout", "601"), "answer_timeout", "from 1 to 600"},
		{pointing(api.URL, "max_body", "many"), "max_body", "from 1 to 10,240"},
		{pointing(api.URL, "headers", "A: b\nX-Tokendesk-Identity: all"), "headers", "Line 2: The gateway sets or removes X-Tokendesk-Identity itself."},
	} {
		for _, path := range []string{"/test", "/upstream"} {
			c.form["revision"] = "1"
			back := admin.Post(t, product+path, c.form).Want(t, 422)
			if told := back.Problem(t, c.field); !strings.Contains(told, c.says) {
				t.Errorf("%s %v: it says %q", path, c.form, told)
			}
		}
	}
	if s.Changes(t) != before || len(api.take()) > 0 {
		t.Error("a test changed something")
	}
}

// Two who say at once where calls go do not undo one another's work: the second is told, and their form is kept.
func TestTwoWhoPointAProduct(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, first := s.SignedIn(t, ines), productsOf(t, s)[0]
		product := "/w/marlowe-press/settings/products/" + first.ID
		seen := admin.Get(t, product+"/upstream").Want(t, 200).Value(t, "revision")
		point(t, admin, product, pointing("http://one.invalid")).Want(t, 303)
		late := admin.Post(t, product+"/upstream", pointing("http://two.invalid", "revision", seen)).Want(t, 409)
		late.Has(t, "Somebody else has changed this product meanwhile.")
		if late.Value(t, "upstream") != "http://two.invalid" || late.Value(t, "revision") != seen || productsOf(t, s)[0].Upstream != "http://one.invalid" {
			t.Errorf("calls go to %s, and the form has %q of revision %q", productsOf(t, s)[0].Upstream, late.Value(t, "upstream"), late.Value(t, "revision"))
		}
		tested := admin.Post(t, product+"/test", pointing("http://two.invalid", "connect_timeout", "0", "revision", seen)).Want(t, 422)
		if tested.Value(t, "revision") != seen {
			t.Errorf("a test makes the form one of revision %q", tested.Value(t, "revision"))
		}
		for _, none := range []string{"", "x", "1.0"} {
			admin.Post(t, product+"/upstream", pointing("http://two.invalid", "revision", none)).Want(t, 400)
		}
		point(t, admin, product, pointing("http://two.invalid")).Want(t, 303)

		shown := admin.Post(t, product+"/signing-key", keyForm(t, admin.Get(t, product+"/signing-key"))).Want(t, 200)
		admin.Post(t, product+"/upstream", pointing("http://three.invalid", "revision", shown.Value(t, "revision"))).Want(t, 303)
	})
}

// An address to which no call would ever get is not saved, and the form says why, as a test of it does.
func TestAnAddressThatIsNeverCalled(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, before := s.SignedIn(t, ines), productsOf(t, s)[0]
		product := "/w/marlowe-press/settings/products/" + before.ID
		for address, says := range map[string]string{
			"http://[::1]:18095":     "[::1]:18095 is not called: ::1 is this machine itself. The operator of this server can allow it.",
			"http://169.254.169.254": "169.254.169.254 is not called: 169.254.169.254 is link-local",
		} {
			back := point(t, admin, product, pointing(address)).Want(t, 422)
			if told := back.Problem(t, "upstream"); !strings.Contains(told, says) || back.Value(t, "upstream") != address {
				t.Errorf("%s: it says %q", address, told)
			}
			if tested := words(admin.Post(t, product+"/test", pointing(address)).Want(t, 200).Page(t).Find("main")); !strings.Contains(tested, says) {
				t.Errorf("%s: a test says %.300s", address, tested)
			}
		}
		if p := productsOf(t, s)[0]; p.Revision != before.Revision || !p.Sample() {
			t.Errorf("its calls go to %q", p.Upstream)
		}
		point(t, admin, product, pointing("http://not-there-yet.invalid")).Want(t, 303)
	})
}

// Header fields stay in the form that they were typed into until they are saved: when the connection is tested, and when another
// field is wrong. The ones that are kept are never shown.
func TestTypedHeaderFieldsStay(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api, admin := newOwnAPI(t), s.SignedIn(t, ines)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		point(t, admin, product, pointing(api.URL, "headers", "X-Product-Pass: kept before")).Want(t, 303)
		const typed = "X-Product-Pass: open sesame\nX-Other: </textarea><b>"
		for name, c := range map[string]struct {
			path   string
			form   webtest.Form
			status int
		}{
			"a test":           {"/test", pointing(api.URL, "headers", typed), 200},
			"a test in vain":   {"/test", pointing("ftp://x.example", "headers", typed), 422},
			"somebody else":    {"/upstream", pointing(api.URL, "headers", typed, "revision", "1"), 409},
			"a field is wrong": {"/upstream", pointing(api.URL, "headers", typed, "max_body", "many", "revision", "2"), 422},
		} {
			back := admin.Post(t, product+c.path, c.form).Want(t, c.status).HasNot(t, "kept before")
			if shown := back.Page(t).Find("textarea#headers").Text(); shown != typed {
				t.Errorf("%s: the form comes back with %q", name, shown)
			}
		}
		admin.Get(t, product+"/upstream").Want(t, 200).HasNot(t, "open sesame").HasNot(t, "kept before")
	})
}

// Header fields that a product keeps, and that nobody is shown, go to no other address than the one that they were typed for, be
// it only for a test.
func TestKeptFieldsStayWithTheirAddress(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	api, other, admin := newOwnAPI(t), newOwnAPI(t), s.SignedIn(t, ines)
	product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
	send := func(path, address string, more ...string) *webtest.Answer {
		return admin.Post(t, product+path, pointing(address, append(more, "revision", admin.Get(t, product+"/upstream").Value(t, "revision"))...))
	}
	send("/upstream", api.URL, "headers", "X-Product-Pass: open sesame").Want(t, 303)
	for _, path := range []string{"/test", "/upstream"} {
		back := send(path, other.URL).Want(t, 422)
		if told := back.Problem(t, "headers"); !strings.Contains(told, "Type them again for this one") || back.Value(t, "upstream") != other.URL {
			t.Errorf("%s: %q", path, told)
		}
	}
	send("/test", other.URL, "drop_headers", "on").Want(t, 200)
	send("/test", other.URL, "headers", "X-Product-Pass: another").Want(t, 200)
	send("/test", api.URL+"/base").Want(t, 200)
	send("/upstream", "", "to", "sample").Want(t, 303)
	send("/upstream", other.URL).Want(t, 422)
	for _, r := range other.take() {
		if r.Header.Get("X-Product-Pass") == "open sesame" {
			t.Errorf("%s got them", r.URL)
		}
	}
	if got := api.take(); len(got) != 1 || got[0].Header.Get("X-Product-Pass") != "open sesame" {
		t.Errorf("the address that they are for got %d requests", len(got))
	}
}
