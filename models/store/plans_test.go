package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// planned is a question whose cost must not grow with the tables, and the indexes that answer it: each must be in the
// plan of one of its statements; or another one, which costs the same where there is so little.
type planned struct {
	ask     func() error
	indexes []string
	soon    bool // so many people match that a count, which stops at a number, finds them soon wherever it begins
}

// Every list, search and count is answered by an index that fits it, on both databases, and none by reading a table
// from end to end or by sorting what grows (performance.md): that is what keeps a page flat.
func TestPlans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		grown(t, w)
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 1500 }) // or 2,000 were few
		var asked []string
		w.ListenStatements(func(sql string) { asked = append(asked, sql) })
		for name, c := range questions(t, w, who) {
			asked = nil
			if err := c.ask(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			statements, plans := asked, ""
			for _, sql := range statements {
				plan := explain(t, w, sql)
				plans += plan
				if read := wholeTable(sql, plan); read != "" && !(c.soon && strings.HasPrefix(sql, "SELECT count(*)")) {
					t.Errorf("%s reads all of it:\n%s\n%s", name, sql, plan)
				}
			}
			for _, index := range c.indexes {
				if !slices.ContainsFunc(strings.Split(index, "|"), func(name string) bool { return strings.Contains(plans, name) }) {
					t.Errorf("%s does not use %s:\n%s\n%s", name, index, strings.Join(statements, "\n"), plans)
				}
			}
		}
	})
}

// grown fills the tables with enough for a planner to have a choice.
func grown(t *testing.T, w storetest.World) {
	t.Helper()
	var names []string
	for i := range 2000 {
		names = append(names, fmt.Sprintf("Common %d", i))
	}
	people := crowd(t, w, names...)
	seq := events(t, w, "")
	var more []models.Event
	for i := range 5000 {
		seq++
		more = append(more, models.Event{
			Seq: seq, ID: models.NewID(), At: w.Clock.Now(), Action: models.Action(fmt.Sprint("a", i%40)), ActorKind: models.ActorKind(fmt.Sprint("k", i%30)), ActorID: people[i%50],
			Address: fmt.Sprint("192.0.2.", i%100), SubjectID: people[i%500], PersonID: people[i%500], WorkspaceID: people[i%20], Hash: []byte("x"),
		})
	}
	rare := &more[100] // what is rare is what an index is for
	rare.Action, rare.ActorKind, rare.ActorID, rare.Address = "rare", "rare", models.NewID(), "192.0.2.255"
	rare.SubjectID, rare.PersonID, rare.WorkspaceID = models.NewID(), models.NewID(), models.NewID()
	if err := w.DB().CreateInBatches(more, 100).Error; err != nil {
		t.Fatal(err)
	}
	exec(t, w, "UPDATE change_clock SET last_seq = ?", seq)
	exec(t, w, "UPDATE people SET deactivated_at = created_at WHERE id IN (?)", people[:5])
	var credentials []models.Credential
	for i, id := range people[:1000] {
		credentials = append(credentials, models.Credential{
			ID: models.NewID(), Kind: models.Bearer, PersonID: id, Hash: []byte(sum(id))[:32], Prefix: fmt.Sprintf("user_%03d", i), Last4: "abcd", Enabled: true, CreatedAt: w.Clock.Now(),
		})
	}
	if err := w.DB().CreateInBatches(credentials, 50).Error; err != nil {
		t.Fatal(err)
	}
	random, now := rand.New(rand.NewPCG(1, 2)), w.Clock.Now()
	other := oneMoreWorkspace(t, w, "Other", models.Person{ID: people[0]})
	theirs := models.NewProduct(models.NewID(), other.ID, now)
	must(t, w.DB().Create(&theirs).Error)
	ours := firstProduct(t, w, home).WorkspaceID
	must(t, w.DB().Create(&models.Membership{WorkspaceID: ours, PersonID: people[1], Role: models.WorkspaceMember, CreatedAt: now}).Error)
	var automation []models.Credential
	for i := range 600 {
		id := models.NewID()
		automation = append(automation, models.Credential{
			ID: id, Kind: models.AutomationToken, PersonID: people[i%60], WorkspaceID: []string{ours, other.ID, other.ID}[i%3], Hash: []byte(id), Prefix: "auto_abc", Enabled: true, CreatedAt: now,
		})
	}
	must(t, w.DB().CreateInBatches(automation, 50).Error)
	var keys []models.Credential // of few people, and of few collections
	for i := range 1200 {
		id, ends := models.NewID(), now.AddDate(0, 0, 60)
		c := models.Credential{ID: id, Hash: []byte(id), Prefix: "pkey_abc", Enabled: true, CreatedAt: now, CreatedBy: people[i%60], ExpiresAt: &ends}
		if c.Kind = models.APIKey; i%2 == 0 {
			c.Kind, c.WorkspaceID, c.CollectionID = models.CollectionKey, []string{ours, other.ID}[i/2%2], people[i%8]
		} else {
			c.PersonID = people[i%60]
		}
		if i%3 == 0 {
			c.RevokedAt = &now
		}
		keys = append(keys, c)
	}
	must(t, w.DB().CreateInBatches(keys, 50).Error)
	cards(t, w, firstProduct(t, w, home), anyCards(random, now, 500))
	cards(t, w, theirs, anyCards(random, now, 2500))
	if w.Database() == "PostgreSQL" {
		exec(t, w, "ANALYZE")
	}
}

