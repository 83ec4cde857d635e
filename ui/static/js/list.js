// The ticket list: which row is chosen, moving among rows, and taking in what
// arrives without shifting anything under the reader's hand.
import { announce } from "./announce.js";
import { $, $$, fragment, morph, parse, ready } from "./dom.js";

const rows = () => $$("#rows .row");
const number = () => $("#ticket")?.dataset.number;
const rowOf = (n) => n && $(`#row-${n}`);

let way = ""; // the row that is the list's way in, which new rows do not say

// mark makes the row of the open ticket the chosen one.
function mark() {
  const open = rowOf(number());
  for (const row of rows()) {
    row.setAttribute("aria-selected", String(row === open));
  }
  roam(open ?? (rows().includes(document.activeElement) ? document.activeElement : rows().find((row) => row.id === way) ?? rows()[0]));
}

// roam makes one row the list's way in for the Tab key.
function roam(row) {
  if (!row) return;
  way = row.id;
  for (const other of rows()) other.tabIndex = other === row ? 0 : -1;
}

// land gives the focus a place where going back has left it none: the open ticket, or
// in the list the row of the one that was left.
export function land() {
  if (document.activeElement !== document.body) return;
  (number() ? $("#thread") : $("#rows .row[tabindex='0']"))?.focus({ preventScroll: true });
}

// step moves among the rows: the focus while it is in the list, else the open
// ticket itself.
export function step(by, open) {
  const list = rows();
  if (!list.length) return;
  const here = list.includes(document.activeElement) ? document.activeElement : rowOf(number());
  const next = list[here ? list.indexOf(here) + by : 0];
  if (!next) return;
  roam(next);
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  if (open) next.click();
}

document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.("#rows") || event.shiftKey) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    event.preventDefault();
    step(by, false);
  }
});

ready(mark);
document.addEventListener("htmx:after:history:push", mark);

// ---------- Arrivals ----------

let waiting = null; // the newest rows, while they may not be shown yet

// busy says that the reader is somewhere in the list: moving rows now would
// move them from under a hand.
function busy() {
  if (own) return false;
  const list = $("#rows");
  return list.scrollTop > 8 || Boolean(rowOf(number())) || list.matches(":hover") || $("#row-actions")?.matches(":hover") || list.contains(document.activeElement);
}

let own = false; // what moves rows is the reader's own change of many

// settle lets rows leave under the focus, until the reader does something else: they
// have changed those rows, and wait for that.
export function settle() {
  own = true;
  const over = () => { own = false; };
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, over, { capture: true, once: true });
}

// refresh asks for the list again. Rows that are there change in place; new
// ones settle in, or wait behind a strip that says how many they are; what has
// left the list fades where it stands.
export async function refresh(signal) {
  const list = $("#list"), target = $("#rows");
  if (!list || !target) return;
  const { text, fresh, arrived } = await ask(list, signal);
  const known = new Set(rows().map((row) => row.id));
  const moved = fresh.map((row) => row.id).join() !== rows().map((row) => row.id).join();
  if (moved && busy()) {
    waiting = text;
    for (const row of fresh) {
      const old = known.has(row.id) && $(`#${row.id}`);
      if (old && !old.isEqualNode(row)) await morph(old, row.outerHTML);
    }
    fade(text);
    offer(arrived.length);
  } else {
    await show(text, arrived.map((row) => row.id));
  }
  if (arrived.length) announce(arrivedWords("news", arrived.length));
  mark();
}

let arrivals = 0; // rows that are known to wait

// ask returns the rows of now. They have room for what has arrived, so that
// what was there and is missing has left. Where the list goes on below, its
// next rows are not news: they only move up.
async function ask(list, signal) {
  const url = new URL(list.dataset.path, location.href);
  const known = new Set(rows().map((row) => row.id)), goesOn = Boolean($("#more"));
  for (;;) {
    url.searchParams.set("limit", rows().length + arrivals);
    const text = await fragment(url, "rows", signal);
    const fresh = $$(".row", parse(text));
    const end = goesOn ? fresh.findLastIndex((row) => known.has(row.id)) + 1 : fresh.length;
    const arrived = fresh.slice(0, end).filter((row) => !known.has(row.id));
    const enough = arrived.length <= arrivals || !goesOn && fresh.length < rows().length + arrivals;
    arrivals = arrived.length;
    if (enough) return { text, fresh, arrived };
  }
}

// fade marks rows that are of the list no more, save the open one. Below the
// last row of an answer that goes on nobody knows.
function fade(text) {
  const fresh = parse(text), all = rows();
  const stays = (row) => Boolean($(`#${row.id}`, fresh));
  const end = $("#more", fresh) ? all.findLastIndex(stays) : all.length;
  for (const [i, row] of all.entries()) row.classList.toggle("leaving", i < end && !stays(row) && row.dataset.number !== number());
}

async function show(text, arrived) {
  const focused = $("#rows").contains(document.activeElement);
  waiting = null;
  arrivals = 0;
  $("#arrivals").hidden = true;
  await morph($("#rows"), text, "innerMorph");
  if (focused && !$("#rows").contains(document.activeElement)) rows()[0]?.focus({ preventScroll: true });
  for (const id of arrived) $(`#${id}`)?.classList.add("arrived");
}

function arrivedWords(kind, count) {
  const words = $("#arrivals span").dataset;
  return count === 1 ? words[`${kind}One`] : words[`${kind}Many`].replace("0", count);
}

function offer(count) {
  if (!count) return; // only the order changed: that can wait unsaid
  $("#arrivals span").textContent = arrivedWords("show", count);
  $("#arrivals").hidden = false;
}

async function reveal() {
  if (!waiting) return;
  const known = new Set(rows().map((row) => row.id));
  const arrived = $$(".row", parse(waiting)).map((row) => row.id).filter((id) => !known.has(id));
  await show(waiting, arrived);
  $("#rows").scrollTop = 0;
  mark();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#arrivals")) reveal();
});
// Once the hand has left the list and nothing is chosen, what waited settles in.
document.addEventListener("mouseout", (event) => {
  if (waiting && event.target.closest?.("#rows") && !event.relatedTarget?.closest?.("#rows") && !busy()) reveal();
});
