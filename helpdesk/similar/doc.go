// Package similar finds what is about the same: tickets that resemble a ticket,
// second questions of the same matter, and the topics of a week.
//
// A model makes a vector of each customer message's new words. The vectors are
// a projection of the event log: [Index] follows it with a cursor that is written
// with the vectors, newest events first and then backwards through the history,
// so that a model which was named today helps today. Where a vector's message is
// now, and whether it is spam, is looked up when somebody asks; so merging and
// moving need nothing here.
//
// The vectors of one model, at one digest, with one number of dimensions are a
// space. Spaces are never mixed: another model begins another space beside the
// one in use, and takes its place when the history is in it.
//
// A vector is kept as one byte a dimension, many in one value of the store, and
// read where the store has it. So a search needs no memory of its own; it
// compares with every vector.
//
// Without a model, or for what has no vector yet, words are compared instead.
package similar
