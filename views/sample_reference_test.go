package views_test

import "tokendesk/views"

func referenceSamples() []sample {
	page := memberPage()
	credential := views.ReferenceShape{Name: "Credential", Fields: []views.ReferenceField{
		{Name: "id", Type: "a text", Required: true}, {Name: "status", Type: "one of active, inactive", Required: true, Text: "As it is now."}, {Name: "usage", Type: "an object, Usage"},
	}}
	list := credential
	list.List = true
	return []sample{{"reference", views.APIReference(page, views.Reference{
		Groups: []views.ReferenceGroup{{Name: "API keys", Calls: []views.ReferenceCall{
			{ID: "listAPIKeys", Method: "GET", Path: "/v1/api-keys", Summary: "List your API keys", Answer: "200 OK", Shape: list, Parameters: []views.ReferenceField{{Name: "limit", In: "query", Type: "a whole number"}},
				Curl: []string{"curl 'https://tokens.marlowe.example/v1/api-keys'", `-H "X-API-Key: $TOKENDESK_API_KEY"`}},
			{ID: "createAPIKey", Method: "POST", Path: "/v1/api-keys", Summary: "Generate an API key", Detail: "The answer has the key itself, once.", Answer: "201 Created", Shape: credential,
				Body: []views.ReferenceField{{Name: "name", Type: "a text", Required: true}}, Curl: []string{"curl -X POST 'https://tokens.marlowe.example/v1/api-keys'", `-d '{"name": "…"}'`}},
		}}},
		Shapes: []views.ReferenceShape{credential},
	})}}
}
