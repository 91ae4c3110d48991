package archive

import "testing"

// saysOfKinds is what is said of the second entry, which has a name.
var saysOfKinds = map[Code]string{
	Symlink:  "is a link; only files and folders can be installed",
	Special:  "is a device, pipe or socket; only files and folders can be installed",
	Mismatch: "is a file by its name or by its attributes, and a folder by the other",
}

// Only files and folders can be installed; whatever else an archive can record is refused.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name string
		m    member
		want Code // "" when it may pass
	}{
		{"link", member{name: "a", body: "/etc/passwd", mode: 0o120777, madeBy: 3}, Symlink},
		{"link, made by FAT", member{name: "a", body: "b", mode: 0o120777}, Symlink},
		{"link with a folder's name", member{name: "a/", mode: 0o120777, stored: true}, Symlink},
		{"junction", member{name: "a", madeBy: 10, central: put32(38, 0x400)}, Symlink},
		{"junction, folder", member{name: "a/", stored: true, madeBy: 0, central: put32(38, 0x410)}, Symlink},
		{"character device", member{name: "a", mode: 0o020666, madeBy: 3}, Special},
		{"block device", member{name: "a", mode: 0o060660, madeBy: 3}, Special},
		{"pipe", member{name: "a", mode: 0o010644, madeBy: 3}, Special},
		{"socket", member{name: "a", mode: 0o140755, madeBy: 3}, Special},
		{"no kind at all", member{name: "a", mode: 0o170000, madeBy: 3}, Special},
		{"setuid", member{name: "a", mode: 0o104755, madeBy: 3}, Special},
		{"setgid", member{name: "a", mode: 0o102755, madeBy: 3}, Special},
		{"setuid without a kind", member{name: "a", mode: 0o4755, madeBy: 3}, Special},
		{"folder by mode, file by name", member{name: "a", mode: 0o040755, madeBy: 3}, Mismatch},
		{"file by mode, folder by name", member{name: "a/", mode: 0o100644, madeBy: 3, stored: true}, Mismatch},
		{"folder by attribute, file by name", member{name: "a", central: put32(38, 0x10)}, Mismatch},

		{"file", member{name: "a", mode: 0o100644, madeBy: 3}, ""},
		{"program", member{name: "a", mode: 0o100755, madeBy: 3}, ""},
		{"no mode", member{name: "a"}, ""},
		{"rights without a kind", member{name: "a", mode: 0o600, madeBy: 3}, ""},
		{"folder", member{name: "a/", mode: 0o040755, madeBy: 3, stored: true}, ""},
		{"shared folder", member{name: "a/", mode: 0o042775, madeBy: 3, stored: true}, ""},
		{"folder, deflated", member{name: "a/", mode: 0o040755, madeBy: 3}, ""},
		{"as the Finder writes it", member{name: "a", madeBy: 3, central: put32(38, 0o100644<<16|0x4000)}, ""},
		{"as the Explorer writes it", member{name: "a", madeBy: 0, central: put32(38, 0x20)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := pack(member{name: "fine.txt"}, c.m)
			if c.want == "" {
				accept(t, data)
				return
			}
			end := saysOfKinds[c.want]
			if c.want == Special && c.m.mode&unixSetuid != 0 {
				end = "runs with its owner's rights (setuid or setgid); only ordinary files can be installed"
			}
			says(t, refused(t, data, c.want), `The archive was refused: entry 2 ("`+c.m.name+`") `+end+".")
		})
	}
}

// Nothing but Store and Deflate is unpacked: every other method is code that would face the attacker.
func TestMethods(t *testing.T) {
	for _, method := range []uint16{1, 6, 9, 12, 14, 93, 95, 98, 99, 0xffff} {
		lie := put16(8, method)
		r := refused(t, pack(member{name: "a", body: "x", local: lie, central: put16(10, method)}), Method)
		says(t, r, `The archive was refused: entry 1 ("a") is packed by a method other than Store and Deflate.`)
	}
}

// What needs a password is said to, whichever of the three flags tells of it.
func TestEncrypted(t *testing.T) {
	for _, flag := range []uint16{flagEncrypted, flagStrongEncrypted, flagMasked} {
		r := refused(t, pack(member{name: "a", flags: flag}), Encrypted)
		says(t, r, `The archive was refused: entry 1 ("a") is encrypted; pack it without a password.`)
	}
}
