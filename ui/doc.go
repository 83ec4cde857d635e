// Package ui is the web: pages and fragments for agents, live updates, mail
// shown safely, and the JSON API.
//
// Every page is a whole page at its own address and every change is a form that
// posts and redirects, so all of it works without scripts. htmx asks for the
// same addresses and gets only the part it is about to replace: the HX-Target
// header says which. There is no build step; templates, styles, scripts and the
// two pinned htmx files are part of the program.
//
// # Live updates
//
// GET /live is a stream of server-sent events that carries no content, only
// which ticket changed and the event's number in the log, which is the stream's
// event id. A browser that lost the stream asks again with Last-Event-ID and is
// told everything it missed; if that is too much, it is told to start over. On
// each event the page asks for its own parts again and morphs them in, so what
// is shown has passed the same checks as any page, and what is being typed is
// never replaced: the composer is outside everything that is refreshed.
// htmx's own stream client does the reconnecting; the browser test kills the
// connection and the server to prove that nothing is missed.
//
// # Trust
//
// Requests that change anything are refused when a browser says that they come
// from another site (net/http.CrossOriginProtection: Sec-Fetch-Site, else
// Origin against Host); the session cookie is SameSite=Lax besides. Pages allow
// no inline script or style. Roles are checked in helpdesk, never here.
//
// Mail in HTML is shown in a frame of an opaque origin without scripts, whose
// policy lets it load nothing at all: inline images are put into the document
// as data. Its height is read from a second, invisible copy: that one shares
// our origin so that it can be measured, and in exchange may neither run
// scripts, nor open windows, nor be clicked.
package ui
