package main_test

import (
	"go/ast"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
)

// Every code of a refusal that a program may rely on has a line in docs/refusals.md.
func TestEveryRefusalIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/refusals.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	sources(t, func(file string, source *ast.File) {
		if dir := path.Dir(file); dir != "models/access" && dir != "models/archive" {
			return
		}
		ast.Inspect(source, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || spec.Type == nil || rendered(t, spec.Type) != "Code" {
				return true
			}
			for _, value := range spec.Values {
				code, err := strconv.Unquote(rendered(t, value))
				if err != nil {
					t.Fatal(err)
				}
				if codes++; code != "allowed" && !strings.Contains(string(page), "\n| `"+code+"` | ") {
					t.Errorf("docs/refusals.md has no line for %s", code)
				}
			}
			return true
		})
	})
	if codes < 25 {
		t.Errorf("only %d codes were found", codes)
	}
}
