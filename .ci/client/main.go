// Command client is what a stranger writes with a client that was generated from the document: it goes from a bearer token to an API key, and with
// that through the life of a token, an access key, a person, and what is refused.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"example.com/client/api"
)

func main() {
	if err := walk(context.Background(), os.Getenv("SERVER"), os.Getenv("CREDENTIAL")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("All of it was as the document says.")
}

// with is a client that sends a credential in a field.
func with(server, field, value string) (*api.ClientWithResponses, error) {
	return api.NewClientWithResponses(server, api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set(field, value)
		return nil
	}))
}

// step is one call and what must be true of its answer.
type step struct {
	what string
	ok   bool
	body []byte
}

func check(err error, steps ...step) error {
	for _, s := range steps {
		if err == nil && !s.ok {
			err = fmt.Errorf("%s: %s", s.what, s.body)
		}
	}
	return err
}

func walk(ctx context.Context, server, credential string) error {
	first, err := with(server, "Authorization", "Bearer "+credential)
	if err != nil {
		return err
	}
	key, err := first.CreateAPIKeyWithResponse(ctx, nil, api.NewKey{Name: "A stranger's"})
	if err := check(err, step{"generate an API key", err == nil && key.JSON201 != nil && key.JSON201.Token != nil, body(key)}); err != nil {
		return err
	}
	c, err := with(server, "X-API-Key", *key.JSON201.Token)
	if err != nil {
		return err
	}
	if err := errors.Join(who(ctx, c, key.JSON201.Id), tokens(ctx, c), sharing(ctx, server, c), people(ctx, c), refused(ctx, server, c)); err != nil {
		return err
	}
	gone, err := c.DeleteAPIKeyWithResponse(ctx, key.JSON201.Id)
	if err := check(err, step{"delete the key with itself", err == nil && gone.StatusCode() == http.StatusNoContent, nil}); err != nil {
		return err
	}
	after, err := c.GetMeWithResponse(ctx)
	return check(err, step{"the key is refused", err == nil && after.StatusCode() == http.StatusUnauthorized && after.ApplicationproblemJSONDefault != nil &&
		after.ApplicationproblemJSONDefault.Code == "credential_revoked", body(after)})
}

// body is the text of an answer that came.
func body(answer interface{ GetBody() []byte }) []byte {
	defer func() { _ = recover() }() // there was none
	return answer.GetBody()
}

func who(ctx context.Context, c *api.ClientWithResponses, id string) error {
	me, err := c.GetMeWithResponse(ctx)
	return check(err, step{"who I am", err == nil && me.JSON200 != nil && me.JSON200.Credential.Id == id && me.JSON200.Credential.Kind == api.CredentialKindKey, body(me)})
}

// home is the first workspace that there is.
func home(ctx context.Context, c *api.ClientWithResponses) (string, error) {
	one := 1
	list, err := c.ListWorkspacesWithResponse(ctx, &api.ListWorkspacesParams{Limit: &one})
	if err := check(err, step{"list workspaces", err == nil && list.JSON200 != nil && len(list.JSON200.Data) == 1, body(list)}); err != nil {
		return "", err
	}
	return list.JSON200.Data[0].Id, nil
}

func tokens(ctx context.Context, c *api.ClientWithResponses) error {
	workspace, err := home(ctx, c)
	if err != nil {
		return err
	}
	scopes, once := []string{"agents:list"}, "the-first"
	made, err := c.CreateTokenWithResponse(ctx, workspace, &api.CreateTokenParams{IdempotencyKey: &once}, api.NewToken{Name: "Generated", Scopes: &scopes})
	if err := check(err, step{"create a token", err == nil && made.JSON201 != nil && made.JSON201.Token != nil && made.JSON201.ExpiresAt != nil, body(made)}); err != nil {
		return err
	}
	id := made.JSON201.Id
	again, err := c.CreateTokenWithResponse(ctx, workspace, &api.CreateTokenParams{IdempotencyKey: &once}, api.NewToken{Name: "Generated"})
	if err := check(err, step{"not again", err == nil && again.StatusCode() == http.StatusConflict, body(again)}); err != nil {
		return err
	}
	list, err := c.ListTokensWithResponse(ctx, workspace, nil)
	if err := check(err, step{"list tokens", err == nil && list.JSON200 != nil && list.JSON200.Data[0].Id == id && list.JSON200.Data[0].Token == nil, body(list)}); err != nil {
		return err
	}
	off, err := c.DeactivateTokenWithResponse(ctx, id)
	if err := check(err, step{"deactivate", err == nil && off.JSON200 != nil && off.JSON200.Status == api.CredentialStatusInactive, body(off)}); err != nil {
		return err
	}
	on, err := c.ActivateTokenWithResponse(ctx, id)
	if err := check(err, step{"activate", err == nil && on.JSON200 != nil && on.JSON200.Status == api.CredentialStatusActive, body(on)}); err != nil {
		return err
	}
	next, err := c.RegenerateTokenWithResponse(ctx, id, api.Regeneration{})
	if err := check(err, step{"regenerate", err == nil && next.JSON200 != nil && next.JSON200.Token != nil && *next.JSON200.Token != *made.JSON201.Token, body(next)}); err != nil {
		return err
	}
	reason := "the walk is over"
	over, err := c.RevokeTokenWithResponse(ctx, id, api.Revocation{Reason: &reason})
	return check(err, step{"revoke", err == nil && over.JSON200 != nil && over.JSON200.Status == api.CredentialStatusRevoked && *over.JSON200.RevokeReason == reason, body(over)})
}

