// A long conversation: what is folded in it, and the ways to it: by steps, by a
// link to one message, by words, on paper.
import { announce } from "./announce.js";
import { $, $$, fragment, morph, on, parse, ready } from "./dom.js";

const gaps = () => $$("#flow [data-fold]");

// folded names what is folded now, as requests for the open ticket say it.
export const folded = () => [...gaps().map((gap) => gap.dataset.fold), "none"];

// Whatever brings the open ticket anew leaves it as its reader has it.
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail, ticket = $("#ticket[data-number]");
  if (ctx?.target?.id !== "ticket" || !ticket) return;
  ctx.request.headers.Folded = [ticket.dataset.number, ...folded()].join(" ");
});

// ---------- By steps ----------

on("click", "[data-fold] [data-more]", async (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const gap = link.closest("[data-fold]");
  if (gap.ariaBusy === "true") return;
  gap.ariaBusy = "true";
  const before = gap.previousElementSibling, said = gap.dataset.unfolded ?? $("#flow").dataset.unfolded;
  try {
    await put(gap, await fragment(link.dataset.more, gap.id));
  } catch (error) {
    gap.ariaBusy = "false";
    $(".older-count", gap).textContent = gap.dataset.failed;
    console.warn("earlier messages:", error);
    return;
  }
  const first = before?.nextElementSibling ?? $("#flow").firstElementChild;
  const place = $("[data-more]", first) ?? first;
  if (!place.matches("a")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
  announce(said);
});

// put replaces a fold without moving what stands below it.
async function put(gap, text) {
  const thread = $("#thread"), below = gap.nextElementSibling ?? gap;
  thread.classList.add("unanchored");
  const top = below.getBoundingClientRect().top;
  await morph(gap, text, "outerHTML");
  if (below.isConnected) thread.scrollTop += below.getBoundingClientRect().top - top;
  thread.classList.remove("unanchored");
}

// ---------- By a link ----------

// reveal takes the reader to a message or note of the open ticket, which it loads
// where it is folded; false where there is none with that id.
export async function reveal(id) {
  if (!await load(id)) return false;
  const place = document.getElementById(id);
  place.scrollIntoView({ block: "start" });
  place.classList.add("pointed");
  setTimeout(() => place.classList.remove("pointed"), 1600);
  return true;
}

async function load(id) {
  if (document.getElementById(id)) return true;
  for (const gap of gaps().filter((gap) => gap.matches(".older"))) { // no link leads to an event
    const address = new URL(gap.dataset.all, location.href);
    address.searchParams.set("at", id);
    const text = await fragment(address, gap.id);
    if (!parse(text).getElementById(id) || !gap.isConnected) continue;
    await put(gap, text);
    return true;
  }
  return false;
}

const target = () => location.hash.slice(1);
const names = (id) => /^(message|note)-\w+$/.test(id);
const follow = () => { if (names(target())) reveal(target()).catch((error) => console.warn("message:", error)); };

addEventListener("hashchange", follow);
on("click", `a[href^="#message-"], a[href^="#note-"]`, (event, link) => {
  event.preventDefault();
  reveal(link.hash.slice(1)).catch((error) => console.warn("message:", error));
});

// pointed is where a link to this page leads in the conversation, "" for nowhere.
export const pointed = () => (names(target()) ? target() : $("#ticket")?.dataset.at ?? "");

// ---------- By words ----------

ready(mark);

// mark shows the words that were looked for.
function mark() {
  if (!globalThis.Highlight) return;
  const words = ($("#ticket")?.dataset.find ?? "").toLowerCase().split(/\s+/).filter(Boolean), found = [];
  for (const body of words.length ? $$("#flow .body") : []) {
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      if (text.length !== node.data.length) continue; // its places would not be those of the text
      for (const word of words) {
        for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          found.push(range);
        }
      }
    }
  }
  if (found.length) CSS.highlights.set("found", new Highlight(...found));
  else CSS.highlights.delete("found");
}

// ---------- On paper ----------

// Paper shows everything, also what is folded in what was. The browser waits for nothing
// here, so this request must.
addEventListener("beforeprint", () => {
  for (let left = gaps(); left.length; left = left.flatMap(unfoldAtOnce));
});

// unfoldAtOnce puts what is folded in place of a fold, and returns what is still folded in it.
function unfoldAtOnce(gap) {
  const request = new XMLHttpRequest();
  request.open("GET", gap.dataset.all, false);
  request.setRequestHeader("HX-Request", "true");
  request.send();
  if (request.status !== 200) return [];
  const items = [...parse(request.responseText).children];
  gap.replaceWith(...items);
  for (const item of items) htmx.process(item);
  return items.filter((item) => item.matches("[data-fold]"));
}
