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
  keepInside($(".menu", event.target));
  ($("[data-first]", event.target) ?? $("input:not([type=hidden])", event.target))?.focus();
}, true);

// A menu near an edge of the window moves as far inside as it needs to.
function keepInside(menu) {
  if (!menu) return;
  menu.style.translate = "none";
  const { left, right } = menu.getBoundingClientRect();
  const shift = Math.max(8 - left, 0) || Math.min(document.documentElement.clientWidth - 8 - right, 0);
  menu.style.translate = shift ? `${shift}px` : "";
}

// A larger type or a narrower window moves the edges.
addEventListener("resize", () => $$(`${holders} > .menu`).forEach(keepInside));

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
