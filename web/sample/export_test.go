package sample

import "context"

// Pause has the test say when the next piece of a chat's answer is sent.
func (s *Sample) Pause(pause func(ctx context.Context) error) { s.pause = pause }

// Standard are the limits where nothing else is said.
func Standard() Limits { return Limits{}.orStandard() }

// Resources lists the paths with their methods.
func Resources() map[string][]string {
	all := map[string][]string{}
	for _, resource := range resources {
		for method := range resource.methods {
			all[resource.path] = append(all[resource.path], method)
		}
	}
	return all
}

var (
	Passages = passages
	Words    = words
	IsPlain  = isPlain
)
