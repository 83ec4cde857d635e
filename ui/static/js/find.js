// Under the search box: what a search can be narrowed by, with what fits what is
// being typed, and what was searched for lately. These stay in this browser.
import { $, $$, composing, fragment, morph, reader } from "./dom.js";

const box = () => $("#find-text");
const help = () => $("#find-help");
const kept = () => `searches:${reader()}`;
const most = 8;

let asking, later, at = -1;

const options = () => $$("[role=option]", help());

function recent() {
  try { return JSON.parse(localStorage.getItem(kept())) ?? []; } catch { return []; }
}

function remember(text) {
  if (!text.trim()) return;
  const list = [text.trim(), ...recent().filter((other) => other !== text.trim())].slice(0, most);
  try { localStorage.setItem(kept(), JSON.stringify(list)); } catch { /* it is only a convenience */ }
}

function open(shown) {
  if (!help() || !box()) return;
  help().hidden = !shown || !options().length;
  box().setAttribute("aria-expanded", String(!help().hidden));
  mark(-1);
}

// close also ends what is asked for: its answer must not open the help again.
function close() {
  clearTimeout(later);
  asking?.abort();
  open(false);
}

function mark(n) {
  at = n;
  options().forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
  const marked = options()[at];
  if (marked) box().setAttribute("aria-activedescendant", marked.id);
  else box()?.removeAttribute("aria-activedescendant");
}

async function suggest() {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ q: box().value, caret: box().selectionStart });
  if (!box().value) for (const text of recent()) query.append("recent", text);
  try {
    await morph(help(), await fragment(`/find/completions?${query}`, "find-help", asking.signal), "innerHTML");
    open(document.activeElement === box());
  } catch (error) {
    if (error.name !== "AbortError") console.warn("suggestions:", error);
  }
}

function take(option) {
  box().value = option.dataset.text;
  box().setSelectionRange(box().value.length, box().value.length);
  if (option.dataset.whole !== undefined) {
    box().form.requestSubmit();
    return;
  }
  suggest();
}

document.addEventListener("focusin", (event) => {
  if (event.target.id === "find-text") suggest();
});
document.addEventListener("input", (event) => {
  if (event.target.id !== "find-text") return;
  clearTimeout(later);
  later = setTimeout(suggest, 80);
});
// An option is pressed without taking the focus, so whatever gets it is elsewhere.
document.addEventListener("focusout", (event) => {
  if (event.target.id === "find-text") close();
});
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.("#find-help [role=option]");
  if (!option) return;
  event.preventDefault();
  take(option);
});
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "find-text" || composing(event) || !help() || help().hidden) return;
  const count = options().length;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    mark((at + (event.key === "ArrowDown" ? 1 : -1) + count + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
  } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) {
    event.preventDefault();
    take(options()[at]);
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    close();
  }
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "find") return;
  close();
  remember(box().value);
});
