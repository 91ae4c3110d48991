package e2e

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// axe sees the page under its policy, in the colours that a person would see, and without scripts.
func TestAxeFindsWhatIsWrong(t *testing.T) {
	base, _ := site(t, map[string]string{
		"/right": `<p>All is well</p>`, "/wrong": `<p class="faint">Too pale</p><img src="/icon.svg"><input name="x">`})
	for mode, with := range modes {
		t.Run(mode, func(t *testing.T) {
			with.Base = base
			b := Open(t, with)
			b.Go("/right")
			if found := b.Axe(); len(found) != 0 {
				t.Errorf("nothing is wrong, and axe found %v", found)
			}
			b.Go("/wrong")
			if ids := ids(b.Axe()); ids != "color-contrast image-alt label" {
				t.Errorf("in the light axe found %s", ids)
			}
			b.ColorScheme("dark")
			if ids := ids(b.Axe()); ids != "image-alt label" {
				t.Errorf("in the dark axe found %s", ids)
			}
		})
	}
}

func ids(found []Violation) string {
	var all []string
	for _, v := range found {
		all = append(all, v.ID)
	}
	return strings.Join(all, " ")
}

// Look keeps three pictures in the sizes of the design and leaves the tab as it was.
func TestLookKeepsPictures(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TOKENDESK_TEST_SCREENS", folder)
	base, _ := site(t, map[string]string{"/right": `<p>All is well</p>`})
	b := Open(t, Options{Base: base, Dark: true, Width: 800, Height: 600})
	b.Go("/right")
	b.Look("right")
	for name, width := range map[string]int{
		"desktop-light": 1440, "desktop-dark": 1440, "mobile-light": 360,
	} {
		file, err := os.Open(filepath.Join(folder, "right."+name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		picture, err := png.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		red, _, _, _ := picture.At(1, picture.Bounds().Dy()-2).RGBA()
		if dark := strings.HasSuffix(name, "dark"); picture.Bounds().Dx() != width || (red == 0) != dark {
			t.Errorf("%s is %d wide and its corner is %#x", name, picture.Bounds().Dx(), red)
		}
	}
	if now := b.Evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"); now != "[800,true]" {
		t.Errorf("afterwards the window is %s", now)
	}
}

// Look fails a page that is too wide and one in which axe finds something.
func TestLookFailsWhatIsWrong(t *testing.T) {
	t.Setenv("TOKENDESK_TEST_SCREENS", t.TempDir())
	base, _ := site(t, map[string]string{"/wide": `<p class="wide">Wide</p><img src="/icon.svg">`})
	said := strings.Join(failing(t, Options{Base: base}, func(b *Tab) {
		b.Go("/wide")
		b.Look("wide")
	}), "\n")
	for _, want := range []string{"wide.mobile-light: the page is wider", "wide.desktop-light: axe image-alt"} {
		if !strings.Contains(said, want) {
			t.Errorf("the test does not say %q but %q", want, said)
		}
	}
}

// What the browser complains about fails the test, unless it was expected; what was expected and did
// not come fails it too.
func TestComplaintsOfTheBrowserFailTheTest(t *testing.T) {
	t.Setenv("TOKENDESK_TEST_SCREENS", t.TempDir())
	pages := map[string]string{
		"/style":   `<p style="color: red">Styled</p>`,
		"/inline":  `<script>document.body.dataset.ran = "inline"</script>`,
		"/image":   `<img alt="" src="/missing.png">`,
		"/outside": `<img alt="" src="http://example.com/x.png">`,
	}
	base, _ := site(t, pages)
	for path, want := range map[string]string{
		"/style": "style-src", "/inline": "script-src", "/image": "404", "/outside": "img-src",
	} {
		said := failing(t, Options{Base: base}, func(b *Tab) { b.Go(path) })
		if len(said) != 1 || !strings.Contains(said[0], want) {
			t.Errorf("%s: the test said %q", path, said)
		}
		said = failing(t, Options{Base: base}, func(b *Tab) { b.Expect(want); b.Go(path) })
		if len(said) != 0 {
			t.Errorf("%s, expected: the test said %q", path, said)
		}
	}
	said := failing(t, Options{Base: base}, func(b *Tab) { b.Expect("a miracle"); b.Go("/next") })
	if len(said) != 1 || !strings.Contains(said[0], "a miracle") {
		t.Errorf("nothing came, and the test said %q", said)
	}
}

// Script errors and dialogs are complaints; a page that answers 404 is not.
func TestWhatIsAComplaint(t *testing.T) {
	t.Setenv("TOKENDESK_TEST_SCREENS", t.TempDir())
	base, _ := site(t, nil)
	for expression, want := range map[string]string{
		"new Promise(done => setTimeout(() => { setTimeout(done); throw new Error('broken') }))": "broken",
		"console.error('it says so')": "it says so",
		"Promise.reject(new Error('nobody cares')), new Promise(done => setTimeout(done))": "nobody cares",
		"confirm('Sure?')": "Sure?",
	} {
		said := failing(t, Options{Base: base}, func(b *Tab) {
			b.Go("/next")
			b.Evaluate(expression)
			b.Go("/next")
		})
		if len(said) != 1 || !strings.Contains(said[0], want) {
			t.Errorf("%s: the test said %q", expression, said)
		}
	}
	b := Open(t, Options{Base: base})
	b.Go("/nowhere")
	if b.Status() != 404 {
		t.Errorf("the status is %d", b.Status())
	}
}

// A click that a person could not make is not made.
func TestACoveredButtonCannotBeClicked(t *testing.T) {
	t.Setenv("TOKENDESK_TEST_SCREENS", t.TempDir())
	base, _ := site(t, map[string]string{"/": `<button type="button">Under</button><div id="cover">Over</div>`})
	said := failing(t, Options{Base: base}, func(b *Tab) {
		b.Go("/")
		b.limit = time.Second
		b.Click("Under")
	})
	if len(said) != 1 || !strings.Contains(said[0], `it is covered by <div id="cover">`) {
		t.Errorf("the test said %q", said)
	}
}
