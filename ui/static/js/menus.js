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

// A chosen entry closes its menu.
on("click", ".menu .menu-item", (_, item) => {
  const menu = item.closest("details");
  setTimeout(() => { menu.open = false; });
});

on("click", "[data-action=dismiss]", (_, button) => button.closest(".alert").remove());

on("click", "[data-action=panel]", togglePanel);
export function togglePanel() {
  const panel = $("#panel");
  if (!panel) return;
  const shown = panel.classList.toggle("shown");
  if (shown) $("button", panel)?.focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
  const panel = $("#panel.shown");
  if (panel && !panel.contains(event.target) && !event.target.closest("[data-action=panel]")) panel.classList.remove("shown");
});

on("click", "[data-action=open-nav]", (event) => {
  event.preventDefault();
  $("#nav").classList.toggle("shown");
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
