package models

import (
	"testing"
	"time"
)

// A zone is a name of the time zone database, and nothing that Go or a file system would take for one besides.
func TestZoneChoice(t *testing.T) {
	for name, want := range map[string]string{
		"UTC": "UTC", " Europe/London ": "Europe/London", "America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires", "Etc/GMT+12": "Etc/GMT+12", "Asia/Kathmandu": "Asia/Kathmandu",
		"": "", "  ": "", "Local": "", "Europe": "", "Europe/": "", "Europe/Atlantis": "", "London": "", "+01:00": "", "../zoneinfo/UTC": "", "Europe/../UTC": "", "/etc/localtime": "", `\etc\localtime`: "",
		"zone.tab": "", "Europe/London\x00": "", "Europe/London Europe/Paris": "", "America/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "",
	} {
		z := ZoneChoice{Name: name}
		problems := z.Clean()
		if good := len(problems) == 0; good != (want != "") || good && z.Name != want {
			t.Errorf("%q: %q with %v", name, z.Name, problems)
		}
		if says := problems.Message("time_zone"); want == "" && says != "Enter a time zone by its name, for example Europe/London or UTC." {
			t.Errorf("%q: %q", name, says)
		}
	}
}

// A person's zone is what they chose, and UTC where nothing was chosen or this machine does not know it: never the machine's.
func TestPersonZone(t *testing.T) {
	for name, want := range map[string]string{"Europe/London": "Europe/London", "UTC": "UTC", "": "UTC", "Local": "UTC", "Mars/Olympus": "UTC", "../x": "UTC"} {
		if got := (Person{TimeZone: name}).Zone(); got.String() != want {
			t.Errorf("%q: %s", name, got)
		}
	}
	summer := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	if got := summer.In(Person{TimeZone: "Europe/London"}.Zone()).Format(withZone); got != "2026-07-01T13:00:00+01:00" {
		t.Errorf("at noon in summer it is %s in London", got)
	}
}
