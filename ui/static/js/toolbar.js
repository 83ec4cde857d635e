// The tools of the editor: what a selection looks like, links, images and
// characters. The keys that most editors have work as well.
import { $, $$, composing, on } from "./dom.js";
import { editorOf } from "./editor.js";
import { safeLink } from "./clean.js";
import { insertImages } from "./images.js";

const formats = {
  bold: { tag: "B", on: (s) => s.bold(), off: (s) => s.removeBold() },
  italic: { tag: "I", on: (s) => s.italic(), off: (s) => s.removeItalic() },
  underline: { tag: "U", on: (s) => s.underline(), off: (s) => s.removeUnderline() },
  strike: { tag: "S", on: (s) => s.strikethrough(), off: (s) => s.removeStrikethrough() },
  bullets: { tag: "UL", on: (s) => s.makeUnorderedList(), off: (s) => s.removeList() },
  numbers: { tag: "OL", on: (s) => s.makeOrderedList(), off: (s) => s.removeList() },
  quote: { tag: "BLOCKQUOTE", on: (s) => s.increaseQuoteLevel(), off: (s) => s.decreaseQuoteLevel() },
  plain: { on: (s) => s.removeAllFormatting() },
};

document.addEventListener("composer:ready", (event) => {
  const form = event.target, squire = editorOf(form).squire;
  for (const change of ["pathChange", "select", "cursor", "input"]) squire.addEventListener(change, () => soon(form));
  form.addEventListener("composer:image", ({ detail }) => openImage(form, detail));
  roam(form, $(".tool", form));
});

// soon draws the state of the buttons once for all that happens at once.
function soon(form) {
  form.drawing ??= requestAnimationFrame(() => {
    form.drawing = undefined;
    const squire = editorOf(form).squire;
    if (!squire || !form.isConnected) return;
    const has = (tag) => squire.getRoot().contains(squire.getSelection().commonAncestorContainer) && squire.hasFormat(tag);
    for (const button of $$("[data-format]", form)) {
      const { tag } = formats[button.dataset.format];
      if (tag) button.setAttribute("aria-pressed", String(has(tag)));
    }
    $("[data-pop=link]", form).setAttribute("aria-pressed", String(has("A")));
  });
}

// A press with the mouse leaves the caret where it is.
on("mousedown", ".tool:not(label)", (event) => event.preventDefault());

on("click", "[data-format]", (_, button) => {
  const form = button.closest("form"), squire = editorOf(form).squire;
  if (!squire) return;
  const { tag, on: apply, off } = formats[button.dataset.format];
  if (tag && squire.hasFormat(tag)) off(squire);
  else apply(squire);
  squire.focus();
  soon(form);
});

on("change", "[data-image-input]", (_, input) => {
  insertImages(editorOf(input.form), [...input.files]);
  input.value = "";
});

// ---------- The bar itself: one stop of the Tab key, arrows within ----------

function roam(form, button) {
  for (const other of $$(".toolbar :is(button, input)", form)) other.tabIndex = -1;
  if (button) (button.matches("label") ? $("input", button) : button).tabIndex = 0;
}

document.addEventListener("keydown", (event) => {
  const bar = event.target.closest?.(".toolbar");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!bar || !step) return;
  event.preventDefault();
  const all = $$("button, input", bar), next = all.at((all.indexOf(event.target) + step) % all.length);
  roam(bar.closest("form"), next.closest(".tool"));
  next.focus();
});

// ---------- Panels ----------

const panelOf = (form, name) => $(`[data-panel=${name}]`, form);

function open(form, name) {
  close(form, false);
  panelOf(form, name).hidden = false;
  $(`[data-pop=${name}]`, form)?.setAttribute("aria-expanded", "true");
  return panelOf(form, name);
}

function close(form, back = true) {
  let was = false;
  for (const panel of $$("[data-panel]:not([hidden])", form)) {
    panel.hidden = was = true;
  }
  for (const button of $$("[data-pop]", form)) button.setAttribute("aria-expanded", "false");
  if (was && back) editorOf(form).focus();
  return was;
}

on("click", "[data-pop]", async (_, button) => {
  const form = button.closest("form"), name = button.dataset.pop;
  if (!panelOf(form, name).hidden) close(form);
  else if (name === "link") openLink(form);
  else {
    const { openSymbols } = await import("./symbols.js");
    openSymbols(open(form, name), (sign) => {
      close(form);
      editorOf(form).insertText(sign);
    });
  }
});
on("click", "[data-close-pop]", (_, button) => close(button.closest("form")));
document.addEventListener("click", (event) => {
  for (const form of $$("[data-composer]")) {
    if (!event.target.closest?.("[data-tools]")) close(form, false);
  }
});
// Escape closes the panel and nothing else.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (event.key !== "Escape" || composing(event) || !form || !close(form)) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

