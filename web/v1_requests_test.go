package web_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
)

// request is the address and the body of a call that does something, where it is let through. What it does something to is made for it then.
func (m *managed) request(t *testing.T, row web.Row, id string, c managedCaller, allowed bool) (path, body string) {
	t.Helper()
	m.made++
	unique := strconv.Itoa(m.made)
	thing, second := m.here.ID, ""
	fields := map[string]any{}
	switch id {
	case "setAPIKeySettings":
		fields["expiration_days"] = 30 + m.made%2*30
	case "createAPIKey":
		fields["name"] = "made"
	case "getAPIKey", "renameAPIKey", "regenerateAPIKey", "deleteAPIKey":
		thing = m.keyOf(t, c, allowed)
		if id == "renameAPIKey" {
			fields["name"] = "renamed " + unique
		}
	case "createPerson":
		fields = map[string]any{"name": "New", "email": models.NewID() + "@marlowe.example", "role": "Member", "password": storetest.Password}
	case "getPerson", "editPerson", "deactivatePerson", "activatePerson", "signPersonOut":
		thing = m.aim(t, id, allowed)
		if id == "editPerson" {
			fields["name"] = "Changed " + unique
		}
	case "createWorkspace":
		fields["name"] = "Workspace " + unique
	case "editWorkspace":
		fields["name"] = "Marlowe " + unique
	case "deleteWorkspace":
		return m.at(row, thing, "") + "?name=no", ""
	case "addMember":
		fields = map[string]any{"email": "ines@marlowe.example", "role": "Member"}
		if allowed {
			fields["email"] = m.Person(t, m.Admin, models.Member).Email
		}
	case "getMember", "changeMember", "removeMember", "handOver":
		second = m.member(t, allowed)
		if id == "changeMember" {
			fields["role"] = "Admin"
		}
	case "createProduct":
		fields = map[string]any{"name": "Product " + unique, "prefix": "prod"}
	case "getProduct", "editProduct", "setResources":
		second = m.productID(t)
		if id == "editProduct" {
			fields["name"] = "Product " + unique
		}
		if id == "setResources" {
			fields = map[string]any{"revision": -1, "resources": []any{}}
		}
	case "createToken":
		fields["name"] = "made"
	case "getToken", "renameToken", "regenerateToken", "activateToken", "deactivateToken", "revokeToken":
		thing = m.token(t, id, allowed)
		if id == "renameToken" {
			fields["name"] = "renamed " + unique
		}
	case "getCollection", "listFiles", "getArchive", "listVersions", "listAccessKeysOf":
		thing = m.collection
	case "shareCollection":
		thing = m.collection
		fields["name"] = "for " + unique
	case "getFile":
		return "/v1/collections/" + m.collection + "/files/docs/a.txt", ""
	case "makeCurrent":
		thing, second = m.collection, "1"
	case "deleteCollection":
		return m.at(row, m.collection, "") + "?name=no", ""
	case "deleteAccessKey":
		thing = m.shared(t, allowed)
	case "getCredential", "revokeCredential":
		thing = m.token(t, id, allowed)
	case "revokeCredentials":
		fields["ids"] = []string{m.token(t, id, allowed)}
	case "reportCredentials":
		fields["credentials"] = []string{"found"}
	case "verifyCredentials":
		fields["requests"] = []any{map[string]string{"credential": m.known, "method": "GET", "path": "/api/agent-base"}}
	case "findCredential":
		fields["secret"] = m.known
	case "setPolicy":
		fields = map[string]any{"key_makers": "everyone", "longest_days": map[string]int{"bearer": 0, "api": 0, "automation": 0, "key": 3000 + m.made%2, "collection": 0}, "expiry_required": false, "unused_days": 0}
	case "listAuditEvents":
		return row.Path + "?workspace_id=" + m.here.ID, ""
	case "getAuditEvent":
		return "/v1/audit-events/" + strconv.FormatInt(m.number, 10) + "?workspace_id=" + m.here.ID, ""
	}
	if len(fields) == 0 {
		return m.at(row, thing, second), ""
	}
	text, err := json.Marshal(fields)
	must(t, err)
	return m.at(row, thing, second), string(text)
}

func (m *managed) at(row web.Row, thing, second string) string {
	return strings.NewReplacer(":id", thing, ":person_id", second, ":product_id", second, ":number", second).Replace(row.Path)
}

// keyOf is an API key of the caller's own, where they may have one.
func (m *managed) keyOf(t *testing.T, c managedCaller, allowed bool) string {
	if !allowed {
		return models.NewID()
	}
	key, _ := m.Key(t, storetest.As(c.person), models.NewAPIKey{Name: "aimed at"})
	return key.ID
}

// aim is somebody for a call to do something to.
func (m *managed) aim(t *testing.T, id string, allowed bool) string {
	if !allowed {
		return m.Admin.ID
	}
	person := m.Person(t, m.Admin, models.Member)
	session(t, m.Site, person)
	if id == "activatePerson" {
		_, err := m.DeactivatePerson(t.Context(), m.Admin, person.ID)
		must(t, err)
	}
	return person.ID
}

// member is a member for a call to do something to.
func (m *managed) member(t *testing.T, allowed bool) string {
	if !allowed {
		return m.Admin.ID
	}
	return m.person(t, models.Member, models.WorkspaceMember, false).ID
}

func (m *managed) productID(t *testing.T) string {
	list, err := m.Products(t.Context(), m.Admin, m.here.ID)
	must(t, err)
	return list[0].ID
}

// token is an API token for a call to do something to.
func (m *managed) token(t *testing.T, id string, allowed bool) string {
	if !allowed {
		return m.idle
	}
	made, _ := m.WorkspaceToken(t, m.Admin, m.here.ID, models.NewAPIToken{Name: "aimed at"})
	if id == "activateToken" {
		_, err := m.SwitchAPIToken(t.Context(), m.Admin, m.here.ID, made.ID, false)
		must(t, err)
	}
	return made.ID
}

// shared is an access key that the Admin made.
func (m *managed) shared(t *testing.T, allowed bool) string {
	if !allowed {
		return m.share
	}
	made, _ := m.Share(t, m.Admin, m.collection, "")
	return made.ID
}

// settle brings back what the next callers need as it was.
func (m *managed) settle(t *testing.T, id string) {
	t.Helper()
	var err error
	switch id {
	case "handOver":
		_, err = m.HandOver(t.Context(), m.Admin, m.here.ID, m.owner)
	case "makeCurrent":
		_, err = m.MakeCurrent(t.Context(), m.Admin, m.here.ID, m.collection, 2)
	}
	must(t, err)
}
