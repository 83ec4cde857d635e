// Package locale holds the interface's words in Japanese and English, and says
// times, sizes and counts as each language does.
//
// A sentence is found by its key ("ticket.close"). Both catalogues hold the
// same keys with the same arguments; a test compares them, and another looks
// for every key that the templates and handlers use.
package locale
