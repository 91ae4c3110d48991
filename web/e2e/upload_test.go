package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/archive"
	"tokendesk/web/webtest"
)

// send chooses a file on the Collections tab and sends it.
func send(b *Tab, path string) {
	b.Go(collectionsTab)
	b.Choose(path, func() { b.Click("Collection file") })
	b.In("#install").Click("Install")
}

// chosen is the name of the file that the field holds.
func chosen(b *Tab) string {
	return strings.Trim(b.Evaluate(`document.getElementById("collectionFile").files[0]?.name ?? ""`), `"`)
}

// An Admin installs a collection from the console, then other bytes under its name, then the same again.
func TestUpload(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		module, err := os.ReadFile(moduleZip(t))
		if err != nil {
			t.Fatal(err)
		}
		b.In(".side").Click("Collections")
		if !b.Has("No collections yet") || !b.Has("up to 100 MiB") {
			t.Errorf("the empty tab says %s", b.Text("main"))
		}
		b.Click("Install collection")
		b.Choose(fileOf(t, "myCollection.zip", module), func() { b.Click("Collection file") })
		b.In("#install").Click("Install")
		b.Wait("myCollection is installed, version 1.")
		if b.Text("h1") != "myCollection" || !b.Has("The console") || !b.Has("by Ines Moreau") || !strings.HasPrefix(b.URL(), s.URL+collectionsTab+"/") {
			t.Errorf("the collection's page is %s: %s", b.URL(), b.Text("main"))
		}
		second := fileOf(t, "myCollection.zip", packed(t, "collection.json", `{"version": "2.0.0"}`, "a.txt", "hello"))
		send(b, second)
		b.Wait("myCollection is installed, version 2 (2.0.0).")
		if b.Count("tr[data-version]") != 2 || !strings.Contains(b.Text(`tr[data-version="2"]`), "Current") {
			t.Errorf("the versions are %s", b.Text("main"))
		}
		send(b, second)
		b.Wait("version 2 is current, and nothing changed")
		send(b, fileOf(t, "myCollection.zip", module))
		b.Wait("is at version 1 again. Before, version 2 was current.")
		b.Reload()
		if b.Has("Before, version 2 was current") {
			t.Error("the note is still there after Reload")
		}
	})
}

// What is no collection is told at the field and in the summary, which has the focus; with scripts the file
// stays chosen. Nothing is installed.
func TestUploadThatIsRefused(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		refused := func(path, message string) {
			t.Helper()
			if b.Go(collectionsTab); path != "" {
				b.Choose(path, func() { b.Click("Collection file") })
			}
			b.In("#install").Click("Install")
			b.Wait("There is a problem")
			if got := b.Text(".errs li"); !strings.HasPrefix(got, message) || b.Text("#collectionFile-error [data-error]") != got {
				t.Errorf("the summary says %q, the field %q", got, b.Text("#collectionFile-error"))
			}
			if !strings.HasPrefix(b.Title(), "Error: ") || b.Count("#collectionFile[aria-invalid=true][aria-describedby~=collectionFile-error]") != 1 {
				t.Errorf("the field is not marked; the title is %q", b.Title())
			}
			if !b.with.NoScript {
				if focus := b.Evaluate("document.activeElement.className"); focus != `"errs"` {
					t.Errorf("the focus is on %s", focus)
				}
				b.Expect("the server responded with a status of 422") // an answer to a script is an error to the browser
				if path != "" && chosen(b) != filepath.Base(path) {
					t.Errorf("the file is gone: %q", chosen(b))
				}
			}
			b.In(".errs").Click(b.Text(".errs li"))
			if id := b.Evaluate("document.activeElement.id"); id != `"collectionFile"` {
				t.Errorf("the summary's link leads to %s", id)
			}
		}
		refused("", "Choose a collection file.")
		refused(fileOf(t, "notes.zip", []byte("no zip at all")), "This file is no zip, whatever its name says: it may be empty, or an error page. Choose a .zip file.")
		refused(fileOf(t, "slip.zip", packed(t, "../up.txt", "out of it")), "The archive was refused: entry 1 (\"../up.txt\")")
		refused(fileOf(t, "cut.zip", bulky(t, 4<<10)[:3<<10]), "The archive is damaged or incomplete:")
		if list := installedNow(t, s); len(list) > 0 {
			t.Errorf("%s is installed", list[0].Name)
		}
	})
}

