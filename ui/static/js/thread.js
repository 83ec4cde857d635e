// The open conversation: where it starts, what counts as seen, and taking in
// what happens without touching what is being written.
import { announce } from "./announce.js";
import { $, fragment, on, ready } from "./dom.js";
import { folded, pointed, reveal } from "./fold.js";

let shown = null;
let placed = null; // the pane in which it stands
let top = 0;       // how far it was scrolled
let posted = null; // what stood last when something was posted: what stands there afterwards is to be seen

// Who has the newest before their eyes keeps it there while the composer grows, or the head does.
let following = false;
const endsAt = (thread) => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 4;
const sized = new ResizeObserver(([entry]) => { if (following) entry.target.scrollTop = entry.target.scrollHeight; });

ready(() => {
  const ticket = $("#ticket[data-number]");
  if (ticket?.dataset.number !== shown) {
    shown = ticket?.dataset.number ?? null;
    if (ticket) {
      // Who opens a ticket for the first time has seen all that is there.
      if (ticket.dataset.seen === "0") ticket.dataset.seen = ticket.dataset.seq;
      start();
      watch();
    }
  } else if (ticket && placed !== $("#thread")) { // put anew, after something was moved in or out
    $("#thread").scrollTop = following ? $("#thread").scrollHeight : top;
    watch();
  }
  showPosted();
  offerNewest();
  seen();
});

function watch() {
  placed = $("#thread");
  top = placed.scrollTop;
  following = endsAt(placed);
  sized.disconnect();
  sized.observe(placed);
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-composer]")) posted = lastOf(shown);
});
function lastOf(ticket) {
  return `${ticket} ${$("#flow > :last-child")?.id ?? ""}`;
}

// showPosted scrolls to what its author has just posted.
function showPosted() {
  const last = lastOf(shown);
  if (posted === null || last === posted) return;
  if (posted.split(" ")[0] === shown) $("#thread").scrollTop = $("#thread").scrollHeight;
  posted = null;
}

// start scrolls to where the link led, else to what is new, else to the newest.
function start() {
  startAtNewest();
  const place = pointed();
  if (place) reveal(place).catch((error) => console.warn("message:", error));
}

function startAtNewest() {
  const thread = $("#thread");
  const newest = $("#new-mark") ?? $("#flow > .held") ?? $("#flow > .message:last-of-type") ?? $("#flow > :last-child");
  if (newest?.id === "new-mark") {
    thread.scrollTop = newest.offsetTop - thread.offsetTop - 16;
  } else {
    // A mail that is longer than the window is read from its beginning.
    const top = newest ? newest.offsetTop - thread.offsetTop - 16 : 0;
    thread.scrollTop = newest?.offsetHeight > thread.clientHeight ? top : thread.scrollHeight;
  }
}

// The way back to the newest is offered while it is out of sight.
function offerNewest() {
  const thread = $("#thread"), button = $("#to-newest");
  if (thread && button) button.hidden = thread.scrollHeight - thread.scrollTop - thread.clientHeight < thread.clientHeight / 2;
}
document.addEventListener("scroll", (event) => { if (event.target.id === "thread") { following = endsAt(event.target); top = event.target.scrollTop; offerNewest(); } }, { capture: true, passive: true });
on("click", "#to-newest", () => {
  const thread = $("#thread");
  thread.scrollTop = thread.scrollHeight;
  thread.focus({ preventScroll: true });
});

// seen tells the server that the newest is before the reader's eyes: a page in
// the background is not.
function seen() {
  const ticket = $("#ticket[data-number]");
  if (!ticket || document.hidden || ticket.dataset.told === ticket.dataset.seq) return;
  ticket.dataset.told = ticket.dataset.seq;
  const form = new URLSearchParams({ seq: ticket.dataset.seq });
  fetch(`/tickets/${ticket.dataset.number}/seen`, { method: "POST", body: form, keepalive: true }).then((response) => {
    if (response.ok) $(`#row-${ticket.dataset.number}`)?.classList.remove("unread");
  }).catch(() => { delete ticket.dataset.told; });
}
document.addEventListener("visibilitychange", seen);

// refresh takes in what changed in the open ticket. The composer is not part
// of it. Who has not begun to write has the newest before their eyes, so their
// reply will not be stopped by it.
export async function refresh(number, signal) {
  const ticket = $("#ticket[data-number]");
  if (!ticket || (number && ticket.dataset.number !== String(number))) return;
  const thread = $("#thread");
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  const query = new URLSearchParams({ seen: ticket.dataset.seen, back: ticket.dataset.path });
  for (const run of folded()) query.append("fold", run);
  const text = await fragment(`/tickets/${ticket.dataset.number}/updates?${query}`, "flow", signal);
  if (!ticket.isConnected) return;
  const before = $("#flow > :last-child");
  await htmx.swap({ sourceElement: ticket, target: ticket, text, swap: "none" });
  const last = $("#flow > :last-child");
  if (last !== before && atEnd && last?.matches(".message, .held, .event")) {
    last.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  if (last !== before) announce(thread.dataset.news);
  ticket.dataset.seq = $("#ticket-head").dataset.seq;
  const composer = $("[data-composer]");
  if (composer && !composer.classList.contains("filled")) composer.elements.seen.value = ticket.dataset.seq;
  seen();
}
