package web

import (
	"strings"

	"tokendesk/handlers"
)

// Row is a row of the table of routes, for tests that walk over all of it from outside.
type Row struct{ Method, Path, Name, Guard, Voice string }

// Rows is what of the table a browser or a program may ask this server itself.
func Rows() []Row {
	return rows(func(r route) bool {
		return r.guard != programs && r.guard != askingPrograms && !strings.HasPrefix(r.path, "/v1/")
	})
}

// Managed is what of it is the management API.
func Managed() []Row {
	return rows(func(r route) bool { return strings.HasPrefix(r.path, "/v1/") })
}

// Calls is what of it programs ask of products, with any method.
func Calls() []Row { return rows(func(r route) bool { return r.guard == programs }) }

func rows(of func(route) bool) []Row {
	var rows []Row
	for _, r := range routes(&handlers.Handlers{}) {
		if of(r) {
			rows = append(rows, Row{r.method, r.path, r.name, string(r.guard), string(r.voice)})
		}
	}
	return rows
}
