package views

import "github.com/a-h/templ"

func titleOf(p Page, f frame) string {
	title := p.Title + " · Tokendesk"
	if f.failed {
		return "Error: " + title
	}
	return title
}

func themeOf(p Page) templ.Attributes {
	if p.Theme == "light" || p.Theme == "dark" {
		return templ.Attributes{"data-theme": p.Theme}
	}
	return nil
}

// isTheme says "true" or "false" for aria-pressed.
func isTheme(p Page, value string) string {
	if p.Theme == value || p.Theme == "" && value == "system" {
		return "true"
	}
	return "false"
}

func mainAttrs(f frame) templ.Attributes {
	switch {
	case f.secret:
		return templ.Attributes{"class": "notranslate", "translate": "no"}
	case f.narrow:
		return templ.Attributes{"class": "narrow"}
	}
	return nil
}

func doorAttrs(wide bool) templ.Attributes {
	if wide {
		return templ.Attributes{"class": "door-wide"}
	}
	return nil
}
