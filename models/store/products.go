package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyOwnersResources = "Only the workspace's Owner and Admins can change its resources."
	onlyAdminsUpstream  = "Only Admins can change where a product's calls go: an address may be one that only this server can reach."
)

var (
	noProduct        = models.Fail(models.NotFound, "There is no such product in this workspace.")
	changedMeanwhile = models.Fail(models.Conflict, "Somebody else has changed this product meanwhile. Reload the page, then make your change again.")
)

// Products lists a workspace's products, the first one first.
func (s *Store) Products(ctx context.Context, who models.Actor, workspace string) ([]models.Product, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return nil, err
	}
	var list []models.Product
	return list, translate(s.db.WithContext(ctx).Where("workspace_id = ?", w.ID).Order("id").Find(&list).Error)
}

// ProductOf finds a product of a workspace.
func (s *Store) ProductOf(ctx context.Context, who models.Actor, workspace, id string) (models.Product, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return models.Product{}, err
	}
	return productOf(s.db.WithContext(ctx), w.ID, id)
}

// UsedProducts says which of a workspace's products have had a token.
func (s *Store) UsedProducts(ctx context.Context, workspaceID string) (map[string]bool, error) {
	db := s.db.WithContext(ctx)
	var ids []string
	err := db.Model(&models.Product{}).Where("workspace_id = ? AND EXISTS (?)", workspaceID,
		fresh(db).Model(&models.Credential{}).Select("1").Where("credentials.product_id = products.id")).Pluck("id", &ids).Error
	used := map[string]bool{}
	for _, id := range ids {
		used[id] = true
	}
	return used, translate(err)
}

// Product finds one by its ID, for the gateway. What it holds sealed stays sealed.
func (s *Store) Product(ctx context.Context, id string) (models.Product, error) {
	return withID[models.Product](s.db.WithContext(ctx), id)
}

// CreateProduct gives a workspace another product. It points to the sample until it is pointed elsewhere.
func (s *Store) CreateProduct(ctx context.Context, who models.Actor, workspace string, n models.ProductNaming) (models.Product, error) {
	var p models.Product
	problems := n.Clean()
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(who.MayEditResources(w.Role), onlyOwnersResources); err != nil {
			return event, err
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		var there int64
		if err := fresh(tx).Model(&models.Product{}).Where("workspace_id = ?", w.ID).Count(&there).Error; err != nil {
			return event, err
		}
		if there >= models.MostProducts {
			return event, models.Fail(models.Conflict, "A workspace has at most %d products. Make another workspace.", models.MostProducts)
		}
		p = models.NewProduct(s.newID(), w.ID, s.now())
		p.Name, p.Prefix = n.Name, n.Prefix
		if err := namedAlone(tx, p); err != nil {
			return event, err
		}
		if err = tx.Create(&p).Error; errors.Is(err, gorm.ErrDuplicatedKey) {
			return event, onField("prefix", models.Fail(models.Invalid, "Another product of this workspace has the prefix %s.", p.Prefix))
		}
		return productEvent(models.ProductCreated, p).WithChanges(models.Change{Field: "prefix", After: p.Prefix}), err
	})
	return p, err
}

// NameProduct gives a product another name, and its tokens another prefix while it has none.
func (s *Store) NameProduct(ctx context.Context, who models.Actor, workspace, id string, n models.ProductNaming) (models.Product, error) {
	return s.RenameProduct(ctx, who, workspace, id, func(models.Product) models.ProductNaming { return n })
}

// RenameProduct is NameProduct for who changes a part: to is asked what it is to be called, of what it is when it is the change's turn.
func (s *Store) RenameProduct(ctx context.Context, who models.Actor, workspace, id string, to func(models.Product) models.ProductNaming) (models.Product, error) {
	return s.changeProduct(ctx, who, workspace, id, onlyOwnersResources, models.Actor.MayEditResources, func(tx *gorm.DB, p *models.Product) ([]models.Change, error) {
		n := to(*p)
		if err := n.Clean().Err(); err != nil {
			return nil, err
		}
		if p.Prefix != n.Prefix {
			var used []string
			if err := fresh(tx).Model(&models.Credential{}).Where("product_id = ?", p.ID).Limit(1).Pluck("id", &used).Error; err != nil {
				return nil, err
			}
			if len(used) > 0 {
				return nil, onField("prefix", models.Fail(models.Invalid, "Tokens with the prefix %s exist already, so it stays as it is.", p.Prefix))
			}
		}
		changes := changed(change{"name", p.Name, n.Name}, change{"prefix", p.Prefix, n.Prefix})
		renamed := p.Name != n.Name
		if p.Name, p.Prefix = n.Name, n.Prefix; renamed {
			return changes, namedAlone(tx, *p)
		}
		return changes, nil
	})
}

