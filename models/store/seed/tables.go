package seed

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"tokendesk/models"
)

// table is one table and what goes into it.
type table struct {
	name    string
	columns string // in the order of a row's values
	rows    iter.Seq[[]any]
}

// tables lists what is filled, in an order in which whatever is referred to is there first. The history is told
// once for all that it leaves at its end, and once more for each table of which there is too much to be kept.
func tables(set Settings) []table {
	end, log := newPlay(set), newPlay(set)
	end.tell()
	again := func(rows func(*play, func([]any) bool)) iter.Seq[[]any] {
		return func(yield func([]any) bool) { rows(newPlay(set), yield) }
	}
	return []table{
		{"people", "id name name_key email email_key role password_hash password_changed_at time_zone deactivated_at seen_at created_at", end.peopleRows},
		{"workspaces", "id slug name created_at api_calls_a_minute", end.workspaceRows},
		{"products", "id workspace_id name prefix upstream connect_timeout_s answer_timeout_s max_body_mib pass_credential web_socket headers signing_key resources revision created_at", end.productRows},
		{"memberships", "workspace_id person_id role name_key created_at", end.membershipRows},
		{"credentials", "id kind name name_key prefix last4 hash person_id workspace_id product_id scopes enabled created_at created_by expires_at revoked_at revoked_by revoke_reason replaced_by",
			again((*play).credentialRows)},
		{"replaced_secrets", "hash credential_id prefix last4 replaced_at replaced_by", again((*play).secretRows)},
		{"usages", "credential_id calls refused late last_used_at last_address last_late_at workspace_id idle_since used ranked", again((*play).usageRows)},
		{"usage_days", "credential_id day calls refused", again((*play).usageDayRows)},
		{"usage_totals", "day calls refused", again((*play).usageTotalRows)},
		{"blobs", "sha256 size created_at", end.blobRows},
		{"blob_chunks", "sha256 number bytes", end.chunkRows},
		{"collections", "id workspace_id name name_key current_version_id installed_at installed_by credential_id created_at", end.collectionRows},
		{"collection_versions", "id collection_id number label description file_name sha256 size entries installed_at installed_by credential_id", end.versionRows},
		{"collection_files", "version_id path size sha256", end.fileRows},
		{"events", "seq id at action actor_kind actor_id actor_name session_id credential_id subject_kind subject_id subject_name person_id workspace_id address request_id changes hash",
			log.eventRows},
		{"change_clock", "one last_seq last_hash last_at", func(yield func([]any) bool) { yield([]any{1, log.seq, log.hash, log.at}) }},
	}
}

func (p *play) peopleRows(yield func([]any) bool) {
	for _, x := range p.people {
		if !yield([]any{x.ID, x.Name, x.NameKey, x.Email, x.EmailKey, string(x.Role), x.PasswordHash, x.PasswordChangedAt, x.TimeZone, x.DeactivatedAt, x.SeenAt, x.CreatedAt}) {
			return
		}
	}
}

func (p *play) workspaceRows(yield func([]any) bool) {
	for _, w := range p.workspaces {
		if !yield([]any{w.ID, w.Slug, w.Name, w.CreatedAt, w.APICallsAMinute}) {
			return
		}
	}
}

func (p *play) productRows(yield func([]any) bool) {
	for _, x := range p.products {
		resources, err := json.Marshal(x.Resources)
		if err != nil { // strings always encode
			panic(err)
		}
		if !yield([]any{x.ID, x.WorkspaceID, x.Name, x.Prefix, x.Upstream, x.ConnectTimeoutS, x.AnswerTimeoutS, x.MaxBodyMiB, x.PassCredential, x.WebSocket, x.Headers, x.SigningKey, string(resources), x.Revision, x.CreatedAt}) {
			return
		}
	}
}

