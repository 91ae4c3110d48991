package seed

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"tokendesk/models"
)

// collection is one with all its versions, the oldest first.
type collection struct {
	models.Collection
	versions []version
	now      int // of the versions, the current one
}

// version is one with the number that its archive is made from again.
type version struct {
	models.CollectionVersion
	packed int
}

// renameWorkspace gives a workspace's name an addition, or takes it away again.
func (p *play) renameWorkspace() bool {
	w := &p.workspaces[p.dice.IntN(len(p.workspaces))]
	before := w.Name
	if n := len(before) - len(" (print)"); n > 0 && before[n:] == " (print)" {
		w.Name = before[:n]
	} else if w.Name != "Marlowe Press" {
		w.Name = before + " (print)"
	} else {
		return false
	}
	event := models.Event{Action: models.WorkspaceChanged, SubjectKind: models.OfWorkspace, SubjectID: w.ID, SubjectName: w.Name, WorkspaceID: w.ID}
	return p.record(p.admin(), event, models.Change{Field: "name", Before: before, After: w.Name})
}

// open makes a workspace with its product. There is no event of that kind: the first one is in the set-up's.
func (p *play) open(name string, owner int) {
	n := len(p.workspaces)
	w := models.BornWorkspace(p.id(ofWorkspace, uint64(n)), name, p.at)
	p.workspaces = append(p.workspaces, w)
	p.products = append(p.products, models.NewProduct(p.id(ofProduct, uint64(n)), w.ID, p.at))
	p.owners = append(p.owners, owner)
}

// install brings a new version of a collection, or, one time in four, a new collection.
func (p *play) install() bool {
	by, ok := p.installer()
	if !ok {
		return false
	}
	if draw := p.dice.IntN(4); draw == 0 || len(p.collections) == 0 {
		p.addCollection()
		return p.addVersion(by, len(p.collections)-1)
	}
	return p.addVersion(by, p.someCollection(10))
}

// addCollection makes a collection without a version; the first workspace has most of them.
func (p *play) addCollection() {
	n := p.packed // which grows with every version, so that no name comes twice
	w := early(p.dice.Uint64(), len(p.workspaces))
	if n == 0 {
		w = 0
	}
	name := collectionName(n)
	p.collections = append(p.collections, collection{Collection: models.Collection{
		ID: p.id(ofCollection, uint64(n)), WorkspaceID: p.workspaces[w].ID, Name: name, NameKey: models.Fold(name), CreatedAt: p.at,
	}})
}

func (p *play) addVersion(by models.Actor, n int) bool {
	c := &p.collections[n]
	v := version{packed: p.packed}
	p.packed++
	v.CollectionVersion = models.CollectionVersion{
		ID: p.id(ofVersion, uint64(v.packed)), CollectionID: c.ID, Number: len(c.versions) + 1, Label: "1." + strconv.Itoa(len(c.versions)),
		Description: "Requests and checks, as they are kept by the team.", FileName: models.Slug(c.Name) + ".zip",
		InstalledAt: p.at, InstalledBy: by.ID, CredentialID: by.CredentialID,
	}
	content, files := p.archive(c.Name, v)
	v.SHA256, v.Size, v.Entries = sum(content), int64(len(content)), len(files)
	c.versions = append(c.versions, v)
	return p.makeCurrent(models.CollectionInstalled, by, n, len(c.versions)-1)
}

// makeCurrent has a version take the place of the one before and tells it as the installation's event does.
func (p *play) makeCurrent(action models.Action, by models.Actor, n, now int) bool {
	c, before := &p.collections[n], ""
	if c.CurrentVersionID != "" {
		before = strconv.Itoa(c.versions[c.now].Number)
	}
	v := c.versions[now]
	c.now, c.CurrentVersionID, c.InstalledAt, c.InstalledBy, c.CredentialID = now, v.ID, p.at, by.ID, by.CredentialID
	return p.record(by, c.event(action), models.Change{Field: "file", After: v.FileName},
		models.Change{Field: "version", Before: before, After: v.VersionName()}, models.Change{Field: "sha256", After: v.SHA256})
}

// restore has a program install the bytes of an earlier version.
func (p *play) restore() bool {
	by, ok := p.installer()
	if !ok || len(p.collections) == 0 {
		return false
	}
	n := p.someCollection(10)
	again := p.dice.IntN(len(p.collections[n].versions))
	if again == p.collections[n].now {
		return false
	}
	return p.makeCurrent(models.CollectionRestored, by, n, again)
}

// delete removes a collection that is not the first one.
func (p *play) delete() bool {
	last := len(p.collections) - 1
	if last < 1 {
		return false
	}
	c := p.collections[last]
	p.collections = p.collections[:last]
	return p.record(p.admin(), c.event(models.CollectionDeleted), models.Change{Field: "versions", Before: strconv.Itoa(len(c.versions))})
}

// installAgain is what most programs do most of the time: install what is installed already.
func (p *play) installAgain() bool {
	by, ok := p.installer()
	if !ok || len(p.collections) == 0 {
		return false
	}
	c := p.collections[p.someCollection(2)]
	v := c.versions[c.now]
	return p.record(by, c.event(models.CollectionReinstalled), models.Change{Field: "file", After: v.FileName},
		models.Change{Field: "version", After: v.VersionName()}, models.Change{Field: "sha256", After: v.SHA256})
}

// someCollection is the first one, one time in so many, and otherwise any.
func (p *play) someCollection(oneIn int) int {
	if p.dice.IntN(oneIn) == 0 {
		return 0
	}
	return p.dice.IntN(len(p.collections))
}

// installer is a program with an Admin's token, two times in three the robot. False when the token is not
// good now.
func (p *play) installer() (models.Actor, bool) {
	i := robot
	if admin := p.adminNumber(); p.dice.IntN(3) == 0 && p.holds(admin) {
		i = admin
	}
	if !p.holds(i) {
		return models.Actor{}, false
	}
	person := p.people[i]
	return models.Actor{Kind: models.Program, ID: person.ID, Name: person.Name, CredentialID: p.tokens[i].ID, Address: p.address(i)}, true
}

// holds says whether somebody has a token that is good now.
func (p *play) holds(i int) bool {
	return p.tokens[i] != nil && p.tokens[i].State(p.at) == models.Active
}

func (c collection) event(action models.Action) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCollection, SubjectID: c.ID, SubjectName: c.Name, WorkspaceID: c.WorkspaceID}
}

// archive makes a version's zip, always the same bytes, and lists what is in it in the order of the paths.
func (p *play) archive(name string, v version) ([]byte, []models.CollectionFile) {
	var out bytes.Buffer
	var files []models.CollectionFile
	z := zip.NewWriter(&out)
	for _, f := range []struct{ path, content string }{
		{"collection.json", fmt.Sprintf(`{"name": %q, "version": %q, "description": %q}`, name, v.Label, v.Description)},
		{"docs/README.md", "# " + name + "\n\nInstalled by a program.\n"},
		{"requests.json", fmt.Sprintf(`{"requests": [], "build": "%016x"}`, p.mix(ofArchive, uint64(v.packed)))},
	} {
		body, err := z.CreateHeader(&zip.FileHeader{Name: f.path, Method: zip.Store})
		if err == nil {
			_, err = body.Write([]byte(f.content))
		}
		if err != nil { // memory takes everything
			panic(err)
		}
		files = append(files, models.CollectionFile{VersionID: v.ID, Path: f.path, Size: int64(len(f.content)), SHA256: sum([]byte(f.content))})
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes(), files
}

func sum(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}
