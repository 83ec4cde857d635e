// "@" in a note opens the colleagues. Who is mentioned finds the ticket in
// their mentions.
import { $, on, parse } from "./dom.js";
import { caretOf, rank, Suggestions } from "./suggest.js";

// Behind a letter or a digit it is part of an address.
const sign = /(?:^|[^A-Za-z0-9._%+-])[@＠]([^\s@＠]{0,30})$/;

let people = null;
let asked = null;
let list;

function load() {
  asked ??= fetch("/colleagues", { headers: { Accept: "application/json" } })
    .then(async (answer) => { people = answer.ok ? await answer.json() : null; })
    .catch(() => {})
    .finally(() => { if (!people) asked = null; });
  return asked;
}

// colleagues are all people and teams but the reader; none where they cannot be had.
export async function colleagues() {
  await load();
  return people ?? [];
}

on("focusin", "[data-text=note]", load);
on("input", "[data-text=note]", (_, area) => look(area));

async function look(area) {
  const before = () => sign.exec(area.value.slice(0, area.selectionStart));
  if (!before()) {
    list?.close();
    return;
  }
  await load();
  const match = before();
  if (!match || !people) return;
  list ??= new Suggestions("colleagues", area.dataset.mentions);
  const found = rank(people, match[1], (p) => [p.name, p.email]);
  if (!found.length) {
    list.close();
    return;
  }
  list.show(area, caretOf(area), found.map(entry), "", (chosen) => put(area, chosen.dataset.name));
}

function entry(person) {
  const line = parse(`<li class="person"><span class="avatar" aria-hidden="true"></span><b class="cut"></b><small class="cut"></small></li>`).firstChild;
  line.dataset.name = person.name;
  const avatar = $(".avatar", line);
  avatar.textContent = person.initial;
  avatar.classList.add(`tint-${person.colour}`);
  $("b", line).textContent = person.name;
  $("small", line).textContent = person.email;
  return line;
}

function put(area, name) {
  const match = sign.exec(area.value.slice(0, area.selectionStart));
  const end = area.selectionStart, start = end - (match ? match[1].length + 1 : 0);
  area.focus();
  area.setRangeText(`@${name} `, start, end, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