// namedAlone refuses a product whose name another one of its workspace has, as people read it. Writes follow each other, so nobody takes
// the name meanwhile.
func namedAlone(tx *gorm.DB, p models.Product) error {
	var names []string
	if err := fresh(tx).Model(&models.Product{}).Where("workspace_id = ? AND id <> ?", p.WorkspaceID, p.ID).Pluck("name", &names).Error; err != nil {
		return err
	}
	for _, name := range names {
		if models.Fold(name) == models.Fold(p.Name) {
			return onField("name", models.Fail(models.Invalid, "Another product of this workspace has the name %s.", name))
		}
	}
	return nil
}

// SetResources changes what a product's tokens may reach. Tokens that are narrowed to an operation that is gone reach
// less from then on, and never more.
func (s *Store) SetResources(ctx context.Context, who models.Actor, workspace, id string, revision int64, r models.Resources) (models.Product, error) {
	problems := r.Clean()
	return s.changeProduct(ctx, who, workspace, id, onlyOwnersResources, models.Actor.MayEditResources, func(_ *gorm.DB, p *models.Product) ([]models.Change, error) {
		if p.Revision != revision {
			return nil, changedMeanwhile
		}
		if err := problems.Err(); err != nil {
			return nil, err
		}
		changes := p.Resources.Changes(r)
		p.Resources = r
		return changes, nil
	})
}

// PointProduct says where a product's calls go, and how. revision is the one that whoever says so has seen.
func (s *Store) PointProduct(ctx context.Context, who models.Actor, workspace, id string, revision int64, u models.ProductUpstream) (models.Product, error) {
	problems := u.Clean()
	may := func(who models.Actor, _ models.WorkspaceRole) bool { return who.MayPointProducts() }
	return s.changeProduct(ctx, who, workspace, id, onlyAdminsUpstream, may, func(_ *gorm.DB, p *models.Product) ([]models.Change, error) {
		if p.Revision != revision {
			return nil, changedMeanwhile
		}
		if err := problems.Err(); err != nil {
			return nil, err
		}
		changes := changed(
			change{"upstream", upstreamName(p.Upstream), upstreamName(u.Upstream)},
			change{"time to connect", strconv.Itoa(p.ConnectTimeoutS) + " s", strconv.Itoa(u.ConnectTimeoutS) + " s"},
			change{"time to answer", strconv.Itoa(p.AnswerTimeoutS) + " s", strconv.Itoa(u.AnswerTimeoutS) + " s"},
			change{"largest request", strconv.Itoa(p.MaxBodyMiB) + " MiB", strconv.Itoa(u.MaxBodyMiB) + " MiB"},
			change{"credential passed on", yes(p.PassCredential), yes(u.PassCredential)},
			change{"WebSockets", yes(p.WebSocket), yes(u.WebSocket)},
		)
		if string(p.Headers) != string(u.Headers) { // sealed anew each time: that they were sent is all there is to tell
			changes = append(changes, models.Change{Field: "header fields", After: "set"})
		}
		p.Upstream, p.ConnectTimeoutS, p.AnswerTimeoutS, p.MaxBodyMiB = u.Upstream, u.ConnectTimeoutS, u.AnswerTimeoutS, u.MaxBodyMiB
		p.PassCredential, p.WebSocket, p.Headers = u.PassCredential, u.WebSocket, u.Headers
		if u.SigningKey != nil {
			p.SigningKey = u.SigningKey
			changes = append(changes, models.Change{Field: "signing key", After: "made"})
		}
		return changes, nil
	})
}

// SetSigningKey gives a product another key, sealed. formID is the one-use number of the form, and revision the one that
// whoever sent it has seen: a key that was made since is not replaced by somebody who was not asked.
func (s *Store) SetSigningKey(ctx context.Context, who models.Actor, workspace, id string, revision int64, sealed []byte, formID string) (models.Product, error) {
	if !secret.ValidFormID(formID) {
		return models.Product{}, models.Fail(models.Invalid, "This form is incomplete. Open the page again.")
	}
	may := func(who models.Actor, _ models.WorkspaceRole) bool {
		return who.MayPointProducts() && who.Kind == models.Human
	}
	return s.changeProduct(ctx, who, workspace, id, onlyAdminsUpstream, may, func(tx *gorm.DB, p *models.Product) ([]models.Change, error) {
		if err := useForm(tx, formID, who.ID, p.ID, s.now()); err != nil {
			return nil, err
		}
		if p.Revision != revision {
			return nil, changedMeanwhile
		}
		p.SigningKey = sealed
		return []models.Change{{Field: "signing key", After: "made"}}, nil
	})
}

