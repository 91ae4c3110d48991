package views

import (
	"maps"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// buttonAttrs puts the classes of a kind together with what the place adds.
func buttonAttrs(kind, buttonType string, attrs templ.Attributes) templ.Attributes {
	class := "btn"
	for _, k := range strings.Fields(kind) {
		class += " btn-" + k
	}
	all := templ.Attributes{}
	if buttonType != "" {
		all["type"] = buttonType
	}
	maps.Copy(all, attrs)
	if extra, ok := attrs["class"].(string); ok {
		class += " " + extra
	}
	all["class"] = class
	return all
}

func withAttrs(first, second templ.Attributes) templ.Attributes {
	all := templ.Attributes{}
	maps.Copy(all, first)
	maps.Copy(all, second)
	return all
}

func iconOnly(kind string) bool {
	for _, k := range strings.Fields(kind) {
		if k == "i" {
			return true
		}
	}
	return false
}

// A status is told by word, by shape and by colour; tones are the colours of the stylesheet.
var statuses = map[string]struct{ tone, icon string }{
	"Active":             {"active", "check-circle"},
	"Expires soon":       {"soon", "clock"},
	"Inactive":           {"inactive", "pause"},
	"Deactivated":        {"inactive", "pause"},
	"Expired":            {"expired", "hourglass"},
	"Revoked":            {"revoked", "ban"},
	"Replaced":           {"replaced", "rotate"},
	"Person deactivated": {"inactive", "pause"},
	"Current":            {"active", "check"},
	"Answering":          {"active", "check-circle"},
	"Silent":             {"revoked", "ban"},
}

func badgeTone(status string) string { return statuses[status].tone }

func badgeIcon(status string) string {
	if s, ok := statuses[status]; ok {
		return s.icon
	}
	return "dot"
}

func noteClass(kind string) string {
	if kind == "" {
		return "note"
	}
	return "note note-" + kind
}

func noteIcon(kind string) string {
	switch kind {
	case "ok":
		return "check-circle"
	case "warn", "bad":
		return "warn"
	}
	return "info"
}

// count writes a number with commas between the thousands.
func count[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for at := len(digits) - 3; at > start; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// plural is "1 call", "2 calls".
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// firstName is how a sentence speaks of someone.
func firstName(name string) string {
	if words := strings.Fields(name); len(words) > 0 {
		return words[0]
	}
	return name
}

const (
	sparkHeight = 28.0
	sparkStep   = 5.0 // a bar of 3.5 and a gap
)

type sparkBar struct {
	x, y, height string
	zero         bool
}

func sparkWidth(days []int) string { return number(float64(len(days))*sparkStep - 1.5) }

// sparkBars scales the days to the highest of them; a day without calls is a faint line.
func sparkBars(days []int) []sparkBar {
	highest := 1
	for _, n := range days {
		highest = max(highest, n)
	}
	bars := make([]sparkBar, len(days))
	for i, n := range days {
		height := 1.5
		if n > 0 {
			height = max(2, float64(int(float64(n)/float64(highest)*sparkHeight+0.5)))
		}
		bars[i] = sparkBar{number(float64(i) * sparkStep), number(sparkHeight - height), number(height), n == 0}
	}
	return bars
}

func sparkSentence(days []int) string {
	highest := 0
	for _, n := range days {
		highest = max(highest, n)
	}
	if highest == 0 {
		return "No requests in the last " + plural(len(days), "day", "days")
	}
	return "Requests a day over " + plural(len(days), "day", "days") + ", highest " + count(highest)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
