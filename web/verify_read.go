package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tokendesk/models"
)

const (
	longestWorkspace  = 100     // characters of a slug or an ID
	longestVerifyPath = 8 << 10 // bytes
)

// parse reads the object that is asked with; body is what is read, as a text of which the parts are kept. A name that nobody knows, or that comes
// twice, is refused, and so is what is left out or is nothing.
func (v *verifying) parse(body string) error {
	v.decoder.Reset(bytes.NewBuffer(v.body)) // which it reads in place, and leaves nothing of in a buffer of its own
	v.asked = v.asked[:0]
	workspace, has := "", false
	err := v.object(body, func(name string) error {
		switch name {
		case "workspace":
			return v.text(body, &workspace)
		case "requests":
			has = true
			return v.list(body)
		}
		return errOdd
	})
	if err == nil {
		if _, after := v.decoder.ReadToken(); after != io.EOF {
			err = errOdd
		}
	}
	switch {
	case err == errMany:
		return models.Fail(models.TooLarge, "That is more than 100 credentials. Send them in several calls.")
	case err != nil:
		return verifyHowTo("")
	case !has || len(v.asked) == 0:
		return verifyHowTo("requests is missing, or empty.")
	}
	return v.whole(workspace)
}

var (
	errOdd  = errors.New("it is no such object")
	errMany = errors.New("it has too many")
)

// whole looks whether each question has what it needs.
func (v *verifying) whole(workspace string) error {
	for i := range v.asked {
		a := &v.asked[i]
		if a.workspace == "" {
			a.workspace = workspace
		}
		problem := ""
		switch {
		case a.credential == "":
			problem = "credential is missing."
		case a.method == "" || len(a.method) > longestMethod:
			problem = "method is missing, or none."
		case a.path == "" || len(a.path) > longestVerifyPath:
			problem = "path is missing, or longer than 8 KiB."
		case len(a.workspace) > longestWorkspace:
			problem = "workspace is neither a slug nor an ID."
		default:
			continue
		}
		return verifyHowTo("In requests[" + strconv.Itoa(i) + "], " + problem)
	}
	return nil
}

// list reads the questions.
func (v *verifying) list(body string) error {
	if t, err := v.decoder.ReadToken(); err != nil || t.Kind() != '[' {
		return errOdd
	}
	for v.decoder.PeekKind() == '{' {
		if len(v.asked) == mostInAVerify {
			return errMany
		}
		v.asked = append(v.asked, verification{})
		a := &v.asked[len(v.asked)-1]
		err := v.object(body, func(name string) error {
			switch name {
			case "credential":
				return v.text(body, &a.credential)
			case "method":
				return v.text(body, &a.method)
			case "path":
				return v.text(body, &a.path)
			case "workspace":
				return v.text(body, &a.workspace)
			}
			return errOdd
		})
		if err != nil {
			return err
		}
	}
	if t, err := v.decoder.ReadToken(); err != nil || t.Kind() != ']' {
		return errOdd
	}
	return nil
}

// object reads an object; member reads the value of each of its members.
func (v *verifying) object(body string, member func(name string) error) error {
	if t, err := v.decoder.ReadToken(); err != nil || t.Kind() != '{' {
		return errOdd
	}
	for v.decoder.PeekKind() == '"' {
		var name string
		if err := v.text(body, &name); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	if t, err := v.decoder.ReadToken(); err != nil || t.Kind() != '}' {
		return errOdd
	}
	return nil
}

// text reads a text. One without escapes is part of the body, and not copied.
func (v *verifying) text(body string, into *string) error {
	raw, err := v.decoder.ReadValue()
	if err != nil || raw.Kind() != '"' {
		return errOdd
	}
	end := int(v.decoder.InputOffset()) - 1
	*into = body[end+2-len(raw) : end]
	if strings.IndexByte(*into, '\\') >= 0 {
		text, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return errOdd
		}
		*into = string(text)
	}
	return nil
}

func isTooLarge(err error) bool {
	var large *http.MaxBytesError
	return errors.As(err, &large)
}