func upstreamName(address string) string {
	if address == "" {
		return "the sample product"
	}
	return address
}

func yes(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// change is one value before and after, of which an event tells where they differ.
type change struct{ field, before, after string }

func changed(all ...change) (changes []models.Change) {
	for _, c := range all {
		if c.before != c.after {
			changes = append(changes, models.Change{Field: c.field, Before: c.before, After: c.after})
		}
	}
	return changes
}

// changeProduct reads a product of a workspace under lock, has it changed, and stores it as its next revision. No changes
// are no event.
func (s *Store) changeProduct(ctx context.Context, who models.Actor, workspace, id, refusal string, may func(models.Actor, models.WorkspaceRole) bool,
	decide func(*gorm.DB, *models.Product) ([]models.Change, error)) (models.Product, error) {
	var p models.Product
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(may(who, w.Role), refusal); err != nil {
			return event, err
		}
		if p, err = productOf(lock(tx), w.ID, id); err != nil {
			return event, err
		}
		changes, err := decide(tx, &p)
		if err != nil {
			return event, err
		}
		if len(changes) == 0 {
			return event, errUnchanged
		}
		p.Revision++
		columns, err := productColumns(p)
		if err != nil {
			return event, err
		}
		err = one(tx.Model(&models.Product{}).Where("id = ?", p.ID).Updates(columns))
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			err = onField("prefix", models.Fail(models.Invalid, "Another product of this workspace has the prefix %s.", p.Prefix))
		}
		return productEvent(models.ProductChanged, p).WithChanges(changes...), err
	})
	return p, err
}

func productEvent(action models.Action, p models.Product) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfProduct, SubjectID: p.ID, SubjectName: p.Name, WorkspaceID: p.WorkspaceID}
}

func productColumns(p models.Product) (map[string]any, error) {
	resources, err := json.Marshal(p.Resources)
	return map[string]any{
		"name": p.Name, "prefix": p.Prefix, "upstream": p.Upstream, "connect_timeout_s": p.ConnectTimeoutS, "answer_timeout_s": p.AnswerTimeoutS,
		"max_body_mib": p.MaxBodyMiB, "pass_credential": p.PassCredential, "web_socket": p.WebSocket, "headers": noNull(p.Headers),
		"signing_key": noNull(p.SigningKey), "resources": string(resources), "revision": p.Revision,
	}, err
}

// noNull keeps bytes that are none from becoming NULL. SQLite reads none where none were written.
func noNull(bytes []byte) []byte { return append([]byte{}, bytes...) }

func productOf(tx *gorm.DB, workspaceID, id string) (models.Product, error) {
	if !models.ValidID(id) {
		return models.Product{}, noProduct
	}
	p, err := take[models.Product](tx.Where("id = ? AND workspace_id = ?", id, workspaceID))
	if models.KindOf(err) == models.NotFound {
		err = noProduct
	}
	return p, err
}

// giveProducts gives each workspace from before there were products the one that it would have been born with. It
// belongs to the schema's steps, and like them makes no event.
func (s *Store) giveProducts(ctx context.Context) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := readClock(tx); err != nil { // two servers may start at once
			return err
		}
		var without []models.Workspace
		if err := tx.Where("id NOT IN (?)", fresh(tx).Model(&models.Product{}).Select("workspace_id")).Find(&without).Error; err != nil {
			return err
		}
		for _, w := range without {
			if err := s.bearProduct(tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	return translate(err)
}

func (s *Store) bearProduct(tx *gorm.DB, w models.Workspace) error {
	p := models.NewProduct(s.newID(), w.ID, s.now())
	return tx.Create(&p).Error
}

// mostPrefixes bounds the list of prefixes.
const mostPrefixes = 10_000

// ProductPrefixes are what API tokens begin with, of every product that there is or was in a workspace that is deleted. Anybody may know them.
func (s *Store) ProductPrefixes(ctx context.Context) (list []string, err error) {
	err = s.db.WithContext(ctx).Model(&models.Product{}).Distinct("prefix").Order("prefix").Limit(mostPrefixes).Pluck("prefix", &list).Error
	return list, translate(err)
}
