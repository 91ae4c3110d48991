package scale

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/web/webtest"
)

// measured is one page in the large installation and in the small one.
type measured struct {
	name         string
	path         [2]string
	agent        [2]*webtest.Agent
	large, small timing
}

// BenchmarkPages times the whole answer of every page, from the request to the last byte, over a connection to the
// server, which is in this process.
func BenchmarkPages(b *testing.B) {
	in := both(b)
	list := make([]measured, 0, 100)
	for i := range in {
		some := slices.DeleteFunc(pages(b, in[i]), func(p page) bool { return !strings.HasPrefix(p.name, *only) })
		for n, p := range some {
			check(b, in[i], p)
			if i == 0 {
				list = append(list, measured{name: p.name})
			}
			list[n].path[i], list[n].agent[i] = p.path, in[i].reader(b, p)
		}
	}
	for b.Loop() {
		for range *rounds {
			for n := range list {
				list[n].round(b, in)
			}
		}
	}
	fmt.Printf("\n### %s\n\n%s\n%s", in[0].Database(), table(list), ends(list))
}

// both starts the large installation and the small one.
func both(b *testing.B) (in [2]installation) {
	for i, where := range []string{*large, *small} {
		if where == "" {
			in[i] = start(b, seeded(b, "", enough))
		} else {
			in[i] = start(b, at(b, where))
		}
	}
	return in
}

func (m *measured) round(b *testing.B, in [2]installation) {
	for i := range in {
		in[i].backends = backendsOf(in[i].World.URL)
	}
	var took [2][2][]cost // by installation, by series
	for range *answers {
		for series := range 2 {
			for i := range in {
				took[i][series] = append(took[i][series], in[i].answer(b, m.agent[i], m.path[i]))
			}
		}
	}
	m.large.add(took[0][0], took[0][1])
	m.small.add(took[1][0], took[1][1])
}

func (in installation) answer(b *testing.B, agent *webtest.Agent, path string) cost {
	cpu, begun := in.cpu(b), time.Now()
	agent.Get(b, path).Want(b, 200)
	return cost{time.Since(begun), in.cpu(b) - cpu}
}

// table is the figures of all pages in Markdown.
func table(list []measured) string {
	var out strings.Builder
	out.WriteString("| page | small: ms | CPU ms | large: ms | CPU ms | large : small | noise |\n|---|---|---|---|---|---|---|\n")
	for _, m := range list {
		small, large := m.small.median(), m.large.median()
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %.2f | %s |\n", m.name,
			ms(small.wall), ms(small.cpu), ms(large.wall), ms(large.cpu), ratio(large, small), percent(noise(m.small, m.large)))
	}
	return out.String()
}

// ends is the figures of the last page of each list against those of its first.
func ends(list []measured) string {
	var out strings.Builder
	out.WriteString("| list, in the large installation | page 1: ms | CPU ms | last page: ms | CPU ms | last : first | noise |\n|---|---|---|---|---|---|---|\n")
	for _, first := range list {
		name, begins := strings.CutSuffix(first.name, ", page 1")
		for _, last := range list {
			if begins && strings.HasPrefix(last.name, name+", last") {
				a, z := first.large.median(), last.large.median()
				fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %.2f | %s |\n", name,
					ms(a.wall), ms(a.cpu), ms(z.wall), ms(z.cpu), ratio(z, a), percent(noise(first.large, last.large)))
			}
		}
	}
	return out.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

func percent(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) }

// exported is how many events of a file are read at most: enough to tell how fast they come.
const exported = 500_000

// BenchmarkExport tells how fast the audit log comes as a file.
func BenchmarkExport(b *testing.B) {
	in := both(b)
	var out strings.Builder
	for b.Loop() {
		for _, path := range []string{"/audit.csv", "/audit.jsonl", "/audit.jsonl?action=collection.reinstalled"} {
			for i, size := range []string{"large", "small"} {
				lines, took := in[i].download(b, path)
				fmt.Fprintf(&out, "| %s | %s | %d | %.1f | %.0f |\n", path, size, lines, took.Seconds(), float64(lines)/took.Seconds())
			}
		}
	}
	fmt.Printf("\n### %s, export\n\n| file | installation | lines read | s | lines a second |\n|---|---|---|---|---|\n%s", in[0].Database(), out.String())
}

// download reads a file to its end or to as many lines as are enough.
func (in installation) download(b *testing.B, path string) (lines int, took time.Duration) {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, in.URL+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range in.Cookies(b) {
		r.AddCookie(c)
	}
	begun := time.Now()
	answer, err := in.Listener.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		b.Fatalf("%s: status %d", path, answer.StatusCode)
	}
	for body := bufio.NewReader(answer.Body); lines < exported; lines++ {
		if _, err := body.ReadString('\n'); err == io.EOF {
			break
		} else if err != nil {
			b.Fatalf("%s: after %d lines: %v", path, lines, err)
		}
	}
	return lines, time.Since(begun)
}
