package sample_test

import "time"

// The shapes that callers see.
type (
	agent struct {
		ID, Name, Description, Instructions, Event string
		TriggerID                                  string    `json:"trigger_id"`
		CreatedAt                                  time.Time `json:"created_at"`
		UpdatedAt                                  time.Time `json:"updated_at"`
	}
	execution struct {
		ID           string
		AgentID      string `json:"agent_id"`
		TriggerID    string `json:"trigger_id"`
		EventID      string `json:"event_id"`
		Input        string
		Steps        []struct{ Name, Detail string }
		Output       string
		Status       string
		CredentialID string    `json:"credential_id"`
		RequestID    string    `json:"request_id"`
		StartedAt    time.Time `json:"started_at"`
		Micros       int64     `json:"duration_us"`
	}
	trigger struct {
		ID        string
		AgentID   string `json:"agent_id"`
		AgentName string `json:"agent_name"`
		Event     string
		Webhook   string
		CreatedAt time.Time `json:"created_at"`
	}
	integration struct {
		ID, Type, Name, Scope string
		ProductID             string `json:"product_id"`
		Active                bool
		Config                map[string]string
		CreatedAt             time.Time `json:"created_at"`
		UpdatedAt             time.Time `json:"updated_at"`
	}
	document struct {
		ID, Title, Excerpt string
		Size               int64
		FileID             string    `json:"file_id"`
		CreatedAt          time.Time `json:"created_at"`
	}
	finding struct {
		DocumentID string `json:"document_id"`
		Title      string
		Snippet    string
	}
	file struct {
		ID, Name     string
		Size         int64
		SHA256       string
		DocumentID   string    `json:"document_id"`
		CredentialID string    `json:"credential_id"`
		CreatedAt    time.Time `json:"created_at"`
	}
	source struct {
		DocumentID     string `json:"document_id"`
		Title, Passage string
	}
	reply struct {
		ConversationID string `json:"conversation_id"`
		MessageID      string `json:"message_id"`
		Answer         string
		Sources        []source
	}
	conversation struct {
		ID, Title string
		CreatedAt time.Time `json:"created_at"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	message struct {
		ID, Role, Text string
		Sources        []source
		CreatedAt      time.Time `json:"created_at"`
	}
)
