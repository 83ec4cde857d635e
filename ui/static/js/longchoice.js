// A choice among the many people of a large house: a dialog in which one types to find.
// It stands before a list of the browser's own, or a menu, and chooses there.
import { $, $$, composing, on, parse, ready } from "./dom.js";
import { colleagues } from "./mentions.js";
import { rank } from "./suggest.js";

const many = 20; // fewer are seen at a glance

ready(() => {
  for (const select of $$("select[data-find]")) select.classList.toggle("long", select.options.length > many);
});

// openLong opens the dialog for a list, and tells whether it is long enough for that.
export function openLong(select, after = () => select.focus()) {
  if (!select.matches(".long") || select.disabled) return false;
  show(select, [...select.options].map((option) => ({
    id: option.value, name: option.textContent, group: option.parentElement.label ?? "", current: option.selected,
    choose: () => {
      if (option.selected) return;
      select.value = option.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
  })), after);
  return true;
}

on("click", ".prop-choice", (event, label) => {
  const select = $("select.long", label);
  if (select && event.target !== select) event.preventDefault();
  if (select) openLong(select);
});

// On the list itself every key that would open it, or look for a letter in it, opens the dialog.
document.addEventListener("keydown", (event) => {
  const select = event.target.closest?.("select.long");
  if (!select || event.ctrlKey || event.metaKey || composing(event)) return;
  const letter = event.key.length === 1 && event.key !== " " && !event.altKey ? event.key : "";
  if (!letter && !["Enter", " ", "ArrowDown", "ArrowUp"].includes(event.key)) return;
  if (!openLong(select)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (letter) {
    field().value = letter;
    list();
  }
}, true);

on("click", "[data-long-menu] > summary", (event, summary) => {
  const items = $$(".menu-item", summary.parentElement);
  if (items.length <= many) return;
  event.preventDefault();
  show(summary.parentElement, items.map((item) => ({ id: item.dataset.value, name: item.textContent, group: "", choose: () => item.click() })), () => summary.focus());
});

// ---------- The dialog ----------

const dialog = () => $("#picker"), field = () => $("input[type=search]", dialog());
let choices = [];

function show(source, all, after) {
  const { heading, find, none, close } = source.dataset;
  const content = parse(`<div class="picker">
  <header class="picker-head"><h2 id="picker-title"></h2><button class="icon-button" type="button" data-action="close-picker"><svg class="icon" aria-hidden="true"><use/></svg></button></header>
  <form class="picker-find" role="search" data-long-find><label class="find-box"><input type="search" autocomplete="off"></label></form>
  <div class="choices" id="long-choices"></div><p class="hint choices-none" role="status"></p></div>`);
  $("h2", content).textContent = heading;
  $("form", content).ariaLabel = find;
  Object.assign($("input", content), { placeholder: find, ariaLabel: find });
  Object.assign($("button", content), { ariaLabel: close, title: close });
  const sprite = $("use[href*='#']").getAttribute("href").replace(/#.*/, "");
  $("use", content).setAttribute("href", `${sprite}#cross`);
  $(".choices-none", content).dataset.none = none;
  dialog().replaceChildren(content);
  choices = all;
  list();
  tell(all);
  dialog().addEventListener("close", () => {
    dialog().replaceChildren();
    after();
  }, { once: true });
  dialog().showModal();
  field().focus();
  toCurrent();
}

// tell adds addresses to the names: they tell two people of one name apart, and are how a
// name is typed without an input method.
async function tell(all) {
  const addresses = new Map((await colleagues()).map((one) => [one.id, one.email]));
  for (const choice of all) choice.address = addresses.get(choice.id);
  if (!dialog().open || choices !== all || document.activeElement !== field()) return; // somebody is choosing already
  list();
  if (!field().value) toCurrent();
}

const toCurrent = () => $("[aria-current]", dialog())?.scrollIntoView({ block: "center" });

// list shows the choices that have what is typed.
function list() {
  const found = rank(choices, field().value, (choice) => [choice.name, choice.address ?? ""]);
  let group = "";
  $("#long-choices").replaceChildren(...found.flatMap((choice) => {
    const button = parse(`<button class="choice" type="button"><span class="choice-main"><b class="cut"></b></span></button>`).firstChild;
    $("b", button).textContent = choice.name;
    if (choice.address) $(".choice-main", button).append(Object.assign(document.createElement("span"), { className: "cut", textContent: choice.address }));
    if (choice.current) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => take(choice));
    if (choice.group === group || field().value.trim()) return [button];
    group = choice.group;
    const heading = document.createElement("h3");
    heading.textContent = group;
    return [heading, button];
  }));
  const none = $(".choices-none", dialog());
  none.hidden = found.length > 0;
  none.textContent = found.length ? "" : none.dataset.none;
}

// take chooses behind the closed dialog, which has given the focus back by then.
function take(choice) {
  dialog().addEventListener("close", () => choice.choose(), { once: true });
  dialog().close();
}

on("input", "[data-long-find]", list);
on("submit", "[data-long-find]", (event) => {
  event.preventDefault();
  $("#long-choices .choice")?.click();
});
