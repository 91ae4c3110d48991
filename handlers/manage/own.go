package manage

import (
	"time"

	"tokendesk/handlers"
	"tokendesk/models"
)

// me is who calls, and with what.
type me struct {
	Person     person     `json:"person" required:"true"`
	Credential credential `json:"credential" required:"true" description:"What the call came with."`
	Workspace  *somebody  `json:"workspace,omitempty" description:"The only one that it is for; not there where it is for all of its person's."`
}

// keySettings are what a person's next API keys are like.
type keySettings struct {
	ExpirationDays int    `json:"expiration_days" required:"true" minimum:"0" maximum:"36500" description:"How many days new API keys live; 0: without end."`
	Fixed          bool   `json:"fixed" required:"true" description:"An Admin has set it for everybody."`
	MayGenerate    bool   `json:"may_generate" required:"true" description:"Whether the policy lets this person generate API keys."`
	LongestDays    int    `json:"longest_days,omitempty" description:"How many days an API key lives at most."`
	Reason         string `json:"reason,omitempty" description:"Why it is as it is, where an Admin decided."`
}

type newKeySettings struct {
	ExpirationDays *int `json:"expiration_days" required:"true" minimum:"0" maximum:"36500" description:"How many days new API keys live; 0: without end."`
}

func (a *API) own() []Operation {
	const tag = "Yourself"
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/me", ID: "getMe", Tag: tag, Who: People, Summary: "Who you are, and with which credential",
			Detail: "Good for a first call: it says whose key this is and when it ends."}, a.me),
		op(Operation{Method: "GET", Path: "/v1/me/api-key-settings", ID: "getAPIKeySettings", Tag: tag, Who: People, Summary: "How long your new API keys live"}, a.keySettings),
		op(Operation{Method: "PUT", Path: "/v1/me/api-key-settings", ID: "setAPIKeySettings", Tag: tag, Who: Mine, Summary: "Set how long your new API keys live",
			Detail: "Refused where an Admin has set it for everybody. Keys that are there stay as they are."}, a.setKeySettings),
	}
}

func (a *API) me(r request, _ nothing) (me, error) {
	grant := handlers.Opens(r.Context)
	p, err := a.h.Store.Person(r.ctx, r.who, r.who.ID)
	if err != nil {
		return me{}, err
	}
	answer := me{Person: personOf(p), Credential: a.shaped(grant.Credential)}
	answer.Credential.Usage = usage{}
	if r.who.Within != "" {
		answer.Workspace = &somebody{r.who.Within, grant.Opens.Slug}
	}
	return answer, nil
}

func (a *API) keySettings(r request, _ nothing) (keySettings, error) {
	p, err := a.h.Store.Person(r.ctx, r.who, r.who.ID)
	if err != nil {
		return keySettings{}, err
	}
	policy, err := a.h.Store.Policy(r.ctx)
	if err != nil {
		return keySettings{}, err
	}
	s := keySettings{ExpirationDays: p.KeyDays, MayGenerate: policy.MayGenerateKeys(p.Role), LongestDays: policy.LongestKeyDays}
	if policy.KeyDays != nil {
		s.ExpirationDays, s.Fixed, s.Reason = *policy.KeyDays, true, "An Admin has set how long new API keys live, for everybody."
	}
	return s, nil
}

func (a *API) setKeySettings(r request, in newKeySettings) (keySettings, error) {
	if in.ExpirationDays == nil {
		return keySettings{}, missing("expiration_days")
	}
	if err := a.h.Store.SetKeySettings(r.ctx, r.who, models.KeySettings{Days: *in.ExpirationDays}); err != nil {
		return keySettings{}, err
	}
	return a.keySettings(r, nothing{})
}

// missing says that a field must be there.
func missing(field string) error {
	return &models.Error{Kind: models.Invalid, Message: "A field is missing.", Fields: []models.Field{{Name: field, Message: "Send the field " + field + "."}}}
}

// person is somebody with an account.
type person struct {
	ID         string     `json:"id" required:"true"`
	Name       string     `json:"name" required:"true"`
	Email      string     `json:"email" required:"true"`
	Role       string     `json:"role" required:"true" enum:"Admin,Member"`
	Status     string     `json:"status" required:"true" enum:"active,deactivated"`
	TimeZone   string     `json:"time_zone" required:"true"`
	CreatedAt  time.Time  `json:"created_at" required:"true"`
	LastSeenAt *time.Time `json:"last_seen_at,omitempty" description:"Last use of the console, to the minute."`
	Receipt    *receipt   `json:"receipt,omitempty" description:"In the answer to a call that changed what is accepted: since when that holds everywhere."`
}

func personOf(p models.Person) person {
	shape := person{p.ID, p.Name, p.Email, string(p.Role), "active", p.TimeZone, p.CreatedAt, p.SeenAt, nil}
	if !p.Active() {
		shape.Status = "deactivated"
	}
	return shape
}
