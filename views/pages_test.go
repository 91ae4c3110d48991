package views_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"tokendesk/static"
)

// draw renders a page to memory and reads it as a browser would.
func draw(t *testing.T, page templ.Component) (*goquery.Document, string) {
	t.Helper()
	var out bytes.Buffer
	if err := page.Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	html := out.String()
	doc, err := goquery.NewDocumentFromReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	return doc, html
}

// each runs a check on every state of every page.
func each(t *testing.T, check func(t *testing.T, doc *goquery.Document)) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			doc, _ := draw(t, s.page)
			check(t, doc)
		})
	}
}

func has(doc *goquery.Document, id string) bool {
	return doc.Find(fmt.Sprintf("[id=%q]", id)).Length() == 1
}

// outer is the beginning of an element as it stands in the page.
func outer(s *goquery.Selection) string {
	html, _ := goquery.OuterHtml(s)
	return html[:min(len(html), 200)]
}

// read is the text of an element with one space between its pieces.
func read(s *goquery.Selection) string {
	pieces := s.Find("*").AddSelection(s).Contents().FilterFunction(func(_ int, s *goquery.Selection) bool {
		return goquery.NodeName(s) == "#text"
	})
	return strings.Join(strings.Fields(strings.Join(pieces.Map(func(_ int, s *goquery.Selection) string { return s.Text() }), " ")), " ")
}

// A page has one heading, one title with a name of its own, one main part and a language.
func TestEveryPageIsOneDocument(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		for _, selector := range []string{"h1", "head title", "main#main", "html[lang]", "#toast[role=status]"} {
			if n := doc.Find(selector).Length(); n != 1 {
				t.Errorf("%d %s, want 1", n, selector)
			}
		}
		name, ok := strings.CutSuffix(doc.Find("head title").Text(), " · Tokendesk")
		if !ok || strings.TrimSpace(name) == "" {
			t.Errorf("the title is %q", doc.Find("head title").Text())
		}
		if strings.TrimSpace(doc.Find("h1").Text()) == "" {
			t.Error("the heading is empty")
		}
	})
}

// Ids are unique, and whatever names an id names one that is there.
func TestIdsAreUniqueAndFound(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
			if id := s.AttrOr("id", ""); !has(doc, id) {
				t.Errorf("the id %q is there more than once", id)
			}
		})
		for _, attr := range []string{"for", "form", "aria-labelledby", "aria-describedby", "aria-controls", "commandfor", "popovertarget", "data-dialog"} {
			doc.Find("[" + attr + "]").Each(func(_ int, s *goquery.Selection) {
				for _, id := range strings.Fields(s.AttrOr(attr, "")) {
					if !has(doc, id) {
						t.Errorf("%s names %q, which is not there: %s", attr, id, outer(s))
					}
				}
			})
		}
		doc.Find(`a[href^="#"], [data-copy^="#"], [data-peek^="#"]`).Each(func(_ int, s *goquery.Selection) {
			for _, attr := range []string{"href", "data-copy", "data-peek"} {
				if id, ok := strings.CutPrefix(s.AttrOr(attr, ""), "#"); ok && !has(doc, id) {
					t.Errorf("%s leads to %q, which is not there: %s", attr, id, outer(s))
				}
			}
		})
	})
}

// Every control has a label, every button and link a name.
func TestControlsHaveNames(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
			label := doc.Find(fmt.Sprintf("label[for=%q]", s.AttrOr("id", "-"))).AddSelection(s.Closest("label"))
			if strings.TrimSpace(label.Text()) == "" {
				t.Errorf("no label: %s", outer(s))
			}
		})
		doc.Find("a, button").Each(func(_ int, s *goquery.Selection) {
			if strings.TrimSpace(s.Text()+s.AttrOr("aria-label", "")) == "" {
				t.Errorf("no name: %s", outer(s))
			}
		})
	})
}

// Nothing on a page needs more than the content security policy allows: no script, style or handler
// in the page, and nothing loaded from elsewhere.
func TestPagesKeepTheContentSecurityPolicy(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		doc.Find("style, [style], script:not([src]), iframe, object, embed, base").Each(func(_ int, s *goquery.Selection) {
			t.Errorf("the policy blocks %s", outer(s))
		})
		doc.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, attr := range s.Nodes[0].Attr {
				if strings.HasPrefix(attr.Key, "on") {
					t.Errorf("the policy blocks %s=%q", attr.Key, attr.Val)
				}
			}
		})
		doc.Find("[src], link[href], use[href]").Each(func(_ int, s *goquery.Selection) {
			address := s.AttrOr("src", s.AttrOr("href", ""))
			address, fragment, _ := strings.Cut(address, "#")
			name, hashed, ok := static.Lookup(strings.TrimPrefix(address, static.Prefix))
			if !ok || !hashed {
				t.Errorf("not a hashed file of ours: %s", outer(s))
			}
			if body, _ := static.Read(name); fragment != "" && !bytes.Contains(body, []byte(`id="`+fragment+`"`)) {
				t.Errorf("%s has no %q", name, fragment)
			}
		})
	})
}

