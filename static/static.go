// Package static holds what the pages load: style, script, icons, fonts and line art. Every file is
// served under a name that carries a hash of its content ("app.3f9c2d1ab07e.css"), so that a browser
// may keep it for ever and a new version has a new name. The stylesheet names other files by their
// plain names; they are exchanged for the hashed ones in memory when the program starts.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Prefix is the address below which the files are served.
const Prefix = "/static/"

// app.css and app.js are written here; the fonts come with their licences beside them.
//
//go:embed app.css app.js *.svg fonts
var files embed.FS

type asset struct {
	body   []byte
	hashed string // the name with the hash before the extension
}

var assets, plainNames = load()

// URL is the address of a file, by its plain name: "app.css", "fonts/geist-latin.woff2". A name that
// is not there is a mistake in the program, and panics.
func URL(name string) string {
	a, ok := assets[name]
	if !ok {
		panic("static: no file " + name)
	}
	return Prefix + a.hashed
}

// Lookup turns what was asked for, the part of the address after Prefix, into the plain name for
// Read. It finds files by their hashed names, which never change their content and may be cached
// without end, and by their plain ones, which may not. An outdated hash finds nothing.
func Lookup(asked string) (name string, hashed, ok bool) {
	if name, ok := plainNames[asked]; ok {
		return name, true, true
	}
	_, ok = assets[asked]
	return asked, false, ok
}

// Read gives the content of a file, by its plain name, and its media type. The bytes are shared: they
// must not be changed. A name that is not there gives nil and an empty type.
func Read(name string) (body []byte, contentType string) {
	a, ok := assets[name]
	if !ok {
		return nil, ""
	}
	return a.body, types[path.Ext(name)]
}

var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml; charset=utf-8",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// load reads every embedded file and names it. Stylesheets come last, because their own hash depends
// on the names that are put into them.
func load() (map[string]asset, map[string]string) {
	found, sheets := map[string]asset{}, map[string][]byte{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if path.Ext(name) == ".css" {
			sheets[name] = body
		} else {
			found[name] = asset{body, hashedName(name, body)}
		}
		return err
	})
	if err != nil {
		panic("static: " + err.Error()) // the files are inside the program: it was built wrong
	}
	for name, body := range sheets {
		body = rewrite(name, body, found)
		found[name] = asset{body, hashedName(name, body)}
	}
	plain := make(map[string]string, len(found))
	for name, a := range found {
		plain[a.hashed] = name
	}
	return found, plain
}

func hashedName(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
}

var reference = regexp.MustCompile(`url\(([^)]+)\)`)

// rewrite exchanges the names in url(…), which are relative to the stylesheet, for hashed ones.
func rewrite(sheet string, body []byte, found map[string]asset) []byte {
	return reference.ReplaceAllFunc(body, func(match []byte) []byte {
		name := string(reference.FindSubmatch(match)[1])
		target, ok := found[path.Join(path.Dir(sheet), name)]
		if !ok {
			panic(fmt.Sprintf("static: %s names %s, which is not there", sheet, name))
		}
		return []byte("url(" + path.Join(path.Dir(name), path.Base(target.hashed)) + ")")
	})
}