func questions(t *testing.T, w storetest.World, who models.Actor) map[string]planned {
	ctx := t.Context()
	var first, usual models.Event
	must(t, w.DB().Where("action = 'rare'").Take(&first).Error)
	must(t, w.DB().Where("action = 'a7'").Take(&usual).Error)
	home, err := w.Workspace(ctx, who, home)
	must(t, err)
	done := install(t, w, who, archive("tools.zip", "PK"))
	ines := models.Actor{Kind: models.Human, ID: who.ID, Role: models.Admin}
	card, replaced := w.WorkspaceToken(t, ines, home.Slug, models.NewAPIToken{Name: "a"})
	_, live, err := w.RegenerateAPIToken(ctx, ines, home.Slug, card.ID, models.Regeneration{}, secret.FormID())
	must(t, err)
	a := newAccount(t, w)
	signed := a.signIn(t, "ines@marlowe.example")
	_, auto := a.automation(t, signed.who(), home.Slug, "1h")
	list := func(f models.EventFilter) func() error {
		f.Limit = 51
		return func() error {
			_, err := w.Events(ctx, who, f)
			if err == nil {
				f.Before = 2000
				_, err = w.Events(ctx, who, f)
			}
			if err == nil {
				_, _, err = w.CountEvents(ctx, who, f)
			}
			return err
		}
	}
	people := func(f models.PeopleFilter) func() error {
		return func() error {
			_, place, err := w.People(ctx, who, f)
			if f.After = place; err == nil && place.ID != "" {
				_, _, err = w.People(ctx, who, f)
			}
			if err == nil {
				_, err = w.CountPeople(ctx, who, f)
			}
			return err
		}
	}
	tokens := func(f models.TokenFilter) func() error {
		return func() error {
			found, err := w.APITokens(ctx, who, home.ID, f)
			for range 3 { // into the parts of an order
				if f.After = found.Next; err == nil && f.After.ID != "" {
					found, err = w.APITokens(ctx, who, home.ID, f)
				}
			}
			for part := 1; part < 4 && f.Sort == models.ExpiringFirst && err == nil; part++ {
				f.After = models.TokenPlace{Part: part, ID: card.ID, At: first.At}
				_, err = w.APITokens(ctx, who, home.ID, f)
			}
			return err
		}
	}
	mine, _ := w.Key(t, ines, models.NewAPIKey{Name: "a"})
	keys := func() error {
		_, _, err := w.APIKeys(ctx, ines, models.Place{})
		if err == nil {
			_, _, err = w.APIKeys(ctx, ines, models.Place{ID: mine.ID})
		}
		if err == nil {
			_, err = w.CountAPIKeys(ctx, ines)
		}
		if err == nil {
			_, err = w.CountKeysOf(ctx, ines, ines.ID)
		}
		return err
	}
	w.Share(t, ines, done.Collection.ID, "a")
	shares := func(collection string) func() error {
		return func() error {
			_, next, err := w.CollectionKeys(ctx, ines, collection, models.Place{})
			if err == nil && next.ID != "" {
				_, _, err = w.CollectionKeys(ctx, ines, collection, next)
			}
			return err
		}
	}
	automation := func(who models.Actor) func() error {
		return func() error {
			_, next, err := w.AutomationTokens(ctx, who, home.ID, models.Place{})
			if err == nil {
				_, _, err = w.AutomationTokens(ctx, who, home.ID, next)
			}
			if err == nil {
				_, err = w.CountAutomationTokens(ctx, who, home.ID)
			}
			return err
		}
	}
	everybody := func(f models.CredentialFilter) func() error {
		return func() error {
			found, err := w.AllCredentials(ctx, who, f)
			if f.After = found.Next; err == nil && f.After.ID != "" {
				_, err = w.AllCredentials(ctx, who, f)
			}
			if err == nil {
				_, _, err = w.CountAllCredentials(ctx, who, f)
			}
			return err
		}
	}
	var member models.Membership
	must(t, w.DB().Where("workspace_id = ? AND role = ?", home.ID, models.WorkspaceMember).Take(&member).Error)
	person := who.ID
	const trigrams = "people_trigrams"
	return map[string]planned{
		"all events":                     {list(models.EventFilter{}), nil, false},
		"events by action":               {list(models.EventFilter{Action: first.Action}), []string{"events_action"}, false},
		"events by actor":                {list(models.EventFilter{ActorID: first.ActorID}), []string{"events_actor"}, false},
		"events by kind of actor":        {list(models.EventFilter{ActorKind: first.ActorKind}), []string{"events_actor_kind"}, false},
		"events by address":              {list(models.EventFilter{Address: first.Address}), []string{"events_address"}, false},
		"events by subject":              {list(models.EventFilter{SubjectID: first.SubjectID}), []string{"events_subject"}, false},
		"events by person":               {list(models.EventFilter{PersonID: first.PersonID}), []string{"events_person"}, false},
		"events by workspace":            {list(models.EventFilter{WorkspaceID: home.ID}), []string{"events_workspace"}, false},
		"events by actor and action":     {list(models.EventFilter{ActorID: first.ActorID, Action: first.Action}), []string{"events_actor_action"}, false},
		"events by workspace and action": {list(models.EventFilter{WorkspaceID: usual.WorkspaceID, Action: usual.Action}), []string{"events_workspace_action"}, false},
		"events by day":                  {list(models.EventFilter{From: first.At, To: first.At.AddDate(0, 0, 1)}), []string{"events_at"}, false},
		"events by day and action":       {list(models.EventFilter{From: first.At, Action: first.Action}), []string{"events_at", "events_action"}, false},
		"events nobody made":             {list(models.EventFilter{ActorID: models.NewID()}), []string{"events_actor"}, false},
		"events that never meet":         {list(models.EventFilter{WorkspaceID: usual.WorkspaceID, SubjectID: first.SubjectID, Action: usual.Action}), []string{"events_subject", "events_workspace_action"}, false},
		"people by two letters":          {people(models.PeopleFilter{Query: "co"}), []string{"people_list"}, false},
		"people by two letters and role": {people(models.PeopleFilter{Query: "co", Role: models.Admin}), []string{"people_role"}, false},
		"one event":                      {func() error { _, err := w.Event(ctx, who, "", 70); return err }, nil, false},
		"the next events":                {func() error { _, err := w.EventsAfter(ctx, 70, 100); return err }, nil, false},
		"all people":                     {people(models.PeopleFilter{}), []string{"people_list"}, false},
		"people by role":                 {people(models.PeopleFilter{Role: models.Admin}), []string{"people_role"}, false},
		"people who are deactivated":     {people(models.PeopleFilter{Status: "deactivated"}), []string{"people_deactivated"}, false},
		"people who are active":          {people(models.PeopleFilter{Status: "active"}), []string{"people_list"}, true},
		"people by a rare word":          {people(models.PeopleFilter{Query: "moreau"}), []string{trigrams}, false},
		"people by a common word":        {people(models.PeopleFilter{Query: "common"}), []string{"people_list"}, true},
		"people for a filter":            {func() error { _, err := w.FindPeople(ctx, who, "", "moreau"); return err }, []string{"people_email"}, false},
		"collections for a filter":       {func() error { _, err := w.FindCollections(ctx, who, "", "tools"); return err }, []string{"collections_named"}, false},
		"credentials for a filter":       {func() error { _, err := w.FindCredentials(ctx, who, "user_12"); return err }, []string{"credentials_prefix"}, false},
		"a person's ended credentials":   {func() error { _, err := w.EndedCredentials(ctx, who, person, ""); return err }, []string{"credentials_person|credentials_owner"}, false},
		"their number":                   {func() error { _, err := w.CountEnded(ctx, who, person); return err }, nil, false},
		"a person's record":              {func() error { _, err := w.PersonRecord(ctx, who, person); return err }, nil, false},
		"workspaces":                     {func() error { _, err := w.Workspaces(ctx, who, models.Place{}); return err }, []string{"workspaces_list"}, false},
		"members": {func() error {
			_, _, err := w.Members(ctx, who, home.ID, models.Place{Key: "m", ID: person})
			return err
		}, []string{"memberships_list"}, false},
		"their number too":              {func() error { _, err := w.CountMembers(ctx, home.ID); return err }, nil, false},
		"collections":                   {func() error { _, _, err := w.Collections(ctx, home.ID, models.Place{}); return err }, nil, false},
		"the newest tokens":             {tokens(models.TokenFilter{}), []string{"credentials_workspace|credentials_inside"}, false},
		"the newest tokens of a name":   {tokens(models.TokenFilter{Query: "mail"}), []string{"credentials_workspace|credentials_inside"}, false},
		"the most used tokens":          {tokens(models.TokenFilter{Sort: models.MostUsed}), []string{"usages_most"}, false},
		"the most used that are active": {tokens(models.TokenFilter{Sort: models.MostUsed, Status: models.Active}), []string{"usages_most"}, false},
		"the unused tokens":             {tokens(models.TokenFilter{Sort: models.Unused}), []string{"usages_idle"}, false},
		"the unused that are inactive":  {tokens(models.TokenFilter{Sort: models.Unused, Status: models.Inactive}), []string{"usages_idle"}, false},
		"tokens by expiry":              {tokens(models.TokenFilter{Sort: models.ExpiringFirst}), []string{"credentials_expiring", "credentials_revoked|credentials_dead"}, false},
		"tokens by expiry, revoked":     {tokens(models.TokenFilter{Sort: models.ExpiringFirst, Status: models.Revoked}), []string{"credentials_expiring", "credentials_revoked|credentials_dead"}, false},
		"one token":                     {func() error { _, err := w.APIToken(ctx, who, home.ID, card.ID); return err }, nil, false},
		"the number of tokens":          {func() error { _, err := w.CountAPITokens(ctx, home.ID); return err }, []string{"credentials_workspace|credentials_inside"}, false},
		"the number of live tokens":     {func() error { _, err := w.LiveTokens(ctx, home.ID); return err }, nil, false},
		"automation tokens":             {automation(who), []string{"credentials_workspace|credentials_inside"}, false},
		"a member's automation tokens":  {automation(storetest.As(models.Person{ID: member.PersonID, Role: models.Member})), []string{"credentials_member"}, false},
		"those that a password ends":    {func() error { _, err := w.CountOwnedAutomation(ctx, ines); return err }, nil, false},
		"one's API keys":                {keys, []string{"credentials_keys"}, false},
		"those that were deleted":       {func() error { _, err := w.EndedAPIKeys(ctx, ines); return err }, []string{"credentials_person|credentials_owner"}, false},
		"access keys of one's own":      {shares(""), []string{"credentials_shared", "memberships_person"}, false},
		"access keys of a collection":   {shares(done.Collection.ID), []string{"credentials_collection"}, false},
		"one more access key": {func() error {
			_, _, err := w.CreateCollectionKey(ctx, ines, done.Collection.ID, models.NewCollectionKey{}, secret.FormID())
			return err
		}, []string{"credentials_collection"}, false},
		"one more API key": {func() error {
			_, _, err := w.CreateAPIKey(ctx, ines, models.NewAPIKey{Name: "b"}, secret.FormID())
			return err
		}, []string{"credentials_keys"}, false},
		"products":                    {func() error { _, err := w.Products(ctx, who, home.ID); return err }, []string{"products_prefix"}, false},
		"what a token opens":          {func() error { _, err := w.GrantOf(ctx, live.Hash()); return err }, []string{"credentials_hash"}, false},
		"what a token opened":         {func() error { _, err := w.GrantOf(ctx, replaced.Hash()); return err }, []string{"credentials_hash", "replaced_secrets"}, false},
		"what a person's token opens": {func() error { _, err := w.OpensFor(ctx, models.Bearer, models.Person{ID: who.ID}, ""); return err }, []string{"products_prefix"}, false},
		"a program that signed in":    {func() error { _, err := w.FindProgram(ctx, signed.hash); return err }, []string{"sessions_hash"}, false},
		"a refresh": {func() error {
			s := a.signIn(t, signed.Person.Email)
			_, _, err := w.RenewProgram(ctx, guest, s.refresh, models.Renewal{Email: s.Person.Email})
			return err
		}, []string{"refresh_tokens"}, false},
		"a program that signs in": {func() error {
			_, _, err := w.SignInProgram(ctx, guest, models.SignIn{Email: signed.Person.Email, Password: storetest.Password})
			return err
		}, []string{"memberships_person", "people_email"}, false},
		"what an automation token opens": {func() error { _, err := w.GrantOf(ctx, auto.Hash()); return err }, []string{"credentials_hash"}, false},
		"what a password's change ends":  {func() error { _, err := w.CountOwnedAutomation(ctx, signed.who()); return err }, []string{"memberships_person", "credentials_expiring"}, false},
		"the keys":                       {func() error { _, err := w.JWTKeys(ctx); return err }, nil, false},

		"all credentials":            {everybody(models.CredentialFilter{}), nil, true},
		"credentials by kind":        {everybody(models.CredentialFilter{Kind: models.APIToken}), []string{"credentials_kind"}, false},
		"credentials by owner":       {everybody(models.CredentialFilter{OwnerID: person}), []string{"credentials_owner"}, false},
		"credentials of an owner":    {everybody(models.CredentialFilter{OwnerID: person, Kind: models.AutomationToken}), []string{"credentials_person|credentials_owner"}, false},
		"nobody's credentials":       {everybody(models.CredentialFilter{OwnerID: models.NobodysCredentials}), []string{"credentials_nobodys"}, false},
		"credentials by workspace":   {everybody(models.CredentialFilter{WorkspaceID: home.ID}), []string{"credentials_inside"}, false},
		"credentials of a workspace": {everybody(models.CredentialFilter{WorkspaceID: home.ID, Kind: models.APIToken}), []string{"credentials_workspace|credentials_inside"}, false},
		"credentials by maker":       {everybody(models.CredentialFilter{CreatedBy: person}), []string{"credentials_maker"}, false},
		"active credentials":         {everybody(models.CredentialFilter{Status: models.Active}), []string{"credentials_live"}, false},
		"active API tokens":          {everybody(models.CredentialFilter{Status: models.Active, Kind: models.APIToken}), []string{"credentials_live_kind|credentials_live"}, false},
		"inactive credentials":       {everybody(models.CredentialFilter{Status: models.Inactive}), []string{"credentials_inactive"}, false},
		"expired credentials":        {everybody(models.CredentialFilter{Status: models.Expired}), []string{"credentials_end"}, false},
		"revoked credentials":        {everybody(models.CredentialFilter{Status: models.Revoked}), []string{"credentials_dead"}, false},
		"those that expire soon":     {everybody(models.CredentialFilter{ExpiresWithin: models.ExpiringSoon}), []string{"credentials_end"}, false},
		"those that never expire":    {everybody(models.CredentialFilter{NeverExpires: true}), []string{"credentials_endless"}, false},
		"those that are unused":      {everybody(models.CredentialFilter{UnusedFor: models.UnusedLong}), []string{"usages_since"}, false},
		"those that never were used": {everybody(models.CredentialFilter{NeverUsed: true}), []string{"usages_never"}, false},
		"credentials by name":        {everybody(models.CredentialFilter{Query: "mail"}), []string{"credentials_trigrams"}, false},
		"credentials by beginning":   {everybody(models.CredentialFilter{Query: "user_12..."}), []string{"credentials_prefix"}, false},
		"credentials by their end":   {everybody(models.CredentialFilter{Query: "abcd"}), []string{"credentials_last4"}, false},
		"a credential by its secret": {everybody(models.CredentialFilter{Hash: hashOf(live)}), []string{"credentials_hash"}, false},
		"one that it had before":     {everybody(models.CredentialFilter{Hash: hashOf(replaced)}), []string{"replaced_secrets"}, false},
		"what the overview counts":   {func() error { _, err := w.Figures(ctx, who); return err }, []string{"usage_totals", "credentials_end"}, true},

		"versions": {func() error { _, err := w.Versions(ctx, done.Collection, 0, models.PageSize); return err }, nil, false},
		"files":    {func() error { _, err := w.Files(ctx, done.Version, "a", models.PageSize); return err }, nil, false},
	}
}

