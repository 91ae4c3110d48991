package manage

import "reflect"

// leaked is what somebody found where it does not belong.
type leaked struct {
	Credentials []string `json:"credentials" required:"true" minItems:"1" maxItems:"100" description:"Whole credentials of any kind, refresh tokens and sign-in tokens."`
}

// received is the answer to a report, which says nothing of what came.
type received struct {
	Data struct {
		Received int `json:"received" required:"true" description:"How many texts came, whatever they were."`
	} `json:"data" required:"true"`
}

// leaks is the one call that takes no credential: it takes those that are to end.
func (a *API) leaks() []Operation {
	return []Operation{{
		Method: "POST", Path: "/v1/credentials:report", ID: "reportLeaked", Tag: "All credentials", Who: Anyone, Status: 200, Summary: "Have leaked credentials revoked",
		Detail: "It takes no sign-in: holding all of a credential is the proof. Each that is alive is revoked, and the audit log says so. The answer is the same whatever was sent. " +
			"An address may make 60 calls a minute, and send 1,000 credentials an hour.",
		In: reflect.TypeFor[leaked](), Out: reflect.TypeFor[received](), Run: a.h.ReportLeaked,
	}}
}