// While a file is sent a bar shows how far it is, to its end.
func TestUploadProgress(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	b.Go(collectionsTab)
	if b.Count(".sending:not([hidden])") != 0 {
		t.Error("the bar is there before anything is sent")
	}
	b.Choose(fileOf(t, "large.zip", bulky(t, 2<<20)), func() { b.Click("Collection file") })
	b.Evaluate(`new MutationObserver(() => {
		const sending = document.querySelector(".sending"), seen = JSON.parse(sessionStorage.seen ?? "[]");
		if (!sending.hidden) sessionStorage.seen = JSON.stringify([...seen, sending.querySelector("progress").value]);
	}).observe(document.querySelector(".sending"), {subtree: true, attributes: true, childList: true}), 0`)
	b.Slow(1 << 20)
	b.In("#install").Click("Install")
	until(b, `(p => p.value > 10 && p.value < 100)(document.querySelector("progress"))`)
	if !b.Has("%") || b.Count(".sending:not([hidden])") != 1 {
		t.Errorf("while it is sent the form says %s", b.Text("#install"))
	}
	b.Wait("large is installed, version 1.")
	seen := b.Evaluate("JSON.parse(sessionStorage.seen)")
	if !strings.HasSuffix(seen, "100]") || strings.Count(seen, ",") < 3 {
		t.Errorf("the bar showed %s", seen)
	}
}

// Cancel breaks the sending off, and so does leaving the page, which the browser asks about. Nothing is installed.
func TestUploadIsCancelled(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	path := fileOf(t, "large.zip", bulky(t, 16<<20))
	begin := func() {
		b.Slow(256 << 10) // a minute: nothing waits for its end
		send(b, path)
		until(b, `document.querySelector("progress").value > 0`)
	}
	begin()
	b.Evaluate("scrollTo(0, 0)")
	b.Look("settings-collections--sending")
	if b.Count(".sending:not([hidden])") != 1 {
		t.Error("the pictures were not taken while the file was sent")
	}
	b.Click("Cancel")
	b.Wait("Cancelled. Nothing was installed.")
	if b.Focus() != `button "Install"` || b.Count(".sending:not([hidden])") != 0 || chosen(b) != "large.zip" {
		t.Errorf("after Cancel the keyboard is at %s: %s", b.Focus(), b.Text("#install"))
	}
	begin()
	b.Expect("a beforeunload dialog")
	b.In("nav[aria-label=Main]").Click("Audit log")
	b.Wait("Who did what, from where.")
	b.Slow(0)
	b.Back()
	b.Wait("Install a collection")
	if b.Count(".sending:not([hidden])") != 0 {
		t.Error("back on the page the file is still being sent")
	}
	if list := installedNow(t, s); len(list) > 0 {
		t.Errorf("%s is installed", list[0].Name)
	}
	send(b, path)
	b.Wait("large is installed, version 1.")
}

// small is a limit that a test reaches at once.
func small() webtest.Option {
	l := archive.DefaultLimits
	l.ArchiveBytes = 256 << 10
	return webtest.Limits(l)
}

// A file that is too large is told: by the page before it is sent, and by a server that takes less than the
// page knows, which does not wait for the end of it.
func TestUploadIsTooLarge(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		path := fileOf(t, "large.zip", bulky(t, 4<<20))
		if !b.with.NoScript {
			send(b, path)
			if !b.Has("The collection file is larger than the limit of 256 KiB.") || chosen(b) != "large.zip" {
				t.Errorf("before it is sent the page says %s", b.Text("main"))
			}
			b.Evaluate(`document.querySelector("[data-upload]").dataset.max = 0`)
			b.Expect("the server responded with a status of 422")
			b.In("#install").Click("Install")
		} else {
			send(b, path)
		}
		b.Wait("The collection file is larger than the limit of 256 KiB.")
		if b.Count("#collectionFile[aria-invalid=true]") != 1 {
			t.Error("the field is not marked")
		}
	}, small())
}

// Whoever was signed out while the page was open is told so, also with a large file, for whose end the server does not
// wait; and with scripts sends the same file again.
func TestUploadAfterSigningOut(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		if !b.with.NoScript {
			b.Expect("the server responded with a status of 401")
		}
		b.Go(collectionsTab)
		b.Choose(fileOf(t, "late.zip", bulky(t, 8<<20)), func() { b.Click("Collection file") })
		s.Clock.Advance(models.SessionIdle + time.Second)
		b.In("#install").Click("Install")
		if b.with.NoScript {
			b.Wait("Nothing was done. Sign in, then send the file again.")
			b.Click("Sign in")
			if b.Text("h1") != "Sign in" {
				t.Errorf("whoever is signed out comes to %s", b.Text("body"))
			}
			return
		}
		b.Wait("You are signed out, and nothing was installed.")
		if chosen(b) != "late.zip" || b.Evaluate("document.activeElement.className") != `"errs"` {
			t.Errorf("the form holds %q: %s", chosen(b), b.Text("main"))
		}
		signIn(b.Another(), "ines@marlowe.example")
		b.In("#install").Click("Install")
		b.Wait("late is installed, version 1.")
	})
}
