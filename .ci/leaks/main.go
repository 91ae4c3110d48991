// Command leaks finds credentials and private keys in files: in what is committed, and in what the
// tests logged. It reads file names from its input, one a line.
//
//	git ls-files -co --exclude-standard | go run ./.ci/leaks
//
// A text counts as a credential when its checksum is right, so examples may have the form of one as
// long as they could not be one. What it finds it names by place and prefix: a log of CI is read by
// more people than the secret was for.
package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"

	"tokendesk/models/secret"
)

var (
	credential = regexp.MustCompile(`[0-9A-Za-z]{4}_[0-9A-Za-z]{49}`)
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
)

func main() {
	found := 0
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		n, err := search(names.Text())
		if err != nil && !os.IsNotExist(err) { // deleted, and not yet committed
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		found += n
	}
	if found > 0 {
		os.Exit(1)
	}
}

func search(name string) (found int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		for _, text := range credential.FindAllString(string(line), -1) {
			if _, ok := secret.Parse(text); ok {
				fmt.Printf("%s:%d: a credential, %s...\n", name, number, text[:8])
				found++
			}
		}
		if privateKey.Match(line) {
			fmt.Printf("%s:%d: a private key\n", name, number)
			found++
		}
		if err != nil {
			return found, nil // the end
		}
	}
}
