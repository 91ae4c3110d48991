package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/handlers/manage"
	"tokendesk/static"
)

// route is one row of the table: what is asked, who may ask, how errors are told, who answers.
type route struct {
	method  string
	path    string
	name    string
	guard   guard
	voice   voice
	handler echo.HandlerFunc
}

const (
	get  = http.MethodGet
	post = http.MethodPost

	anyMethod = "ANY" // those that a product's resources have; see calls
)

// routes is every address that this server answers. A GET answers HEAD too.
func routes(h *handlers.Handlers) []route {
	api := manage.New(h)
	return append([]route{
		// The way in.
		{get, "/setup", "setup", anyone, asPage, h.SetupPage},
		{post, "/setup", "setup.do", anyone, asPage, h.SetUp},
		{get, "/signin", "signin", anyone, asPage, h.SignInPage},
		{post, "/signin", "signin.do", anyone, asPage, h.SignIn},
		{post, "/signout", "signout", anyone, asPage, h.SignOut},

		// What everybody has.
		{get, "/", "overview", signed, asPage, h.Overview},
		{get, "/account", "account", signed, asPage, h.Account},
		{post, "/account/password", "account.password", signed, asPage, h.ChangePassword},
		{post, "/account/time-zone", "account.zone", signed, asPage, h.SetTimeZone},
		{post, "/account/sessions/:id/end", "account.session.end", signed, asPage, h.EndSession},
		{post, "/account/sign-out", "account.signout", signed, asPage, h.SignOutEverywhere},
		{get, "/account/api-keys", "keys", signed, asPage, h.APIKeys},
		{post, "/account/api-keys", "key.create", signed, asPage, h.CreateAPIKey},
		{get, "/account/api-keys/new", "key.new", signed, asPage, h.NewAPIKey},
		{post, "/account/api-keys/settings", "key.settings", signed, asPage, h.SetKeySettings},
		{get, "/account/api-keys/:id/rename", "key.rename", signed, asPage, h.RenameKeyPage},
		{post, "/account/api-keys/:id/rename", "key.rename.do", signed, asPage, h.RenameKey},
		{get, "/account/api-keys/:id/regenerate", "key.regenerate", signed, asPage, h.RegenerateKeyPage},
		{post, "/account/api-keys/:id/regenerate", "key.regenerate.do", signed, asPage, h.RegenerateKey},
		{get, "/account/api-keys/:id/delete", "key.delete", signed, asPage, h.DeleteKeyPage},
		{post, "/account/api-keys/:id/delete", "key.delete.do", signed, asPage, h.DeleteKey},
		{get, "/account/collection-access-keys/:id/delete", "share.delete", signed, asPage, h.DeleteSharePage},
		{post, "/account/collection-access-keys/:id/delete", "share.delete.do", signed, asPage, h.DeleteShare},
		{get, "/use-the-api", "api-guide", signed, asPage, h.UseTheAPI},
		{get, "/use-the-api/reference", "api-reference", signed, asPage, api.Reference},
		{post, "/preferences/theme", "preferences.theme", anyone, asPage, h.Theme},

		// People, and the bearer token of each.
		{get, "/people", "people", admins, asPage, h.People},
		{post, "/people", "people.create", admins, asPage, h.CreatePerson},
		{get, "/people/new", "people.new", admins, asPage, h.NewPerson},
		{get, "/people/:id", "person", admins, asPage, h.Person},
		{post, "/people/:id", "person.edit", admins, asPage, h.EditPerson},
		{get, "/people/:id/tokens", "person.tokens", admins, asPage, h.PersonTokens},
		{get, "/people/:id/deactivate", "person.deactivate", admins, asPage, h.DeactivatePage},
		{post, "/people/:id/deactivate", "person.deactivate.do", admins, asPage, h.Deactivate},
		{post, "/people/:id/activate", "person.activate.do", admins, asPage, h.Activate},
		{get, "/people/:id/sign-out", "person.signout", admins, asPage, h.SignOutPersonPage},
		{post, "/people/:id/sign-out", "person.signout.do", admins, asPage, h.SignOutPerson},
		{get, "/people/:id/bearer-token", "bearer", admins, asPage, h.BearerPage},
		{post, "/people/:id/bearer-token", "bearer.create", admins, asPage, h.CreateBearer},
		{get, "/people/:id/bearer-token/revoke", "bearer.revoke", admins, asPage, h.RevokePage},
		{post, "/people/:id/bearer-token/revoke", "bearer.revoke.do", admins, asPage, h.RevokeBearer},

		// Every credential of everybody.
		{get, "/credentials", "credentials", admins, asPage, h.Credentials},
		{get, "/credentials.csv", "credentials.csv", admins, asPage, h.CredentialsCSV},
		{post, "/credentials/find", "credentials.find", admins, asPage, h.FindCredential},
		{post, "/credentials/revoke", "credentials.revoke.do", admins, asPage, h.RevokeCredentials},
		{get, "/credentials/:id", "credential", admins, asPage, h.CredentialPage},

		// A workspace. Who may open which is the store's to say.
		{get, "/w/:workspace/settings", "settings", signed, asPage, h.Settings},
		{post, "/w/:workspace/settings", "settings.save", signed, asPage, h.SaveSettings},
		{post, "/w/:workspace/settings/limits", "settings.limits", signed, asPage, h.SaveLimits},
		{get, "/w/:workspace/settings/delete", "workspace.delete", signed, asPage, h.DeleteWorkspacePage},
		{post, "/w/:workspace/settings/delete", "workspace.delete.do", signed, asPage, h.DeleteWorkspace},
		{get, "/w/:workspace/settings/members", "members", signed, asPage, h.Members},
		{post, "/w/:workspace/settings/members", "member.add", signed, asPage, h.AddMember},
		{post, "/w/:workspace/settings/members/:id", "member.change", signed, asPage, h.ChangeMember},
		{get, "/w/:workspace/settings/members/:id/remove", "member.remove", signed, asPage, h.RemoveMemberPage},
		{post, "/w/:workspace/settings/members/:id/remove", "member.remove.do", signed, asPage, h.RemoveMember},
		{get, "/w/:workspace/settings/members/:id/hand-over", "member.owner", signed, asPage, h.HandOverPage},
		{post, "/w/:workspace/settings/members/:id/hand-over", "member.owner.do", signed, asPage, h.HandOver},
		{get, "/w/:workspace/settings/audit", "settings.audit", signed, asPage, h.WorkspaceAudit},
		{get, "/w/:workspace/settings/audit.csv", "settings.audit.csv", signed, asPage, h.AuditCSV},
		{get, "/w/:workspace/settings/audit.jsonl", "settings.audit.jsonl", signed, asPage, h.AuditJSON},
		{get, "/w/:workspace/settings/audit/:number", "settings.event", signed, asPage, h.WorkspaceAuditEvent},

		// Its API tokens.
		{get, "/w/:workspace/settings/api-tokens", "tokens", signed, asPage, h.Tokens},
		{post, "/w/:workspace/settings/api-tokens", "token.create", signed, asPage, h.CreateToken},
		{get, "/w/:workspace/settings/api-tokens/new", "token.new", signed, asPage, h.NewToken},
		{get, "/w/:workspace/settings/api-tokens/:id", "token", signed, asPage, h.Token},
		{post, "/w/:workspace/settings/api-tokens/:id/rename", "token.rename", signed, asPage, h.RenameToken},
		{get, "/w/:workspace/settings/api-tokens/:id/regenerate", "token.regenerate", signed, asPage, h.RegenerateTokenPage},
		{post, "/w/:workspace/settings/api-tokens/:id/regenerate", "token.regenerate.do", signed, asPage, h.RegenerateToken},
		{post, "/w/:workspace/settings/api-tokens/:id/activate", "token.activate", signed, asPage, h.ActivateToken},
		{post, "/w/:workspace/settings/api-tokens/:id/deactivate", "token.deactivate", signed, asPage, h.DeactivateToken},
		{get, "/w/:workspace/settings/api-tokens/:id/revoke", "token.revoke", signed, asPage, h.RevokeTokenPage},
		{post, "/w/:workspace/settings/api-tokens/:id/revoke", "token.revoke.do", signed, asPage, h.RevokeToken},

		// Its automation tokens, which are its members' own.
		{get, "/w/:workspace/settings/automation-tokens", "automations", signed, asPage, h.Tokens},
		{post, "/w/:workspace/settings/automation-tokens", "automation.create", signed, asPage, h.CreateAutomation},
		{get, "/w/:workspace/settings/automation-tokens/new", "automation.new", signed, asPage, h.NewAutomation},
		{get, "/w/:workspace/settings/automation-tokens/:id", "automation", signed, asPage, h.Automation},
		{post, "/w/:workspace/settings/automation-tokens/:id/rename", "automation.rename", signed, asPage, h.RenameAutomation},
		{get, "/w/:workspace/settings/automation-tokens/:id/regenerate", "automation.regenerate", signed, asPage, h.RegenerateAutomationPage},
		{post, "/w/:workspace/settings/automation-tokens/:id/regenerate", "automation.regenerate.do", signed, asPage, h.RegenerateAutomation},
		{post, "/w/:workspace/settings/automation-tokens/:id/activate", "automation.activate", signed, asPage, h.ActivateAutomation},
		{post, "/w/:workspace/settings/automation-tokens/:id/deactivate", "automation.deactivate", signed, asPage, h.DeactivateAutomation},
		{get, "/w/:workspace/settings/automation-tokens/:id/revoke", "automation.revoke", signed, asPage, h.RevokeAutomationPage},
		{post, "/w/:workspace/settings/automation-tokens/:id/revoke", "automation.revoke.do", signed, asPage, h.RevokeAutomation},

		// What they open. Admins say where it is.
		{get, "/w/:workspace/settings/resources", "resources", signed, asPage, h.Resources},
		{post, "/w/:workspace/settings/products", "product.create", signed, asPage, h.CreateProduct},
		{post, "/w/:workspace/settings/products/:id", "product.name", signed, asPage, h.NameProduct},
		{get, "/w/:workspace/settings/products/:id/resources", "product.resources", signed, asPage, h.EditResources},
		{post, "/w/:workspace/settings/products/:id/resources", "product.resources.save", signed, asPage, h.SaveResources},
		{get, "/w/:workspace/settings/products/:id/upstream", "product.upstream", admins, asPage, h.Upstream},
		{post, "/w/:workspace/settings/products/:id/upstream", "product.upstream.save", admins, asPage, h.SaveUpstream},
		{post, "/w/:workspace/settings/products/:id/test", "product.test", admins, asPage, h.TestUpstream},
		{get, "/w/:workspace/settings/products/:id/signing-key", "product.key", admins, asPage, h.SigningKeyPage},
		{post, "/w/:workspace/settings/products/:id/signing-key", "product.key.do", admins, asPage, h.MakeSigningKey},

		// Its collections. Admins change them.
		{get, "/w/:workspace/settings/collections", "collections", signed, asPage, h.Collections},
		{post, "/w/:workspace/settings/collections", "collections.upload", admins, asPage, h.UploadCollection},
		{get, "/w/:workspace/settings/collections/:id", "collection", signed, asPage, h.CollectionPage},
		{get, "/w/:workspace/settings/collections/:id/access-keys/new", "share.new", signed, asPage, h.ShareCollectionPage},
		{post, "/w/:workspace/settings/collections/:id/access-keys", "share.create", signed, asPage, h.ShareCollection},
		{get, "/w/:workspace/settings/collections/:id/versions/:number", "version", signed, asPage, h.CollectionVersion},
		{get, "/w/:workspace/settings/collections/:id/versions/:number/archive", "version.archive", signed, asPage, h.CollectionArchive},
		{get, "/w/:workspace/settings/collections/:id/versions/:number/file", "version.file", signed, asPage, h.CollectionFile},
		{post, "/w/:workspace/settings/collections/:id/versions/:number/current", "version.current", admins, asPage, h.MakeCurrent},
		{get, "/w/:workspace/settings/collections/:id/delete", "collection.delete", admins, asPage, h.DeleteCollectionPage},
		{post, "/w/:workspace/settings/collections/:id/delete", "collection.delete.do", admins, asPage, h.DeleteCollection},

		// What happened.
		{get, "/audit", "audit", admins, asPage, h.Audit},
		{get, "/audit.csv", "audit.csv", admins, asPage, h.AuditCSV},
		{get, "/audit.jsonl", "audit.jsonl", admins, asPage, h.AuditJSON},
		{get, "/audit/:number", "event", admins, asPage, h.AuditEvent},

		// What holds for everybody's credentials.
		{get, "/settings/policies", "policies", admins, asPage, h.Policies},
		{post, "/settings/policies", "policies.save", admins, asPage, h.SavePolicies},
		{get, "/settings/policies/unused", "policies.unused", admins, asPage, h.UnusedKeys},
		{get, "/settings/replicas", "replicas", admins, asPage, h.Replicas},

		// More workspaces.
		{get, "/workspaces/new", "workspace.new", admins, asPage, h.NewWorkspace},
		{post, "/workspaces", "workspace.create", admins, asPage, h.CreateWorkspace},

		// Programs.
		{anyMethod, "/api/*", "gateway", programs, asProblem, nil},
		{get, "/forward-auth", "forward-auth", programs, asProblem, nil},
		{post, "/oauth2/introspect", "oauth.introspect", askingPrograms, asOAuth, nil},
		{post, "/oauth2/revoke", "oauth.revoke", holders, asOAuth, h.RevokeByProtocol},
		{post, "/user/signin", "user.signin", anyone, asStatus, h.SignInByAPI},
		{post, "/user/refresh_token", "user.refresh", anyone, asStatus, h.RenewSignIn},
		{get, "/user/workspaces", "user.workspaces", accountPrograms, asStatus, h.MyWorkspaces},
		{post, "/user/revoke_tokens", "user.revoke", endingPrograms, asStatus, h.RevokeMine},
		{post, "/user/change_password", "user.password", endingPrograms, asStatus, h.ChangePasswordByAPI},
		{get, "/workspace/automation_token", "automation.get", signedInPrograms, asStatus, h.MintAutomation},
		{post, "/workspace/automation_token", "automation.post", signedInPrograms, asStatus, h.MintAutomation},
		{get, "/workspace/restrictions", "restrictions", accountPrograms, asStatus, h.Restrictions},
		{get, "/postman_collection.json", "postman", anyone, asStatus, h.PostmanCollection},
		{get, "/.well-known/jwks.json", "jwks", anyone, asStatus, h.JWKs},
		{get, "/.well-known/tokendesk-secret-patterns.toml", "patterns.gitleaks", anyone, asStatus, h.SecretPatterns},
		{get, "/.well-known/tokendesk-secret-patterns.yaml", "patterns.trufflehog", anyone, asStatus, h.SecretDetectors},
		{post, "/installCollection", "collections.install", adminPrograms, asEnvelope, h.Install},

		// Operations.
		{get, "/healthz", "health", anyone, asPage, h.Health},
		{get, "/readyz", "ready", anyone, asPage, h.Ready},
		{get, static.Prefix + "*", "static", anyone, asPage, h.Static},
	}, managed(api)...)
}

// managed are the rows of the management API, whose operations say who may come in.
func managed(api *manage.API) []route {
	rows := []route{{get, "/v1/openapi.json", "v1.openapi", anyone, asProblem, api.Document}}
	for _, o := range api.Operations() {
		path := strings.NewReplacer("{path}", "*", "{", ":", "}", "").Replace(o.Path)
		rows = append(rows, route{o.Method, path, "v1." + o.ID, guard(o.Who), asProblem, o.Run})
	}
	return rows
}

// verb parts a path of a call that does something with a thing, /v1/people/:id:deactivate, from what it does. Echo knows parameters that
// fill a segment, and nothing else.
func (r route) verb() (path, verb string) {
	at := strings.LastIndexByte(r.path, '/')
	if i := strings.LastIndexByte(r.path, ':'); i > at+1 && strings.HasPrefix(r.path, "/v1/") {
		return r.path[:i], r.path[i+1:]
	}
	return r.path, ""
}