// ---------- Links ----------

// Ctrl-K makes a link of what is selected; with nothing selected it is the
// palette's.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (!form || composing(event) || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
  const squire = editorOf(form).squire;
  if (!squire?.getRoot().contains(event.target) || (squire.getSelection().collapsed && !squire.hasFormat("A"))) return;
  event.preventDefault();
  event.stopPropagation();
  openLink(form);
}, true);

let edited = null; // the link that is being changed

function openLink(form) {
  const squire = editorOf(form).squire;
  if (!squire) return;
  const range = squire.getSelection(), node = range.commonAncestorContainer;
  edited = (node.nodeType === Node.ELEMENT_NODE ? node : node.parentNode).closest("a");
  const panel = open(form, "link"), words = $("[data-link-text]", panel), address = $("[data-link-address]", panel);
  const selected = edited ? edited.textContent : range.toString();
  words.value = selected.replace(/\u200B/g, "");
  address.value = edited?.href ?? (safeLink(asAddress(words.value)) && /^\S+\.\S+$/.test(words.value) ? asAddress(words.value) : "");
  $("[data-link-wrong]", panel).hidden = true;
  $("[data-link-remove]", panel).hidden = !edited;
  (words.value ? address : words).focus();
}

// asAddress completes what people type of an address.
function asAddress(typed) {
  typed = typed.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(typed)) return typed;
  return /^[^\s/@]+@[^\s/@]+\.[^\s/@]+$/.test(typed) ? `mailto:${typed}` : `https://${typed}`;
}

function applyLink(form) {
  const panel = panelOf(form, "link"), editor = editorOf(form), squire = editor.squire;
  const typed = $("[data-link-address]", panel).value, words = $("[data-link-text]", panel).value.trim();
  const href = typed.trim() && safeLink(asAddress(typed));
  $("[data-link-wrong]", panel).hidden = Boolean(href);
  if (!href) {
    $("[data-link-address]", panel).focus();
    return;
  }
  close(form);
  const range = squire.getSelection();
  if (edited) {
    squire.saveUndoState(range);
    edited.href = href;
    if (words && words !== edited.textContent) edited.textContent = words;
  } else if (range.collapsed || (words && words !== range.toString().replace(/\u200B/g, ""))) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = words || typed.trim();
    editor.insertHTML(link.outerHTML);
  } else {
    squire.makeLink(href);
    // Whoever goes on writing writes behind it.
    const after = squire.getSelection();
    after.collapse(false);
    const link = (after.startContainer.nodeType === Node.ELEMENT_NODE ? after.startContainer : after.startContainer.parentNode).closest("a");
    if (link) after.setStartAfter(link);
    after.collapse(true);
    squire.setSelection(after);
  }
  squire.focus();
}

on("click", "[data-link-apply]", (_, button) => applyLink(button.closest("form")));
on("click", "[data-link-remove]", (_, button) => {
  const form = button.closest("form"), squire = editorOf(form).squire;
  close(form);
  squire.removeLink();
});
on("keydown", "[data-link-text], [data-link-address]", (event, input) => {
  if (event.key !== "Enter" || composing(event) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  applyLink(input.form);
});

// ---------- An image that was pressed ----------

let image = null;

function openImage(form, pressed) {
  image = pressed;
  const panel = open(form, "image");
  $("[data-image-words]", panel).value = image.alt;
  sizes(panel);
}

function sizes(panel) {
  for (const button of $$("[data-image-width]", panel)) {
    button.setAttribute("aria-pressed", String(image.getAttribute("width") === button.dataset.imageWidth));
  }
}

// touched takes a change of the image into the editor's own undo.
function touched(form, change) {
  const squire = editorOf(form).squire;
  squire.saveUndoState(squire.getSelection());
  change();
}

on("click", "[data-image-width]", (_, button) => touched(button.closest("form"), () => {
  image.setAttribute("width", button.dataset.imageWidth);
  image.removeAttribute("height");
  sizes(button.closest("[data-panel]"));
}));
on("change", "[data-image-words]", (_, input) => touched(input.form, () => { image.alt = input.value; }));
on("click", "[data-image-remove]", (_, button) => {
  const form = button.closest("form");
  touched(form, () => image.remove());
  close(form);
});
