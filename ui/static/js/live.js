// Live updates. The stream says only what changed; each part of the page then
// asks for itself.
import { $, $$, fragment, morph, parse, ready } from "./dom.js";
import { land, refresh as refreshList } from "./list.js";
import { refresh as refreshThread } from "./thread.js";
import { refresh as refreshSituation } from "./situation.js";
import { follow } from "./stream.js";

const together = 10;   // ms: what one command did is taken in at once
const apart = 250;     // ms: a refresh is earned in this time
const atMost = 4;      // refreshes are saved for what comes after a rest

let pending = null;    // what has changed since the last refresh
let saved = atMost;    // refreshes that may be made right now
let counted = 0;       // when they were counted
let running = false;

document.addEventListener("desk:change", (event) => note(event.detail));
document.addEventListener("desk:reset", () => note({ everything: true }));

function note(change) {
  pending ??= { tickets: new Set(), everything: false };
  if (change.everything) pending.everything = true;
  if (change.ticket) pending.tickets.add(change.ticket);
  schedule();
}

function schedule() {
  if (running || !pending) return;
  running = true;
  const now = performance.now();
  saved = Math.min(atMost, saved + (now - counted) / apart);
  counted = now;
  setTimeout(take, Math.max(together, (1 - saved) * apart));
}

async function take() {
  const { tickets, everything } = pending;
  pending = null;
  saved--;
  const open = Number($("#ticket")?.dataset.number);
  try {
    await Promise.all([
      refreshList(),
      refreshNavigation(),
      refreshSituation(),
      everything || tickets.has(open) ? refreshThread(open) : null,
    ]);
  } catch (error) {
    // A page that could not be refreshed is stale, not broken: try again soon.
    console.warn("refresh:", error);
    pending ??= { tickets, everything };
    saved = -2000 / apart;
  }
  running = false;
  schedule();
}

async function refreshNavigation() {
  const nav = $("#nav");
  if (!nav) return;
  const text = await navigation(nav);
  if (nav.contains(document.activeElement)) {
    await refreshCounts(nav, text);
  } else {
    await morph(nav, text);
  }
  const count = $("#list-count");
  if (count) count.textContent = $("#nav [aria-current] b")?.textContent ?? "";
}

const navigation = (nav) => {
  const query = new URLSearchParams({ current: nav.dataset.current, q: $("#find-text")?.value ?? "" });
  return fragment(`/navigation?${query}`, "nav");
};

// refreshCounts leaves the place with the focus alone.
async function refreshCounts(nav, text) {
  const lists = $$(".nav-list", nav);
  for (const [i, fresh] of $$(".nav-list", parse(text)).entries()) {
    if (lists[i] && !lists[i].contains(document.activeElement)) await morph(lists[i], fresh.innerHTML, "innerMorph");
  }
}

// ---------- The connection itself ----------

const lost = $("#connection");
let told;
document.addEventListener("live:closed", ({ detail: { status, silent, resting } }) => {
  delete document.documentElement.dataset.live;
  if (resting) {
    connected();
    return;
  }
  if (status === 401) {
    location.reload();
    return;
  }
  // Something on the way keeps back what the server says: ask instead.
  if (silent) note({ everything: true });
  // A blink is nobody's business.
  told ??= setTimeout(() => { if (lost) lost.hidden = false; }, 3000);
});
document.addEventListener("live:open", () => {
  connected();
  document.documentElement.dataset.live = "yes";
});

function connected() {
  clearTimeout(told);
  told = undefined;
  if (lost) lost.hidden = true;
}

// A request that never reached the server says so; what was typed is a draft.
document.addEventListener("htmx:error", (event) => {
  const template = $("#unreachable");
  if (!template || !event.detail.ctx || event.detail.ctx.response) return;
  $("#alerts").replaceChildren(template.content.cloneNode(true));
});

// Going back shows the page as it is now, morphed so that the list keeps its
// place and the stream its connection.
document.addEventListener("htmx:before:history:restore", (event) => {
  const app = $("#app");
  if (!app) return;
  event.preventDefault();
  htmx.ajax("GET", event.detail.path, { source: app, target: "#app", select: "#app", swap: "outerMorph" }).then(land);
});

// The stream begins here, once everybody listens.
ready(() => {
  const live = $("#live");
  if (live) follow("/live", live.dataset.after);
});
