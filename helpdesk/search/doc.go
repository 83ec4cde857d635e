// Package search finds tickets by their words, in Japanese and in English.
//
// The index is a projection of the helpdesk's event log: [Index.Handle] follows
// the log, and its cursor is written in the transaction of what follows from the
// events. [Index.Rebuild] makes it anew beside the one in use.
//
// What is indexed are pieces: a ticket's head (subject, tags, and the facts that
// filters ask for), each message of a thread or confirmation strip, each note. A
// message's new words are indexed up to 64 KiB and the rest of its text (quotes,
// signature) up to another 64 KiB; what lies beyond is not found.
//
// Text is compared as people mean it: without case, width (ﾃｽﾄ, ＡＢＣ), kind of
// kana (テスト, てすと), accents of Latin letters, and old forms of the commonest
// characters in names (髙 and 高). A number that has groups is found with hyphens and
// without them. Words of scripts with spaces are tokens, and
// scripts without are cut into overlapping pairs of characters; positions are
// kept, so that a word of several tokens is found only where they are adjacent.
//
// On disk the index is a list of immutable segments, as in a log-structured merge
// tree: a commit writes one small segment, packed into blocks, in one place, and segments of similar
// size are merged later, a bounded piece per transaction. A changed piece gets a
// new generation, and its old place is marked dead. So a mail costs one short
// write however common its words are. [Index.Forget] alone writes into segments: it takes
// the terms of what was erased out of them.
package search
