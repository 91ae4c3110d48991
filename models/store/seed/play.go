package seed

import (
	"encoding/hex"
	"math/rand/v2"
	"time"

	"tokendesk/models"
)

// play is the installation while its history is told, one event after the other. What comes next is drawn from
// the seed, so that a history told again is the same one: that is how each table can be filled in a run of its
// own, and none of them has to be held in memory.
type play struct {
	size     Size
	seed     uint64
	password string // everybody's hash
	start    time.Time
	pace     time.Duration // from one event to the next, on average

	dice *rand.Rand // decides what comes next, and nothing else does
	plan [parts]part
	seq  int64     // of the event under way
	at   time.Time // of the event under way

	people      []models.Person
	tokens      []*models.Credential // by person: the one that is not revoked or replaced
	sessions    []string             // by person: the ID of the one that began last
	gone        []int                // who is deactivated
	workspaces  []models.Workspace
	owners      []int               // by workspace
	products    []models.Product    // by workspace
	supplied    int                 // workspaces that have an API token
	cards       []models.Credential // API tokens with which somebody may still do something
	collections []collection
	minted      uint64 // secrets
	packed      int    // archives
	secrets     bool   // tokens get them, which whoever needs no token's beginning or hash does without

	hash      []byte // of the last event
	events    func(models.Event) bool
	ended     func(models.Credential) bool
	replaced  func(models.Secret) bool
	satisfied bool // nobody listens any more
}

// part is one kind of thing that happens: how often it still will, and what it does. It answers false where
// nothing can be done, for want of somebody to do it to; then somebody signs in instead.
type part struct {
	left int
	do   func() bool
}

// The kinds of parts.
const (
	signsIn = iota
	joins
	changesName
	leaves
	comesBack
	changesPassword
	isSignedOut
	renamesWorkspace
	rotates
	issues
	revokes
	makesToken
	changesToken
	installs
	restores
	deletes
	installsAgain
	refusesSignIn
	refusesInstall
	denies
	confirms
	endsSession
	parts
)

// The kinds of things that get numbers of their own: see mix.
const (
	ofPerson byte = iota
	ofName
	ofToken
	ofTokenID
	ofWorkspace
	ofCollection
	ofVersion
	ofEvent
	ofRequest
	ofSession
	ofAddress
	ofUsage
	ofArchive
	ofCard
	ofProduct
)

func newPlay(set Settings) *play {
	start := set.Until.AddDate(-2, 0, 0)
	p := &play{
		size: set.Size, seed: set.Seed, password: set.PasswordHash, start: start,
		pace: set.Until.Sub(start) / time.Duration(set.Size.Events),
		dice: rand.New(rand.NewPCG(set.Seed, 0)),
	}
	s := set.Size
	p.plan = [parts]part{
		signsIn:          {s.Events, p.signIn},
		joins:            {s.People, p.join},
		changesName:      {s.People / 20, p.changeName},
		leaves:           {s.People * 8 / 100, p.leave},
		comesBack:        {s.People / 100, p.comeBack},
		changesPassword:  {s.People / 20, p.changePassword},
		isSignedOut:      {s.People / 100, p.signOut},
		renamesWorkspace: {s.Workspaces, p.renameWorkspace},
		rotates:          {s.Credentials * 9 / 10, p.rotate},
		issues:           {s.Credentials - s.Credentials*9/10, p.issue},
		revokes:          {s.Credentials / 50, p.revoke},
		makesToken:       {s.apiTokens(), p.makeToken},
		changesToken:     {s.apiTokens() / 2, p.changeToken},
		installs:         {s.Workspaces * 20, p.install},
		restores:         {s.Workspaces / 2, p.restore},
		deletes:          {3, p.delete},
		installsAgain:    {s.Events * 42 / 100, p.installAgain},
		refusesSignIn:    {s.Events / 1000, p.refuseSignIn},
		refusesInstall:   {s.Events / 2000, p.refuseInstall},
		denies:           {s.Events / 2000, p.deny},
		confirms:         {s.Events / 50, p.confirm},
		endsSession:      {s.Events / 25, p.endSession},
	}
	for _, other := range p.plan[signsIn+1:] {
		p.plan[signsIn].left -= other.left
	}
	return p
}

// tell plays the whole history, or until a listener has had enough.
func (p *play) tell() {
	p.begin()
	for p.seq < int64(p.size.Events) && !p.satisfied {
		p.tick()
		if !p.draw().do() {
			p.signIn()
		}
	}
	for _, c := range p.tokens {
		if c != nil {
			p.told(*c)
		}
	}
	for _, c := range p.cards {
		p.told(c)
	}
}

// draw takes the next part of the plan: each as often as it is in it, and in any order.
func (p *play) draw() *part {
	total := 0
	for _, part := range p.plan {
		total += max(part.left, 0)
	}
	at := p.dice.IntN(max(total, 1))
	for i := range p.plan {
		next := &p.plan[i]
		if at -= max(next.left, 0); at < 0 {
			next.left--
			return next
		}
	}
	return &p.plan[signsIn]
}

// tick moves on to the next event, at some moment of its share of the time.
func (p *play) tick() {
	p.seq++
	into := time.Duration(p.mix(ofEvent, uint64(p.seq)) % uint64(p.pace))
	p.at = models.Instant(p.start.Add(time.Duration(p.seq-1)*p.pace + into))
}

// record chains an event and tells it.
func (p *play) record(who models.Actor, e models.Event, changes ...models.Change) bool {
	if p.events == nil || p.satisfied {
		return true
	}
	e = e.WithChanges(changes...)
	e.Seq, e.At, e.ID = p.seq, p.at, p.id(ofEvent, uint64(p.seq))
	e.ActorKind, e.ActorID, e.ActorName = who.Kind, who.ID, who.Name
	e.SessionID, e.CredentialID, e.Address, e.RequestID = who.SessionID, who.CredentialID, who.Address, p.id(ofRequest, uint64(p.seq))
	e.Hash = e.Sum(p.hash)
	p.hash = e.Hash
	p.satisfied = !p.events(e)
	return true
}

// mix is a number that looks random and is always the same for the n-th thing of a kind.
func (p *play) mix(kind byte, n uint64) uint64 { return mix(mix(p.seed^uint64(kind)<<56) + n) }

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// id is the UUID of version 7 (RFC 9562, section 5.7) of the n-th thing of a kind, which comes to be now.
func (p *play) id(kind byte, n uint64) string {
	high := uint64(p.at.UnixMilli())<<16 | 0x7000 | p.mix(kind, n)&0xfff
	low := 0x8000000000000000 | mix(p.mix(kind, n))>>2
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(high>>(56-8*i)), byte(low>>(56-8*i))
	}
	var text [36]byte
	at := 0
	for i, size := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			text[at] = '-'
			at++
		}
		from := [...]int{0, 4, 6, 8, 10}[i]
		at += hex.Encode(text[at:], raw[from:from+size])
	}
	return string(text[:])
}
