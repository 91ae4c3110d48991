package views_test

import "tokendesk/views"

func replicaSamples() []sample {
	three := views.Replicas{Rows: []views.ReplicaRow{
		{Name: "gw-a", Version: "1.4.0", This: true, Behind: "Up to date", Renewed: "less than 1 s ago", Entries: "20,114 credentials", Since: at("19 Nov 2026, 08:02 UTC")},
		{Name: "gw-b", Version: "1.4.0", Behind: "2 changes behind", Renewed: "1 s ago", Entries: "18,090 credentials", Since: at("19 Nov 2026, 08:03 UTC"), Notice: " is not told of changes by the database."},
		{Name: "gw-c", Version: "1.3.9", Silent: true, Behind: "Up to date", Renewed: "9 s ago", Entries: "1 credential", Since: at("2 Nov 2026, 17:40 UTC")},
	}}
	doubtful := three
	doubtful.Doubts, doubtful.Asks = []string{"A standby follows the database asynchronously."}, true
	return []sample{
		{"replicas", views.ReplicasPage(page(), three)},
		{"replicas-doubts", views.ReplicasPage(page(), doubtful)},
	}
}