func hashOf(text secret.Text) []byte {
	hash := text.Hash()
	return hash[:]
}

// explain is the database's plan for a statement. PostgreSQL is made to prefer indexes: its tables here are so small
// that reading them whole is cheapest, which they are not where it matters.
func explain(t *testing.T, w storetest.World, sql string) string {
	t.Helper()
	if !utf8.ValidString(sql) { // GORM shows a hash as text where by chance no byte of it is a control character
		sql = strings.ReplaceAll(strings.ToValidUTF8(sql, "?"), `\`, "?")
	}
	var lines []string
	if strings.HasPrefix(sql, "SELECT set_config(") { // it says how to plan what follows
		return ""
	}
	err := w.DB().Session(&gorm.Session{NewDB: true, SkipHooks: true}).Transaction(func(tx *gorm.DB) error {
		if w.Database() == "PostgreSQL" {
			prefer := "SET LOCAL enable_seqscan = off"
			if strings.Contains(sql, `"events"`) { // as the store asks: an index in the log's own order, and no sorting
				prefer += "; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL random_page_cost = 0; SET LOCAL seq_page_cost = 0"
			}
			if strings.Contains(sql, "listed") || strings.Contains(sql, "counted") && strings.Contains(sql, `credentials.`) { // as the store asks
				prefer += "; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL random_page_cost = 0; SET LOCAL seq_page_cost = 0"
			}
			if err := tx.Exec(prefer).Error; err != nil {
				return err
			}
			return tx.Raw("EXPLAIN " + sql).Scan(&lines).Error
		}
		var steps []struct{ Detail string }
		err := tx.Raw("EXPLAIN QUERY PLAN " + sql).Scan(&steps).Error
		for _, step := range steps {
			lines = append(lines, step.Detail)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(lines, "\n") + "\n"
}

// wholeTable is the line of a plan that reads a table from end to end, or sorts events or a workspace's tokens. A walk along
// the log from its end is none: it stops at the limit.
func wholeTable(sql, plan string) string {
	sorted := strings.Contains(sql, `"events"`) || strings.HasPrefix(sql, "SELECT credentials.") && !strings.Contains(sql, "AS listed") // of which there are so many, however many there are of all
	for _, table := range []string{"events", "people", "credentials", "collections", "collection_versions", "collection_files", "workspaces", "usages", "usage_days", "products", "replaced_secrets", "sessions", "refresh_tokens", "memberships"} {
		for line := range strings.Lines(plan) {
			line = strings.TrimSpace(line)
			switch {
			case line == "SCAN "+table && (table != "events" || strings.Contains(sql, "WHERE")), strings.Contains(line, "Seq Scan on "+table+" "):
				return line
			case sorted && (strings.Contains(line, "TEMP B-TREE") || strings.HasPrefix(line, "->  Sort")):
				return line
			}
		}
	}
	return ""
}