// orNothing keeps what a credential does not belong to as NULL.
func orNothing(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// membershipRows puts people into workspaces: into the first one a third of all, into each after it fewer.
func (p *play) membershipRows(yield func([]any) bool) {
	for n, w := range p.workspaces {
		for k := range max(3, len(p.people)/(3*(n+1))) {
			i := (p.owners[n] + k) % len(p.people)
			person, role, at := p.people[i], models.WorkspaceMember, w.CreatedAt
			switch {
			case k == 0:
				role = models.WorkspaceOwner
			case person.Role == models.Admin:
				role = models.WorkspaceAdmin
			}
			if person.CreatedAt.After(at) {
				at = person.CreatedAt
			}
			if !yield([]any{w.ID, person.ID, string(role), person.NameKey, at}) {
				return
			}
		}
	}
}

func (p *play) credentialRows(yield func([]any) bool) {
	p.secrets = true
	p.ended = func(c models.Credential) bool {
		return yield([]any{c.ID, string(c.Kind), c.Name, c.NameKey, c.Prefix, c.Last4, c.Hash, orNothing(c.PersonID), orNothing(c.WorkspaceID), orNothing(c.ProductID), c.Scopes.String(),
			c.Enabled, c.CreatedAt, c.CreatedBy, c.ExpiresAt, c.RevokedAt, c.RevokedBy, c.RevokeReason, c.ReplacedBy})
	}
	p.tell()
}

func (p *play) secretRows(yield func([]any) bool) {
	p.secrets = true
	p.replaced = func(x models.Secret) bool {
		return yield([]any{x.Hash, x.CredentialID, x.Prefix, x.Last4, x.ReplacedAt, x.ReplacedBy})
	}
	p.tell()
}

func (p *play) usageRows(yield func([]any) bool) {
	p.ended = func(c models.Credential) bool {
		u, _ := p.usageOf(c)
		return yield([]any{u.CredentialID, u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress, u.LastLateAt, orNothing(u.WorkspaceID), u.IdleSince, u.Used, u.Ranked})
	}
	p.tell()
}

func (p *play) usageDayRows(yield func([]any) bool) {
	p.ended = func(c models.Credential) bool {
		u, used := p.usageOf(c)
		if !used {
			return true
		}
		for _, d := range daysOf(c, u) {
			if !yield([]any{d.CredentialID, d.Day, d.Calls, d.Refused}) {
				return false
			}
		}
		return true
	}
	p.tell()
}

// usageTotalRows adds the calls of all credentials up, day by day.
func (p *play) usageTotalRows(yield func([]any) bool) {
	totals := map[string]models.UsageTotal{}
	p.ended = func(c models.Credential) bool {
		if u, used := p.usageOf(c); used {
			for _, d := range daysOf(c, u) {
				total := totals[d.Day]
				totals[d.Day] = models.UsageTotal{Day: d.Day, Calls: total.Calls + d.Calls, Refused: total.Refused + d.Refused}
			}
		}
		return true
	}
	p.tell()
	for _, day := range slices.Sorted(maps.Keys(totals)) {
		if !yield([]any{day, totals[day].Calls, totals[day].Refused}) {
			return
		}
	}
}

// versions goes through the versions of all collections.
func (p *play) versions(yield func(collection, version) bool) {
	for _, c := range p.collections {
		for _, v := range c.versions {
			if !yield(c, v) {
				return
			}
		}
	}
}

func (p *play) blobRows(yield func([]any) bool) {
	for _, v := range p.versions {
		if !yield([]any{v.SHA256, v.Size, v.InstalledAt}) {
			return
		}
	}
}

func (p *play) chunkRows(yield func([]any) bool) {
	for c, v := range p.versions {
		content, _ := p.archive(c.Name, v)
		if !yield([]any{v.SHA256, 0, content}) {
			return
		}
	}
}

func (p *play) collectionRows(yield func([]any) bool) {
	for _, c := range p.collections {
		if !yield([]any{c.ID, c.WorkspaceID, c.Name, c.NameKey, c.CurrentVersionID, c.InstalledAt, c.InstalledBy, c.CredentialID, c.CreatedAt}) {
			return
		}
	}
}

func (p *play) versionRows(yield func([]any) bool) {
	for _, v := range p.versions {
		if !yield([]any{v.ID, v.CollectionID, v.Number, v.Label, v.Description, v.FileName, v.SHA256, v.Size, v.Entries, v.InstalledAt, v.InstalledBy, v.CredentialID}) {
			return
		}
	}
}

func (p *play) fileRows(yield func([]any) bool) {
	for c, v := range p.versions {
		_, files := p.archive(c.Name, v)
		for _, f := range files {
			if !yield([]any{f.VersionID, f.Path, f.Size, f.SHA256}) {
				return
			}
		}
	}
}

func (p *play) eventRows(yield func([]any) bool) {
	p.secrets = true
	p.events = func(e models.Event) bool {
		return yield([]any{e.Seq, e.ID, e.At, string(e.Action), string(e.ActorKind), e.ActorID, e.ActorName, e.SessionID, e.CredentialID,
			string(e.SubjectKind), e.SubjectID, e.SubjectName, e.PersonID, e.WorkspaceID, e.Address, e.RequestID, e.Changes, e.Hash})
	}
	p.tell()
}
