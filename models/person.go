package models

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Role is a person's role in the installation.
type Role string

const (
	Admin  Role = "Admin"
	Member Role = "Member"
)

// Person is a human account.
type Person struct {
	ID                string `gorm:"primaryKey"`
	Name              string
	NameKey           string // folded, for sorting and searching
	Email             string // as it was typed
	EmailKey          string // folded; unique
	Role              Role
	PasswordHash      string // Argon2id in PHC form
	PasswordChangedAt time.Time
	TimeZone          string // IANA name, like Europe/London
	KeyDays           int    // how many days the next API keys live; 0: without end
	DeactivatedAt     *time.Time
	SeenAt            *time.Time // last use of a session, kept to the minute
	CreatedAt         time.Time  `gorm:"autoCreateTime:false"`
}

// Active says whether the person may sign in and their credentials count.
func (p Person) Active() bool { return p.DeactivatedAt == nil }

// ActiveAdmin says whether the person counts as one of the Admins that there must always be.
func (p Person) ActiveAdmin() bool { return p.Active() && p.Role == Admin }

// NewPerson is the input of a person's creation.
type NewPerson struct {
	Name, Email string
	Role        Role
	Password    string // the password itself; never stored
}

// Clean trims what was typed and tells everything that is wrong with it. What is wrong with the
// password is for the caller to say: checking one takes more than this package may import.
func (n *NewPerson) Clean() Problems {
	var p Problems
	cleanPerson(&p, &n.Name, &n.Email, n.Role)
	p.Add(n.Password == "", "password", "Enter a password.")
	return p
}

// PersonEdit is the input of a change to a person's record.
type PersonEdit struct {
	Name, Email string
	Role        Role
}

// Clean trims what was typed and tells everything that is wrong with it.
func (e *PersonEdit) Clean() Problems {
	var p Problems
	cleanPerson(&p, &e.Name, &e.Email, e.Role)
	return p
}

// Apply says what the edit changes on a person, for the event; it changes the receiver's columns only.
func (e PersonEdit) Apply(p *Person) []Change {
	var changes []Change
	note := func(field, before, after string) {
		if before != after {
			changes = append(changes, Change{field, before, after})
		}
	}
	note("name", p.Name, e.Name)
	note("email", p.Email, e.Email)
	note("role", string(p.Role), string(e.Role))
	p.Name, p.NameKey, p.Email, p.EmailKey, p.Role = e.Name, Fold(e.Name), e.Email, EmailKey(e.Email), e.Role
	return changes
}

func cleanPerson(p *Problems, name, email *string, role Role) {
	*name, *email = CleanText(*name), strings.TrimSpace(*email)
	p.Add(*name == "", "name", "Enter a name.")
	p.Add(utf8.RuneCountInString(*name) > 120, "name", "Name must be 120 characters or fewer.")
	p.Add(!Printable(*name) || !strings.ContainsFunc(*name, legible), "name", "Name has characters that can't be shown. Type it again.")
	p.Add(*email == "", "email", "Enter an email address.")
	p.Add(!validEmail(*email), "email", "Enter an email address in the format name@example.com.")
	p.Add(role != Admin && role != Member, "role", "Choose a role.")
}

// legible is what a name needs one of at least: letters and digits that have a shape.
func legible(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// validEmail accepts a bare addr-spec (RFC 5322, section 3.4.1) that fits in a mail path (RFC 5321, section 4.5.3.1.3).
// The parser lets white space beyond ASCII pass.
func validEmail(text string) bool {
	if len(text) > 254 || !Printable(text) || strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	addr, err := mail.ParseAddress(text)
	return err == nil && addr.Address == text && addr.Name == ""
}

// EmailKey is the one form of an address that accounts are found and counted by (security rule S10).
func EmailKey(email string) string { return Fold(strings.TrimSpace(email)) }

// Fold brings text into the form that is compared and sorted by.
func Fold(text string) string { return strings.ToLower(CleanText(text)) }

// CleanText trims text and makes every run of white space one space.
func CleanText(text string) string { return strings.Join(strings.Fields(text), " ") }

// Printable refuses what could disturb a page or a terminal: invalid UTF-8, control and
// format characters, among them those that reverse the direction of writing.
func Printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) })
}

// OnlyPrintable drops what Printable refuses.
func OnlyPrintable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !Printable(string(r)) {
			return -1
		}
		return r
	}, text)
}

// Shorten keeps the first n characters of a text.
func Shorten(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
