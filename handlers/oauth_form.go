package handlers

import (
	"net/url"
	"strings"
)

// mostFormFields is more than any client of RFC 7662 or RFC 7009 sends.
const mostFormFields = 32

// TokenOf reads the parameter token of a form, application/x-www-form-urlencoded, as RFC 6749 has it (section 3.2 and appendix B): a parameter
// without a value is not there, one that nobody knows is ignored, and none comes twice. What is wrong with it is told in characters that an
// error_description may have (section 5.2), without a word of what was sent.
func TokenOf(body string) (token, problem string) {
	var names [mostFormFields]string
	n := 0
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, known := unescaped(name)
		value, good := unescaped(value)
		switch {
		case !known || !good || strings.Contains(pair, ";"): // which some readers take for an ampersand
			return "", "The body is no form. Send token=... as application/x-www-form-urlencoded."
		case n == mostFormFields:
			return "", "The form has more than 32 parameters. Send the token, and nothing that is not needed."
		}
		for _, before := range names[:n] {
			if before == name {
				return "", "A parameter came twice. Send each once."
			}
		}
		names[n] = name
		n++
		switch {
		case name == "token":
			token = value
		case value != "" && (name == "client_secret" || name == "client_assertion" || name == "access_token"):
			return "", "Authenticate in the field Authorization or X-API-Key, and not in the form."
		}
	}
	if token == "" {
		return "", "The parameter token is missing. Send the whole credential in it."
	}
	return token, ""
}

// unescaped resolves the escapes of a name or a value. What has none is not copied.
func unescaped(text string) (string, bool) {
	if !strings.ContainsAny(text, "%+") {
		return text, true
	}
	text, err := url.QueryUnescape(text)
	return text, err == nil
}
