// Menus are details elements; this closes them as people expect.
import { $, $$, on, ready } from "./dom.js";

const holders = "details.menu-holder[open]";

document.addEventListener("click", (event) => {
  for (const menu of $$(holders)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = $(holders);
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
    event.preventDefault();
  }
});

// Whoever goes on with the Tab key leaves the menu: it would cover what has the
// focus next.
document.addEventListener("focusin", (event) => {
  for (const menu of $$(holders)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const panel = $("#panel.shown");
  if (panel && !panel.contains(event.target) && !event.target.closest("dialog")) closePanel(false);
});

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.(holders)) return;
  place($(".menu", event.target));
  ($("[data-first]", event.target) ?? $("input:not([type=hidden])", event.target))?.focus();
}, true);

// place moves a menu near an edge of the window as far inside as it needs to. One
// that a scrolling pane would cut off leaves the pane, above or below its button.
function place(menu) {
  if (!menu) return;
  Object.assign(menu.style, { translate: "none", position: "", inset: "", width: "", maxHeight: "", overflowY: "" });
  const wide = document.documentElement.clientWidth;
  const { left, right, top, bottom, width, height } = menu.getBoundingClientRect();
  const shift = Math.max(8 - left, 0) || Math.min(wide - 8 - right, 0);
  const pane = getComputedStyle(menu).position === "absolute" && cutting(menu.parentElement)?.getBoundingClientRect();
  if (!pane || (bottom <= pane.bottom && top >= pane.top && right + shift <= pane.right && left + shift >= pane.left)) {
    menu.style.translate = shift ? `${shift}px` : "";
    return;
  }
  const button = menu.parentElement.querySelector("summary").getBoundingClientRect();
  const below = innerHeight - 8 - button.bottom - 6, above = button.top - 6 - 8;
  const up = height > below && above > below;
  const x = Math.min(Math.max(left, 8), wide - 8 - width);
  const inset = up ? `auto auto ${innerHeight - button.top + 6}px ${x}px` : `${button.bottom + 6}px auto auto ${x}px`;
  Object.assign(menu.style, { translate: "", position: "fixed", inset, width: `${width}px` });
  if (height > Math.max(below, above)) Object.assign(menu.style, { maxHeight: `${Math.max(below, above)}px`, overflowY: "auto" });
}

// cutting is the pane that would cut off what reaches out of it.
function cutting(element) {
  for (let pane = element; pane && pane !== document.body; pane = pane.parentElement) {
    if (getComputedStyle(pane).overflowY !== "visible") return pane;
  }
  return null;
}

// A larger type, a narrower window or a swap moves the edges.
const placeAll = () => $$(`${holders} > .menu`).forEach(place);
addEventListener("resize", placeAll);
ready(placeAll);

// A menu that left its pane goes along with its button, as long as that is seen.
document.addEventListener("scroll", (event) => {
  for (const menu of $$(`${holders} > .menu`)) {
    if (menu.style.position !== "fixed" || !event.target.contains(menu) || menu.contains(event.target)) continue;
    const button = menu.parentElement.querySelector("summary").getBoundingClientRect();
    const pane = cutting(menu.parentElement).getBoundingClientRect();
    if (button.bottom < pane.top || button.top > pane.bottom) menu.parentElement.open = false;
    else place(menu);
  }
}, { capture: true, passive: true });

// A chosen entry closes its menu. The focus goes to what opened the menu first,
// so that a dialog which the entry opens gives it back there.
on("click", ".menu .menu-item", (_, item) => {
  const menu = item.closest("details");
  if (menu.contains(document.activeElement)) $("summary", menu).focus();
  setTimeout(() => { menu.open = false; });
});

on("click", "[data-action=dismiss]", (_, button) => button.closest(".alert").remove());

on("click", "[data-action=panel]", togglePanel);
export function togglePanel() {
  const panel = $("#panel");
  if (!panel) return;
  if (panel.classList.contains("shown")) {
    closePanel(true);
    return;
  }
  panel.classList.add("shown");
  $("button", panel)?.focus({ preventScroll: true });
}

// closePanel gives the focus back to the button that opened the panel.
function closePanel(back) {
  $("#panel").classList.remove("shown");
  if (back) $("#ticket-head [data-action=panel]")?.focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
  const panel = $("#panel.shown");
  if (panel && !panel.contains(event.target) && !event.target.closest("[data-action=panel]")) closePanel(false);
});

// On a phone the navigation lies over everything else, which then rests.
function showNavigation(shown) {
  $("#nav").classList.toggle("shown", shown);
  for (const other of $$("#app > :not(#nav)")) other.inert = shown;
  $(shown ? "#nav a" : "[data-action=open-nav]")?.focus();
}
on("click", "[data-action=open-nav]", (event) => {
  event.preventDefault();
  showNavigation(!$("#nav").classList.contains("shown"));
});
matchMedia("(max-width: 767px)").addEventListener("change", () => { if ($("#nav.shown")) showNavigation(false); });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.closest?.("dialog")) return;
  if ($("#panel.shown")) closePanel(true);
  else if ($("#nav.shown")) showNavigation(false);
  else return;
  event.preventDefault();
});

on("click", "[data-confirm]", (event, button) => {
  if (!confirm(button.dataset.confirm)) event.preventDefault();
});

// In the setup form the domain is most likely that of the admin's address.
ready(() => {
  const form = $("[data-setup]");
  form?.elements.email.addEventListener("change", () => {
    const domain = form.elements.email.value.split("@")[1];
    if (domain && !form.elements.domain.value) form.elements.domain.value = domain;
  });
});
