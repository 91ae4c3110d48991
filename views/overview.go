package views

// Start is the overview: where to begin, what there is, what happened last.
type Start struct {
	FirstRun   bool            // nothing was issued yet: greet, and show the ways to start
	Workspaces []WorkspaceCard // those the reader is in
	FirstHref  string          // the first page of the workspaces; empty on it
	MoreHref   string          // the next page of them; empty at the end
	Recent     []Entry         // last events, for Admins

	// For Admins, once something was issued.
	Figures []Figure // credentials by status
	Signs   []Figure // what to look into
	Chart   []ChartDay
	Calls   string // of all the days of the chart
}

// WorkspaceCard is a workspace on the overview.
type WorkspaceCard struct {
	WorkspaceLink
	Role        string // the reader's role in it: "Owner", "Admin", "Member"
	Collections int
}
