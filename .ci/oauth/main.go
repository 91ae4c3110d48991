// Command oauth is what a stranger writes with a library for OAuth that knows nothing of Tokendesk: a resource server asks about a credential
// (RFC 7662), and whoever holds it ends it (RFC 7009).
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/pkg/client"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

func main() {
	if err := walk(context.Background(), os.Getenv("SERVER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), os.Getenv("CREDENTIAL"), os.Getenv("SUBJECT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("It was introspected and revoked.")
}

// revoker calls the endpoint of revocation.
type revoker struct{ endpoint string }

func (r revoker) GetRevokeEndpoint() string { return r.endpoint }
func (revoker) HttpClient() *http.Client    { return http.DefaultClient }

// anybody does not authenticate: that it holds the credential is the proof.
func anybody(*http.Request) {}

func walk(ctx context.Context, server, id, secret, credential, subject string) error {
	stranger, err := resourceServer(ctx, server, id, secret+"0")
	if err != nil {
		return err
	}
	if _, err := rs.Introspect[*oidc.IntrospectionResponse](ctx, stranger, credential); err == nil {
		return errors.New("a client with a wrong secret is answered")
	}
	known, err := resourceServer(ctx, server, id, secret)
	if err != nil {
		return err
	}
	says := func(token string) (*oidc.IntrospectionResponse, error) {
		return rs.Introspect[*oidc.IntrospectionResponse](ctx, known, token)
	}
	answer, err := says(credential)
	workspace := ""
	if err == nil {
		workspace, _ = answer.Claims["workspace"].(string)
	}
	switch {
	case err != nil:
		return err
	case !answer.Active || answer.Subject != subject || answer.TokenType != "Bearer" || answer.ClientID == "" || answer.IssuedAt.AsTime().IsZero() || len(answer.Scope) == 0 || workspace == "":
		return fmt.Errorf("of a credential that is good it says %+v", answer)
	}
	if answer, err = says("let-me-in"); err != nil || answer.Active {
		return fmt.Errorf("of garbage it says %+v (%v)", answer, err)
	}
	for range 2 { // the second time it is over already
		if err := client.CallRevokeEndpoint(ctx, client.RevokeRequest{Token: credential, TokenTypeHint: "access_token", ClientID: "anybody"}, httphelper.RequestAuthorization(anybody), revoker{server + "/oauth2/revoke"}); err != nil {
			return err
		}
	}
	if answer, err = says(credential); err != nil || answer.Active || answer.Subject != "" || len(answer.Claims) > 1 { // active
		return fmt.Errorf("when it is revoked it says %+v (%v)", answer, err)
	}
	return nil
}

func resourceServer(ctx context.Context, server, id, secret string) (rs.ResourceServer, error) {
	return rs.NewResourceServerClientCredentials(ctx, server, id, secret, rs.WithStaticEndpoints(server+"/oauth2/token", server+"/oauth2/introspect"))
}
