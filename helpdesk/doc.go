// Package helpdesk is the product's domain: tickets, messages, contacts,
// aliases, pipelines, users, and the rules by which a mail becomes or joins a
// ticket and an answer leaves the house.
//
// Every change is a command on Desk. A command checks the actor's role, then
// runs one store transaction that writes records, index keys and timers and
// appends events. Consequences (live updates, deliveries, analysis) follow from
// the event log and the timers, so a crash loses none.
//
// Nothing here touches the network. Times come from Desk.Now.
package helpdesk
