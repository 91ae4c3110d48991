package web_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"
)

// zipOf packs files, given as pairs of name and content.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallZip is a body that installs a collection: multipart/form-data with the boundary "edge".
func smallZip(t testing.TB) []byte {
	return bodyOf(part("collectionFile", "small.zip", zipOf(t, "docs/a.txt", "hello")))
}

// part is one part of a body; without a file name it is a plain field.
func part(field, file string, content []byte) []byte {
	disposition := fmt.Sprintf(`form-data; name="%s"`, field)
	if file != "" {
		disposition += fmt.Sprintf(`; filename="%s"`, file)
	}
	return append([]byte("--edge\r\nContent-Disposition: "+disposition+"\r\n\r\n"), append(bytes.Clone(content), "\r\n"...)...)
}

// bodyOf puts parts together.
func bodyOf(parts ...[]byte) []byte { return append(bytes.Join(parts, nil), "--edge--\r\n"...) }
