package sample

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// agent looks things up in the knowledge base when its trigger is executed.
type agent struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Description  string    `json:"description"`
	Instructions string    `json:"instructions"` // what it works from when it gets no input
	TriggerID    string    `json:"trigger_id"`
	Event        string    `json:"event"` // POST /api/webhook/{event} starts it
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// newAgent is what a caller says of an agent, to install it or to change it.
type newAgent struct {
	Name         string `json:"name"`
	Description  string `json:"description"`
	Instructions string `json:"instructions"`
	Event        string `json:"event"`
}

const (
	longestName = 100   // characters
	longestText = 2_000 // of a description, instructions, a question
)

var eventPath = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

func (n *newAgent) clean() error {
	n.Name, n.Description, n.Instructions, n.Event = strings.TrimSpace(n.Name), strings.TrimSpace(n.Description), strings.TrimSpace(n.Instructions), strings.Trim(n.Event, "/ ")
	var p problems
	p.add(n.Name == "", "Give the agent a name, in name.")
	p.add(!isLine(n.Name), "name is one line of up to 100 characters.")
	p.add(!isText(n.Description), "description has up to 2000 characters.")
	p.add(!isText(n.Instructions), "instructions have up to 2000 characters.")
	p.add(n.Event != "" && (len(n.Event) > longestName || !eventPath.MatchString(n.Event)), "event is a path of up to 100 letters, digits, dots, hyphens and underscores, like orders/created.")
	return p.err()
}

// isLine says whether a text is good as a name.
func isLine(text string) bool {
	return utf8.RuneCountInString(text) <= longestName && !strings.ContainsFunc(text, unicode.IsControl)
}

func isText(text string) bool { return utf8.RuneCountInString(text) <= longestText }

// slug makes an event of a name: "Token Guide" is token-guide.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if len(words) == 0 {
		return "agent"
	}
	return strings.Join(words, "-")
}
