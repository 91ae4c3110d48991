package manage

import (
	"tokendesk/models"
)

// policy is what Admins decided for everybody. It applies to what is made from then on.
type policy struct {
	KeyMakers      string      `json:"key_makers" required:"true" enum:"nobody,admins,everyone" description:"Who may generate API keys."`
	KeyDays        *int        `json:"key_days,omitempty" minimum:"0" maximum:"36500" description:"How many days everybody's new API keys live, 0: without end. Left out: as each person chooses."`
	LongestDays    longestDays `json:"longest_days" required:"true" description:"How many days a new credential of each kind lives at most; 0: no limit."`
	ExpiryRequired bool        `json:"expiry_required" required:"true" description:"Whether everything new must expire."`
	UnusedDays     int         `json:"unused_days" required:"true" minimum:"0" maximum:"36500" description:"API keys that were not used for so many days are revoked; 0: none are."`
}

type longestDays struct {
	Bearer     int `json:"bearer" required:"true" minimum:"0" maximum:"36500"`
	API        int `json:"api" required:"true" minimum:"0" maximum:"36500"`
	Automation int `json:"automation" required:"true" minimum:"0" maximum:"36500"`
	Key        int `json:"key" required:"true" minimum:"0" maximum:"36500"`
	Collection int `json:"collection" required:"true" minimum:"0" maximum:"36500"`
}

type newPolicy struct {
	policy
	Reason string `json:"reason,omitempty" maxLength:"200" description:"Kept in the audit log."`
}

func policyOf(p models.Policy) policy {
	return policy{
		KeyMakers: string(p.KeyMakers), KeyDays: p.KeyDays, ExpiryRequired: p.ExpiryRequired, UnusedDays: p.UnusedDays,
		LongestDays: longestDays{p.LongestBearerDays, p.LongestAPIDays, p.LongestAutomationDays, p.LongestKeyDays, p.LongestCollectionDays},
	}
}

func (a *API) policies() []Operation {
	const tag = "Policy"
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/policy", ID: "getPolicy", Tag: tag, Who: People, Summary: "What Admins decided for everybody's credentials"}, a.policy),
		op(Operation{Method: "PUT", Path: "/v1/policy", ID: "setPolicy", Tag: tag, Who: Admins, Summary: "Decide for everybody's credentials",
			Detail: "It applies to what is made from then on. Send all of it: what is left out is as if it were 0 or false."}, a.setPolicy),
	}
}

func (a *API) policy(r request, _ nothing) (policy, error) {
	p, err := a.h.Store.Policy(r.ctx)
	return policyOf(p), err
}

func (a *API) setPolicy(r request, in newPolicy) (policy, error) {
	p, err := a.h.Store.SetPolicy(r.ctx, r.who, models.PolicyEdit{Policy: models.Policy{
		KeyMakers: models.KeyMakers(in.KeyMakers), KeyDays: in.KeyDays, ExpiryRequired: in.ExpiryRequired, UnusedDays: in.UnusedDays,
		LongestBearerDays: in.LongestDays.Bearer, LongestAPIDays: in.LongestDays.API, LongestAutomationDays: in.LongestDays.Automation,
		LongestKeyDays: in.LongestDays.Key, LongestCollectionDays: in.LongestDays.Collection,
	}, Reason: in.Reason})
	return policyOf(p), err
}
