package manage

import (
	"net/http"
	"strconv"
	"time"

	"tokendesk/models"
)

// collection is a named, versioned archive that is installed into a workspace.
type collection struct {
	ID          string    `json:"id" required:"true"`
	WorkspaceID string    `json:"workspace_id" required:"true"`
	Name        string    `json:"name" required:"true"`
	CreatedAt   time.Time `json:"created_at" required:"true"`
	Version     version   `json:"version" required:"true" description:"The one that is installed."`
}

type version struct {
	Number      int       `json:"number" required:"true"`
	Label       string    `json:"label,omitempty" description:"The manifest's version."`
	Description string    `json:"description,omitempty"`
	FileName    string    `json:"file_name" required:"true"`
	SHA256      string    `json:"sha256" required:"true" description:"Of the archive, in hexadecimal."`
	Size        int64     `json:"size" required:"true" description:"Of the archive, in bytes."`
	Entries     int       `json:"entries" required:"true" description:"How many files it has."`
	InstalledAt time.Time `json:"installed_at" required:"true"`
	InstalledBy *somebody `json:"installed_by,omitempty"`
	Current     bool      `json:"current,omitempty"`
}

type file struct {
	Path   string `json:"path" required:"true"`
	Size   int64  `json:"size" required:"true" description:"Bytes."`
	SHA256 string `json:"sha256" required:"true" description:"In hexadecimal."`
}

func versionOf(v models.CollectionVersion, by string) version {
	return version{v.Number, v.Label, v.Description, v.FileName, v.SHA256, v.Size, v.Entries, v.InstalledAt, theOne(v.InstalledBy, by), false}
}

func collectionOf(c models.CollectionSeen) collection {
	return collection{c.ID, c.WorkspaceID, c.Name, c.CreatedAt, versionOf(c.Version, c.InstalledByName)}
}

type oneVersion struct {
	byID
	Number string `path:"number" json:"-" required:"true"`
}

func (a *API) collections() []Operation {
	const tag, one = "Collections", "/v1/collections/{id}"
	reading := "A collection access key of this collection opens it too, in X-API-Key, as Bearer, or as the parameter access_key."
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/workspaces/{id}/collections", ID: "listCollections", Tag: tag, Who: People, Summary: "List a workspace's collections, by name",
			Detail: "POST /installCollection installs one."}, a.listCollections),
		op(Operation{Method: "GET", Path: one, ID: "getCollection", Tag: tag, Who: Readers, Summary: "One collection", Detail: reading}, a.collection),
		op(Operation{Method: "GET", Path: one + "/files", ID: "listFiles", Tag: tag, Who: Readers, Summary: "List the files of a collection, by path", Detail: reading}, a.listFiles),
		{Method: "GET", Path: one + "/files/{path}", ID: "getFile", Tag: tag, Who: Readers, Summary: "One file of a collection, as it is", Detail: reading + " The path may have slashes in it.",
			Status: http.StatusOK, File: "application/octet-stream", Run: a.h.ReadCollectionFile},
		{Method: "GET", Path: one + "/archive", ID: "getArchive", Tag: tag, Who: Readers, Summary: "A collection's archive, as it was installed", Detail: reading,
			Status: http.StatusOK, File: "application/zip", Run: a.h.ReadCollectionArchive},
		op(Operation{Method: "GET", Path: one + "/versions", ID: "listVersions", Tag: tag, Who: People, Summary: "List a collection's versions, newest first"}, a.listVersions),
		op(Operation{Method: "POST", Path: one + "/versions/{number}:make-current", ID: "makeCurrent", Tag: tag, Who: Admins, Summary: "Make another version the one that is installed"}, a.makeCurrent),
		op(Operation{Method: "DELETE", Path: one, ID: "deleteCollection", Tag: tag, Who: Admins, Summary: "Delete a collection with all its versions",
			Detail: "Its access keys end with it."}, a.deleteCollection),
	}
}

func (a *API) listCollections(r request, in askedIn) (list[collection], error) {
	after, err := a.from("collections", in.page)
	if err != nil {
		return list[collection]{}, err
	}
	w, err := a.h.Store.Workspace(r.ctx, r.who, in.ID)
	if err != nil {
		return list[collection]{}, err
	}
	found, next, err := a.h.Store.Collections(r.ctx, w.ID, after)
	return listed(found, a.where("collections", next), collectionOf), err
}

func (a *API) collection(r request, in byID) (collection, error) {
	c, err := a.h.Store.CollectionByID(r.ctx, r.who, in.ID)
	return collectionOf(c.CollectionSeen), err
}

func (a *API) listFiles(r request, in askedIn) (list[file], error) {
	after, err := a.from("files/"+in.ID, in.page)
	if err != nil {
		return list[file]{}, err
	}
	c, err := a.h.Store.CollectionByID(r.ctx, r.who, in.ID)
	if err != nil {
		return list[file]{}, err
	}
	found, err := a.h.Store.Files(r.ctx, c.Version, after.Key, after.Size())
	var next models.Place
	if len(found) > after.Size() {
		found = found[:after.Size()]
		next.Key = found[len(found)-1].Path
	}
	return listed(found, a.where("files/"+in.ID, next), func(f models.CollectionFile) file { return file{f.Path, f.Size, f.SHA256} }), err
}

func (a *API) listVersions(r request, in askedIn) (list[version], error) {
	at, err := a.from("versions", in.page)
	if err != nil {
		return list[version]{}, err
	}
	from, err := below(at)
	if err != nil {
		return list[version]{}, err
	}
	c, err := a.h.Store.CollectionByID(r.ctx, r.who, in.ID)
	if err != nil {
		return list[version]{}, err
	}
	found, err := a.h.Store.Versions(r.ctx, c.Collection, int(from), at.Size())
	var next models.Place
	if len(found) > at.Size() {
		found = found[:at.Size()]
		next.Key = strconv.Itoa(found[len(found)-1].Number)
	}
	return listed(found, a.where("versions", next), versionSeen), err
}

func versionSeen(v models.VersionSeen) version {
	shape := versionOf(v.CollectionVersion, v.InstalledByName)
	shape.Current = v.Current
	return shape
}

func (a *API) makeCurrent(r request, in oneVersion) (version, error) {
	number, err := strconv.ParseInt(in.Number, 10, 32)
	if err != nil || number < 1 || strconv.FormatInt(number, 10) != in.Number {
		return version{}, models.Fail(models.NotFound, "The collection has no such version.")
	}
	c, err := a.h.Store.CollectionByID(r.ctx, r.who, in.ID)
	if err != nil {
		return version{}, err
	}
	v, err := a.h.Store.MakeCurrent(r.ctx, r.who, c.WorkspaceID, in.ID, int(number))
	if err != nil {
		return version{}, err
	}
	v.Current = true
	return versionSeen(v), nil
}

func (a *API) deleteCollection(r request, in confirmedByName) (nothing, error) {
	c, err := a.h.Store.CollectionByID(r.ctx, r.who, in.ID)
	if err != nil {
		return nothing{}, err
	}
	_, err = a.h.Store.DeleteCollection(r.ctx, r.who, c.WorkspaceID, in.ID, in.Name)
	return nothing{}, asParameter(err)
}
