// Who else is here: every page tells which ticket it shows and whether somebody
// writes; the live stream tells the same of the others.
import { $, $$, on, ready } from "./dom.js";

const beat = 15_000;    // ms between signs of life
const writing = 5_000;  // ms between signs of writing

let at = null;          // the ticket that this page shows
let wrote = 0;

function tell(ticket, state) {
  if (!ticket) return;
  const body = new URLSearchParams({ state });
  fetch(`/tickets/${ticket}/presence`, { method: "POST", body, keepalive: true }).catch(() => {});
}

const shown = () => $("#ticket[data-number]")?.dataset.number ?? null;

function look() {
  const ticket = document.hidden ? null : shown();
  if (ticket === at) return;
  tell(at, "gone");
  at = ticket;
  wrote = 0;
  tell(at, "viewing");
}

ready(look);
document.addEventListener("visibilitychange", look);
document.addEventListener("live:open", () => tell(at, "viewing"));
addEventListener("pagehide", () => { tell(at, "gone"); at = null; });
addEventListener("pageshow", look);
setInterval(() => tell(at, "viewing"), beat);

for (const type of ["input", "composer:change"]) {
  on(type, "[data-composer]", (event) => {
    if (!at || !event.isTrusted && type === "input" || performance.now() - wrote < writing && wrote) return;
    wrote = performance.now();
    tell(at, "writing");
  });
}

// ---------- The others ----------

// A stream begins with all who are anywhere: nobody else is.
document.addEventListener("live:open", () => {
  for (const place of $$("[data-here]")) draw(place, []);
  const line = $("#presence");
  if (line) show(line, { line: "", people: [] });
});

document.addEventListener("desk:presence", (event) => {
  for (const one of event.detail.tickets) {
    const row = $(`#row-${one.ticket} [data-here]`);
    if (row) draw(row, one.people);
    const line = $("#presence");
    if (line?.dataset.ticket === String(one.ticket)) show(line, one);
  }
});

function show(place, { line, people }) {
  draw($(".presence-people", place), people);
  $(".presence-line", place).textContent = line;
  place.hidden = !line;
}

function draw(place, people) {
  place.replaceChildren(...people.map(({ name, initial, colour, writing }) => {
    const avatar = document.createElement("span");
    avatar.className = `avatar tint-${colour}${writing ? " writing" : ""}`;
    avatar.textContent = initial;
    avatar.title = name;
    avatar.ariaHidden = "true";
    return avatar;
  }));
}
