package seed

import (
	"fmt"
	"strings"

	"tokendesk/models"
)

// What people are called. Earlier entries come up more often than later ones, so that a search finds tens of
// thousands of an Anna and some hundreds of a Wanja.
var (
	given = strings.Fields(`Anna Peter Maria Thomas Elena David Sofia Michael Laura Martin Julia Daniel Sarah Jan Eva Lukas
		Emma Paul Lena Jakob Clara Felix Nora Simon Ida Oskar Greta Anton Marta Hugo Alma Viktor Zoë José Renée Björn Émile
		Łukasz Óscar Inês Søren Jürgen Åsa Žofie Ayşe Nguyễn 李娜 Дмитрий Ελένη Rania Kwame Priya Haruto Mei Tariq Leilani
		Olamide Siobhán Tomás Yusuf Noor Ravi Chiara Wanja`)
	family = strings.Fields(`Weber Novak García Smith Rossi Larsen Kowalski Dubois Jansen Silva Nagy Popescu Horvat Müller
		Virtanen Andersson O'Brien Kaya Ivanova Costa Petrov Moreau Fischer Haas Lindqvist Marino Ortega Pereira Quist Ribeiro
		Sørensen Takahashi Ueda Vasquez Wójcik Xu Yilmaz Zeman Abebe Baptiste Castellano Dvořák Eriksen Fontaine Grünwald Hakim
		Ishikawa Joubert Khatri Lefèvre Mbeki Nakamura Okafor Przybylski Qureshi Raghunathan Szabó Tremblay Underwood
		Vlahović Whitfield Xanthopoulos Youssef Zbinden`)
	domains = []string{"marlowe.example", "printworks.example", "harbour-desk.example", "inkwell.example"}

	// rare is the family name of three people, far from one another in the list.
	rare = []string{"Aldous Quillfeather", "Maud Quillfeather", "Zelda Quillfeather"}
)

// What workspaces and collections are called.
var (
	hues     = strings.Fields(`Amber Azure Birch Cobalt Coral Copper Crimson Ebony Fern Flint Garnet Hazel Indigo Ivory Jade Linen Maple Ochre Olive Opal Pearl Pine Plum Quartz Russet Saffron Sage Scarlet Sienna Slate Teal Umber`)
	places   = strings.Fields(`Press Studio Foundry Archive Bindery Gallery Library Workshop Review Quarterly Atlas Ledger Almanac Harbour Garden Observatory Mill Bureau Exchange Theatre Institute Reader Papers Letters Editions House Yard Lane Bridge Works Room Hall`)
	topics   = strings.Fields(`Invoice Catalogue Shipping Customer Warehouse Payroll Booking Editorial Licence Royalty Newsletter Press Reader Print Stock Returns`)
	things   = strings.Fields(`API Checks Webhooks Reports Imports Exports Forms Templates Queries Alerts`)
	reasons  = []string{"", "", "The laptop was lost.", "It stood in a build log.", "The project is over.", "Routine change."}
	browsers = []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
	}
)

// plain spells names for addresses.
var plain = strings.NewReplacer("ë", "e", "é", "e", "ö", "o", "É", "e", "Ł", "l", "Ó", "o", "ê", "e", "ø", "o", "ü", "u", "Å", "a", "Ž", "z", "ş", "s",
	"ễ", "e", "á", "a", "í", "i", "ř", "r", "á", "a", "è", "e", "ó", "o", "ć", "c", "'", "", " ", ".",
	"李娜", "li.na", "Дмитрий", "dmitri", "Ελένη", "eleni")

// early picks a number below n, a small one more often: half of all draws are in the first eighth.
func early(draw uint64, n int) int {
	x := float64(draw>>11) / (1 << 53)
	return int(x * x * x * float64(n))
}

// nameOf is what the person with a number is called, and their address, which has the number in it.
func (p *play) nameOf(i int) (name, email string) {
	for k, known := range rare {
		if i == (k+1)*p.size.People/4 {
			name = known
		}
	}
	draw := p.mix(ofName, uint64(i))
	if name == "" {
		name = given[early(draw, len(given))] + " " + family[early(mix(draw), len(family))]
	}
	email = fmt.Sprintf("%s.%d@%s", plain.Replace(name), i, domains[early(draw<<32, len(domains))])
	if draw%20 != 0 { // a few are typed with capitals
		email = strings.ToLower(email)
	}
	return name, email
}

func workspaceName(n int) string {
	name := hues[n%len(hues)] + " " + places[n/len(hues)%len(places)]
	if round := n / len(hues) / len(places); round > 0 {
		name = fmt.Sprint(name, " ", round+1)
	}
	return name
}

func collectionName(n int) string {
	if n == 0 {
		return "Nightly build"
	}
	return fmt.Sprintf("%s %s %d", topics[n%len(topics)], things[n/len(topics)%len(things)], n)
}

// newPerson is a row for somebody who joins now.
func (p *play) newPerson(name, email string, role models.Role) models.Person {
	return models.Person{
		ID: p.id(ofPerson, uint64(len(p.people))), Name: name, NameKey: models.Fold(name), Email: email, EmailKey: models.EmailKey(email), Role: role, TimeZone: "UTC", KeyDays: models.DefaultKeyDays,
		PasswordHash: p.password, PasswordChangedAt: p.at, CreatedAt: p.at,
	}
}
