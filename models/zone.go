package models

import (
	"strings"
	"time"
)

// ZoneChoice is the input of choosing a time zone.
type ZoneChoice struct{ Name string } // of the IANA time zone database, like Europe/London

// Clean trims what was typed and tells what is wrong with it.
func (z *ZoneChoice) Clean() Problems {
	var p Problems
	z.Name = strings.TrimSpace(z.Name)
	_, ok := zone(z.Name)
	p.Add(!ok, "time_zone", "Enter a time zone by its name, for example Europe/London or UTC.")
	return p
}

// Zone is the person's time zone; UTC where the machine does not know it any more.
func (p Person) Zone() *time.Location {
	if at, ok := zone(p.TimeZone); ok {
		return at
	}
	return time.UTC
}

// zone finds a time zone. Go takes two names for others: nothing is UTC to it, and Local the machine's.
func zone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, false
	}
	at, err := time.LoadLocation(name)
	return at, err == nil
}
