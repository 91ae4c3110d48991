package manage

import (
	"net/http"
	"reflect"
)

// leaked is what somebody found where it does not belong.
type leaked struct {
	Credentials []string `json:"credentials" required:"true" minItems:"1" maxItems:"100" description:"Whole credentials."`
}

type received struct {
	Data countReceived `json:"data" required:"true"`
}

type countReceived struct {
	Received int `json:"received" required:"true" description:"How many came, whatever they were."`
}

func (a *API) leaks() []Operation {
	return []Operation{{
		Method: "POST", Path: "/v1/credentials:report", ID: "reportCredentials", Tag: "What was leaked", Who: Anyone, Status: http.StatusOK, Summary: "Have leaked credentials revoked",
		Detail: "It takes no sign-in: whoever holds all of a credential may have it revoked. The answer is the same whatever was sent. An address may make 60 calls a minute, and send 1,000 credentials an hour.",
		In:     reflect.TypeFor[leaked](), Out: reflect.TypeFor[received](), Run: a.h.ReportLeaked,
	}}
}