// Every address a form is sent to, and every link, is a path of this console.
func TestAddressesStayHere(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		for _, attr := range []string{"action", "formaction", "href"} {
			doc.Find("main [" + attr + "], dialog [" + attr + "], .side [" + attr + "], .top [" + attr + "]").Each(func(_ int, s *goquery.Selection) {
				to := s.AttrOr(attr, "")
				if strings.HasPrefix(to, "//") || !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "#") && !strings.HasPrefix(to, "?") {
					t.Errorf("%s=%q leads away", attr, to)
				}
			})
		}
	})
}

// What Enter presses in a form is its first submit button: never the one that closes a dialog, and
// a button that does not send the form says so.
func TestEnterNeverCancels(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		doc.Find("[data-close], [data-copy], [data-peek], [popovertarget]").Each(func(_ int, s *goquery.Selection) {
			if s.AttrOr("type", "submit") != "button" {
				t.Errorf("sends its form: %s", outer(s))
			}
		})
		doc.Find("form[method=post]").Each(func(_ int, s *goquery.Selection) {
			id, ok := s.Attr("id")
			if s.Find("[type=submit]").Length() == 0 && (!ok || doc.Find(fmt.Sprintf("[type=submit][form=%q]", id)).Length() == 0) {
				t.Errorf("nothing sends %s", outer(s))
			}
		})
	})
}

// A form that came back says so in the title, on top, and at each field; the summary leads to the fields.
func TestErrorsAreSummedUpLinkedAndRepeated(t *testing.T) {
	failed := 0
	each(t, func(t *testing.T, doc *goquery.Document) {
		summary := doc.Find("[role=alert]")
		if told := strings.HasPrefix(doc.Find("head title").Text(), "Error: "); told != (summary.Length() == 1) {
			t.Errorf("title %q with %d summaries", doc.Find("head title").Text(), summary.Length())
		}
		invalid := doc.Find("[aria-invalid]").Length() + doc.Find("fieldset[aria-describedby]").Length()
		if links := summary.Find("a").Length(); links != invalid {
			t.Errorf("%d links in the summary for %d fields", links, invalid)
		}
		summary.Find("a").Each(func(_ int, link *goquery.Selection) {
			failed++
			field := doc.Find(link.AttrOr("href", "#-"))
			marked := field
			if field.Is("[type=radio]") {
				marked = field.Closest("fieldset")
			}
			said := ""
			for _, id := range strings.Fields(marked.AttrOr("aria-describedby", "")) {
				said += doc.Find("#" + id).Text()
			}
			if !strings.Contains(said, "Error: "+link.Text()) {
				t.Errorf("the summary says %q, the field %q", link.Text(), said)
			}
		})
		if summary.Length() == 1 && (summary.AttrOr("tabindex", "") != "-1" || summary.Find("h2").Text() != "There is a problem") {
			t.Errorf("the summary can not take the focus or has no heading: %s", outer(summary))
		}
	})
	if failed < 10 {
		t.Errorf("only %d errors were drawn: the samples do not show enough", failed)
	}
}

// Where tables are stacked on small screens their display changes, and only roles keep them tables.
func TestTablesKeepTheirRoles(t *testing.T) {
	each(t, func(t *testing.T, doc *goquery.Document) {
		for part, role := range map[string]string{"table": "table", "thead, tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"} {
			doc.Find(part).Not("[role=" + role + "]").Each(func(_ int, s *goquery.Selection) {
				t.Errorf("no role %s: %s", role, outer(s))
			})
		}
		doc.Find("table").Each(func(_ int, s *goquery.Selection) {
			if s.Find("caption").Text() == "" || s.Closest("[role=region][tabindex='0'][aria-label]").Length() != 1 {
				t.Errorf("no caption or no scrolling region: %s", outer(s))
			}
			columns := s.Find("th").Length()
			s.Find("tbody tr").Each(func(_ int, row *goquery.Selection) {
				if n := row.Find("td").Length(); n != columns {
					t.Errorf("%d cells under %d headings", n, columns)
				}
			})
		})
	})
}

// Nobody who is not an Admin is offered a page that is for Admins.
func TestMembersAreOfferedNoAdminPages(t *testing.T) {
	seen := 0
	each(t, func(t *testing.T, doc *goquery.Document) {
		if !strings.Contains(doc.Find(".side-foot").Text(), ", Member") {
			return
		}
		seen++
		doc.Find(`a[href^="/people"], a[href^="/audit"]`).Each(func(_ int, s *goquery.Selection) {
			t.Errorf("a Member is offered %s", outer(s))
		})
	})
	if seen == 0 {
		t.Error("no sample is drawn for a Member")
	}
}
