package views_test

import "tokendesk/views"

const collectionPath = "/w/marlowe/settings/collections/k1"

func collectionSamples() []sample {
	upload := views.Upload{Action: "/w/marlowe/settings/collections", May: true, MaxSize: 100 << 20,
		Limits: []string{"The .zip file itself: up to 100 MiB.", "Unpacked: up to 500 MiB in 10,000 files."}}
	refused := upload
	refused.Form = form(nil, "collectionFile", "“../../etc/passwd” leads out of the archive. Nothing was installed.")
	list := views.CollectionList{Rows: collections(), Count: "4 of 12 collections", OlderHref: "?after=4", NewestHref: "?", Upload: upload}
	read, failed := list, list
	read.Upload.May, failed.Upload = false, refused
	read.Rows = collections()[2:3] // no link to a person: these are for Admins
	whole, single := collection(), collection()
	single.MayChange, single.Versions, single.Description, single.Current.Label = false, single.Versions[:1], "", ""
	remove := views.CollectionDelete{Name: whole.Name, Path: whole.Path, Back: whole.Back, Versions: "12 versions", Size: "14 MiB"}
	wrong := remove
	wrong.Form = form(map[string]string{"typed": "spring list"}, "typed", "Type the name exactly as it stands here")
	many := page()
	many.More = true
	return []sample{
		{"settings-collections", views.SettingsCollections(many, list)},
		{"settings-collections-read", views.SettingsCollections(memberPage(), read)},
		{"settings-collections-error", views.SettingsCollections(page(), failed)},
		{"settings-collections-empty", views.SettingsCollections(page(), views.CollectionList{Upload: upload})},
		{"settings-collections-empty-read", views.SettingsCollections(memberPage(), views.CollectionList{})},
		{"collection", views.CollectionPage(page(), whole)},
		{"collection-read", views.CollectionPage(memberPage(), single)},
		{"version", views.CollectionVersion(page(), version(whole.Versions[1], true))},
		{"version-current", views.CollectionVersion(page(), version(whole.Versions[0], true))},
		{"version-read", views.CollectionVersion(memberPage(), version(whole.Versions[1], false))},
		{"version-empty", views.CollectionVersion(page(), views.Version{Collection: "Press kit", Path: collectionPath, Back: "/w/marlowe/settings/collections", VersionRow: whole.Versions[0]})},
		{"collection-delete", views.CollectionDeletePage(page(), remove)},
		{"collection-delete-error", views.CollectionDeletePage(page(), wrong)},
	}
}

func collections() []views.CollectionRow {
	row := func(name, file string, version int, label, size string, files int, day, by string) views.CollectionRow {
		return views.CollectionRow{Name: name, FileName: file, Version: version, Label: label, Size: size, Entries: files, Href: collectionPath,
			SHA256: "5f1c0e7bb2d94c7f8a31d6e0c4b95a7e2f6d8c1b0a9e3f7d5c4b2a1908f7a90e", Installed: at(day), By: by, ByHref: "/people/p1", TokenPrefix: "user_4mQ", TokenLastFour: "9xZ1"}
	}
	rows := []views.CollectionRow{
		row("Spring list 2026", "spring-list.zip", 4, "2.4.0", "1.2 MB", 318, "14 Nov 2026", "Ines Moreau"),
		row("Autumn catalogue", "autumn-catalogue-with-a-rather-long-file-name-2026-09-02.zip", 1, "1.0.3", "48 MB", 1204, "2 Sep 2026", "Tomasz Zieliński"),
		row("Press kit", "press-kit.zip", 1, "", "804 kB", 1, "18 Jun 2026", "Priya Raman"),
		row("Reader support", "reader-support.zip", 12, "3.1.0", "96 kB", 41, "7 May 2026", "Ines Moreau"),
	}
	rows[1].TokenPrefix, rows[1].TokenLastFour, rows[2].ByHref = "", "", ""
	return rows
}

func collection() views.Collection {
	row := func(number int, label, size string, files int, day string) views.VersionRow {
		path := collectionPath + "/versions/3"
		return views.VersionRow{Number: number, Label: label, Size: size, Entries: files, FileName: "spring-list.zip",
			SHA256: "5f1c0e7bb2d94c7f8a31d6e0c4b95a7e2f6d8c1b0a9e3f7d5c4b2a1908f7a90e", Installed: at(day), By: "Ines Moreau",
			TokenPrefix: "user_4mQ", TokenLastFour: "9xZ1", Href: path, ArchiveHref: path + "/archive", CurrentAction: path + "/current"}
	}
	versions := []views.VersionRow{
		row(4, "2.4.0", "1.2 MiB", 318, "14 Nov 2026, 16:48"), row(3, "2.3.1-rc.1+build.20261101", "1.1 MiB", 317, "1 Nov 2026, 09:00"),
		row(2, "", "804 KiB", 1, "18 Jun 2026, 12:30"), row(1, "1.0.0", "96 KiB", 41, "7 May 2026, 08:15"),
	}
	versions[0].Current, versions[0].CurrentAction = true, ""
	versions[2].TokenPrefix, versions[2].TokenLastFour = "", ""
	return views.Collection{
		Name: "Spring list 2026", Description: "Every title of the spring list, with jackets and reading samples.",
		Path: collectionPath, Back: "/w/marlowe/settings/collections", Current: versions[0], Versions: versions,
		Count: "12 versions", OlderHref: "?before=1", NewestHref: collectionPath, MayChange: true,
	}
}

func version(row views.VersionRow, mayChange bool) views.Version {
	file := func(path, size string) views.FileRow {
		return views.FileRow{Path: path, Size: size, SHA256: sampleHash, Href: collectionPath + "/versions/3/files/1"}
	}
	row.Description = "With the corrected prices."
	return views.Version{
		Collection: "Spring list 2026", Path: collectionPath, Back: "/w/marlowe/settings/collections", VersionRow: row, MayChange: mayChange,
		Files: []views.FileRow{
			file("collection.json", "412 bytes"), file("jackets/the-long-way-round/front-cover-in-print-resolution-cmyk-with-bleed-and-crop-marks.tiff", "38 MiB"),
			file("samples/Żółć gęślą jaźń.pdf", "1.2 MiB"),
		},
		Count: "318 files", MoreHref: "?after=3", FirstHref: "?",
	}
}
