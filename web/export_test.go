package web

import "tokendesk/handlers"

// Row is a row of the table of routes, for tests that walk over all of it from outside.
type Row struct{ Method, Path, Name, Guard, Voice string }

// Rows is the table.
func Rows() []Row {
	var rows []Row
	for _, r := range routes(&handlers.Handlers{}) {
		rows = append(rows, Row{r.method, r.path, r.name, string(r.guard), string(r.voice)})
	}
	return rows
}
