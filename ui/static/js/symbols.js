// The picker of emoji and special characters: by looking, by searching, by keys.
import { $, $$ } from "./dom.js";
import { symbols } from "./symbols-data.js";

const columns = 10, recentKey = "symbols", recentMost = columns;

// Katakana and letters are found as hiragana and small letters.
const fold = (text) => text.normalize("NFKC").toLowerCase().replace(/[\u30A1-\u30F6]/g, (c) => String.fromCodePoint(c.codePointAt(0) - 0x60));

function recent() {
  try {
    return JSON.parse(localStorage.getItem(recentKey)) ?? [];
  } catch {
    return [];
  }
}

function remember(sign) {
  try {
    localStorage.setItem(recentKey, JSON.stringify([sign, ...recent().filter((other) => other !== sign)].slice(0, recentMost)));
  } catch {
    // It is found again by searching.
  }
}

// openSymbols fills the panel and tells take what was chosen.
export function openSymbols(panel, take) {
  const find = $("[data-symbol-find]", panel), place = $("[data-symbols]", panel);
  const draw = () => {
    const words = fold(find.value).split(/\s+/).filter(Boolean);
    const fits = ([sign, said]) => sign && words.every((word) => sign === word || fold(said).includes(word));
    place.replaceChildren();
    if (words.length) {
      group(place, symbols.filter(fits));
      if (!place.childElementCount) place.append(place.dataset.none);
    } else {
      const latest = recent().map((sign) => symbols.find((row) => row[0] === sign)).filter(Boolean);
      if (latest.length) group(place, latest, place.dataset.recent);
      const border = symbols.findIndex(([sign]) => !sign);
      group(place, symbols.slice(0, border));
      group(place, symbols.slice(border + 1));
    }
    const first = $("button", place);
    if (first) first.tabIndex = 0;
  };
  panel.onclick = (event) => {
    const sign = event.target.closest(".symbol")?.textContent;
    if (!sign) return;
    remember(sign);
    take(sign);
  };
  panel.onkeydown = (event) => keys(event, find, place);
  find.oninput = draw;
  find.value = "";
  draw();
  find.focus();
}

function group(place, rows, name) {
  if (!rows.length) return;
  const grid = document.createElement("div");
  grid.className = "symbol-group";
  if (name) grid.ariaLabel = name;
  grid.setAttribute("role", "group");
  for (const [sign, said] of rows) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "symbol";
    button.tabIndex = -1;
    button.textContent = sign;
    button.title = said.split(" ")[0];
    button.ariaLabel = `${sign} ${said}`;
    grid.append(button);
  }
  place.append(grid);
}

function keys(event, find, place) {
  const all = $$(".symbol", place), here = all.indexOf(document.activeElement);
  if (event.isComposing || event.keyCode === 229 || !all.length) return;
  if (event.target === find) {
    if (event.key === "ArrowDown") all[0].focus();
    else if (event.key === "Enter") all[0].click();
    else return;
    event.preventDefault();
    return;
  }
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (here < 0 || !step) return;
  event.preventDefault();
  if (here + step < 0) {
    find.focus();
    return;
  }
  const next = all[Math.min(here + step, all.length - 1)];
  for (const button of all) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}
