package views

// Replicas is the servers that answer from memory.
type Replicas struct {
	Rows   []ReplicaRow
	Doubts []string // what may let the database lose a change
	Asks   bool     // memory answers nothing, because the operator has it so
}

// ReplicaRow is one of them.
type ReplicaRow struct {
	Name, Version string
	This          bool   // the one that made the page
	Silent        bool   // it has not renewed its lease for longer than that lasts
	Behind        string // how far it is, in words
	Renewed       string // how long ago it renewed its lease
	Entries       string
	Since         Time
	Notice        string
}

func (r ReplicaRow) state() string {
	if r.Silent {
		return "Silent"
	}
	return "Answering"
}
