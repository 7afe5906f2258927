// Package house holds the tests of the house's rules, those that no linter
// knows: every kernel call of a step or of the engine is explained by a comment
// right above it, steps are silent and keep no state, what is exported is
// documented, and the pages at the top speak of files and commands that exist.
package house
