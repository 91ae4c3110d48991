package web_test

import (
	"strconv"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// forms is a form for each POST of a page that changes something.
func (m matrix) forms(t *testing.T, owner, aim models.Person) map[string]webtest.Form {
	t.Helper()
	unique, product := models.NewID(), m.product(t)
	return map[string]webtest.Form{
		"setup.do":             {"code": "x", "name": "Mallory", "email": "m@marlowe.example", "password": storetest.Password, "workspace": "M"},
		"signin.do":            {"email": "ines@marlowe.example", "password": storetest.Password},
		"signout":              {},
		"account.password":     {"current_password": storetest.Password, "new_password": "seven green bicycles under a bridge"},
		"account.session.end":  {},
		"account.signout":      {},
		"preferences.theme":    {"theme": "dark"},
		"oauth.revoke":         {"token": "found"},
		"people.create":        {"name": "New", "email": unique + "@marlowe.example", "role": "Member", "password": storetest.Password},
		"person.edit":          {"name": "Changed " + unique, "email": aim.Email, "role": string(aim.Role)},
		"person.deactivate.do": {},
		"person.activate.do":   {},
		"person.signout.do":    {},
		"bearer.create":        {"form_id": secret.FormID()},
		"bearer.revoke.do":     {"reason": "a test"},
		"settings.save":        {"name": "Marlowe " + unique},
		"member.add":           {"email": aim.Email, "role": "Member"},
		"member.change":        {"role": "Admin"},
		"member.remove.do":     {},
		"member.owner.do":      {},
		"workspace.create":     {"name": "Workspace " + unique},
		"version.current":      {},

		"account.zone":             {"time_zone": []string{"Europe/London", "Asia/Tokyo"}[product.Revision%2]},
		"settings.limits":          {"calls_a_minute": strconv.FormatInt(1000+m.Changes(t), 10)},
		"workspace.delete.do":      {"typed": doomed},
		"token.create":             {"name": "A token", "expiration": "1w", "access": "all", "form_id": secret.FormID()},
		"token.rename":             {"name": "Named " + unique},
		"token.regenerate.do":      {"form_id": secret.FormID()},
		"token.activate":           {},
		"token.deactivate":         {},
		"token.revoke.do":          {"reason": "a test"},
		"automation.create":        {"name": "A token", "expiration_period": "24h", "form_id": secret.FormID()},
		"automation.rename":        {"name": "Named " + unique},
		"automation.regenerate.do": {"form_id": secret.FormID()},
		"automation.activate":      {},
		"automation.deactivate":    {},
		"automation.revoke.do":     {"reason": "a test"},
		"credentials.find":         {"secret": "what nobody has"},
		"credentials.revoke.do":    {"id": m.workspace.token, "confirm": "1", "reason": "a test"},
		"product.create":           {"name": "Another " + unique, "prefix": unique[len(unique)-4:]},
		"product.name":             {"name": "Product " + unique, "prefix": product.Prefix},
		"product.resources.save":   resourcesForm(unique, product),
		"product.upstream.save":    upstreamForm(unique, product),
		"product.test":             upstreamForm(unique, product),
		"product.key.do":           {"form_id": secret.FormID(), "revision": strconv.FormatInt(product.Revision, 10)},
		"collection.delete.do":     {"typed": collectionName},
		"key.create":               {"name": "A key", "form_id": secret.FormID()},
		"key.settings":             {"expiration_days": "custom", "days": strconv.FormatInt(100+m.Changes(t), 10)},
		"key.rename.do":            {"name": "Named " + unique},
		"key.regenerate.do":        {"form_id": secret.FormID()},
		"key.delete.do":            {"reason": "a test"},
		"share.create":             {"name": "A share", "form_id": secret.FormID()},
		"share.delete.do":          {"reason": "a test"},
		"policies.save":            {"key_makers": "everyone", "key_life": "each", "longest_bearer_days": strconv.FormatInt(400+m.Changes(t)%1000, 10), "reason": "a test"},
	}
}

// resourcesForm leaves a product one resource, and says that what is lost by it is meant to be.
func resourcesForm(unique string, p models.Product) webtest.Form {
	text := "Things (things)\n  list GET /api/things/" + unique
	to, _ := models.ParseResources(text)
	return webtest.Form{"resources": text, "revision": strconv.FormatInt(p.Revision, 10), "lose": strings.Join(p.Resources.Loss(to).Scopes, " ")}
}

func upstreamForm(unique string, p models.Product) webtest.Form {
	return pointing("http://"+unique+".invalid", "revision", strconv.FormatInt(p.Revision, 10))
}
