// Package models holds what Tokendesk is about and what is allowed. It imports nothing but the
// standard library and google/uuid; the structs are also the rows of the database.
//
// The nouns, one word for one thing:
//
//	Person      a human account, Admin or Member of the installation, active or deactivated.
//	Workspace   where collections and credentials live; exactly one Owner.
//	Membership  a person's role in a workspace: Owner, Admin or Member.
//	Credential  any secret that Tokendesk issues. One table, one format, one verifier.
//	Bearer token the credential of one person, with that person's rights at the time of each call.
//	API token   a workspace's credential for programs; it opens one product, all of it or some operations.
//	Product     what a workspace's API tokens open: a name, a prefix, resources, and an upstream that answers.
//	Resource    named paths of a product. Each of its operations is a method and a path pattern.
//	Scope       resource and operation in one word, "knowledge-base:search": what a call needs.
//	Grant       what is known about a presented credential at the moment of a call.
//	Usage       how often a credential was accepted and refused, and when last.
//	Collection  a named, versioned zip that a program installs into a workspace.
//	Session     one signed-in browser of one person.
//	Event       one change: who did what to what, from where. The audit log is all of them, in order.
//	Actor       whoever asks for a change: a person in a browser or with a credential, the command
//	            line, or the server itself.
package models
