package handlers

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"tokendesk/models"
	"tokendesk/models/access"
)

// AnyClient is the client_id of every client whose password is an API key: the key alone says whose it is.
const AnyClient = "tokendesk"

// Kinds of credentials that a client authenticates with: its person's, with all of the rights that they have now.
var clientKinds = []models.CredentialKind{models.APIKey, models.Bearer}

// Client finds who asks about credentials, or ends one: the person of an API key or a bearer token. It comes as every call carries it, or as the
// password of a client (RFC 6749, section 2.3.1, client_secret_basic), whose client_id is AnyClient or the credential's own ID. Who only asks is not called by name.
func (h *Handlers) Client(ctx context.Context, header http.Header, address string, asks bool) access.Decision {
	authorization, id := header["Authorization"], ""
	if len(authorization) == 1 {
		var password string
		var basic bool
		if id, password, basic = clientOf(authorization[0]); basic {
			authorization = []string{"Bearer " + password}
		}
	}
	d := h.Gate.Decide(ctx, access.Call{
		Presented: access.Present(authorization, header["X-Api-Key"], header["X-Api-Token"]),
		Need:      access.Need{Kinds: clientKinds, Asks: asks}, Address: address,
	})
	if d.Allowed() && id != "" && id != AnyClient && id != access.TextOf(d.Known.ID) {
		return access.Decision{Code: access.CredentialUnknown, Check: "client", Detail: "The client_id is another than the one of the key: send tokendesk, or the ID of the key."}
	}
	return d
}

// clientOf reads Basic credentials, in which each part is encoded as in a form; of what is none both are empty.
func clientOf(authorization string) (id, password string, basic bool) {
	const scheme = "Basic "
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", "", false
	}
	text, err := base64.StdEncoding.Strict().DecodeString(authorization[len(scheme):])
	if err != nil {
		return "", "", true
	}
	id, password, _ = strings.Cut(string(text), ":")
	id, known := unescaped(id)
	password, good := unescaped(password)
	if !known || !good || id == "" {
		return "", "", true
	}
	return id, password, true
}
