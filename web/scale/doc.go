// Package scale is the measurement of every page that lists or searches, in a large installation and in a small one
// side by side: what a page costs must not depend on how much there is. It has no code but its tests.
//
//	go test ./web/scale -run '^$' -bench Pages -benchtime 1x -timeout 2h -large DIR-OR-URL -small DIR-OR-URL
//
// .ci/bench makes the databases, measures on both kinds and prints the tables of docs/benchmarks.md. Without the
// flags the benchmark makes two small installations of its own, which says that it works and nothing more.
package scale
