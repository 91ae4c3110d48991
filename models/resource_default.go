package models

// DefaultResources are what the product of a new workspace offers.
func DefaultResources() Resources {
	return Resources{
		{"agents", "Agents", []Operation{
			{"list", "GET", "/api/agent-base"},
			{"list", "GET", "/api/agent-base/{id}"},
			{"install", "POST", "/api/agent-base/install"},
			{"update", "PUT", "/api/agent-base/{id}"},
			{"delete", "DELETE", "/api/agent-base/{id}"},
		}},
		{"agent-executions", "Agent Executions", []Operation{
			{"list", "GET", "/api/agent-base/{id}/executions"},
		}},
		{"webhooks", "Webhooks", []Operation{
			{"send-events", "POST", "/api/webhook"},
			{"send-events", "POST", "/api/webhook/*"},
		}},
		{"integrations", "Integrations", []Operation{
			{"list", "GET", "/api/integrations-base"},
			{"list", "GET", "/api/integrations-base/{id}"},
			{"list", "GET", "/api/integrations-base/product/{productId}/active"},
			{"create", "POST", "/api/integrations-base"},
			{"update", "PUT", "/api/integrations-base/{id}"},
			{"delete", "DELETE", "/api/integrations-base/{id}"},
		}},
		{"knowledge-base", "Knowledge Base", []Operation{
			{"list", "GET", "/api/knowledge-base"},
			{"search", "GET", "/api/knowledge-base/search"},
		}},
		{"triggers", "Triggers", []Operation{
			{"list", "GET", "/api/agent-base/triggers"},
			{"execute", "POST", "/api/agent-base/triggers"},
			{"details", "GET", "/api/agent-base/triggers/{id}/details"},
		}},
		{"assistant-chat", "Assistant Chat", []Operation{
			{"chat", "POST", "/api/assistant/chat"},
			{"history", "GET", "/api/assistant/chat"},
		}},
		{"storage", "Storage", []Operation{
			{"list", "GET", "/api/knowledge-base/storage"},
			{"upload", "POST", "/api/knowledge-base/storage"},
			{"download", "GET", "/api/knowledge-base/storage/{id}"},
			{"delete", "DELETE", "/api/knowledge-base/storage/{id}"},
		}},
	}
}