func sharing(ctx context.Context, server string, c *api.ClientWithResponses) error {
	workspace, err := home(ctx, c)
	if err != nil {
		return err
	}
	list, err := c.ListCollectionsWithResponse(ctx, workspace, nil)
	if err := check(err, step{"list collections", err == nil && list.JSON200 != nil && len(list.JSON200.Data) == 1, body(list)}); err != nil {
		return err
	}
	id := list.JSON200.Data[0].Id
	share, err := c.ShareCollectionWithResponse(ctx, id, nil, api.NewAccessKey{})
	if err := check(err, step{"share", err == nil && share.JSON201 != nil && share.JSON201.Token != nil, body(share)}); err != nil {
		return err
	}
	reader, err := with(server, "X-API-Key", *share.JSON201.Token)
	if err != nil {
		return err
	}
	files, err := reader.ListFilesWithResponse(ctx, id, nil)
	if err := check(err, step{"read the files", err == nil && files.JSON200 != nil && len(files.JSON200.Data) > 0, body(files)}); err != nil {
		return err
	}
	file, err := reader.GetFileWithResponse(ctx, id, files.JSON200.Data[0].Path)
	if err := check(err, step{"read a file", err == nil && file.StatusCode() == http.StatusOK && len(file.Body) == int(files.JSON200.Data[0].Size), body(file)}); err != nil {
		return err
	}
	me, err := reader.GetMeWithResponse(ctx)
	if err := check(err, step{"nothing else", err == nil && me.StatusCode() == http.StatusForbidden, body(me)}); err != nil {
		return err
	}
	over, err := c.DeleteAccessKeyWithResponse(ctx, share.JSON201.Id)
	return check(err, step{"delete the access key", err == nil && over.StatusCode() == http.StatusNoContent, body(over)})
}

func people(ctx context.Context, c *api.ClientWithResponses) error {
	made, err := c.CreatePersonWithResponse(ctx, nil, api.NewPerson{Name: "Ola", Email: "ola@marlowe.example", Role: api.NewPersonRoleMember, Password: "nine brass kettles on a shelf"})
	if err := check(err, step{"add a person", err == nil && made.JSON201 != nil && made.JSON201.Role == api.PersonRoleMember, body(made)}); err != nil {
		return err
	}
	off, err := c.DeactivatePersonWithResponse(ctx, made.JSON201.Id)
	return check(err, step{"deactivate a person", err == nil && off.JSON200 != nil && off.JSON200.Status == api.PersonStatusDeactivated, body(off)})
}

func refused(ctx context.Context, server string, c *api.ClientWithResponses) error {
	bad, err := c.CreatePersonWithResponse(ctx, nil, api.NewPerson{Name: "Ola", Email: "no address", Role: api.NewPersonRoleMember, Password: "short"})
	p := bad.ApplicationproblemJSONDefault
	if err := check(err, step{"bad input", err == nil && p != nil && p.Status == http.StatusUnprocessableEntity && p.Errors != nil && len(*p.Errors) == 2, body(bad)}); err != nil {
		return err
	}
	stranger, err := with(server, "X-API-Key", "nonsense")
	if err != nil {
		return err
	}
	me, err := stranger.GetMeWithResponse(ctx)
	return check(err, step{"no key", err == nil && me.StatusCode() == http.StatusUnauthorized && me.ApplicationproblemJSONDefault.Code == "credential_malformed", body(me)})
}
