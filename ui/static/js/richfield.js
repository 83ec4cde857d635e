// The texts of templates and signatures: a plain field, which becomes an editor
// once one goes to it; the variables to put in; and what it will look like.
import { $, $$, ready } from "./dom.js";
import { clean, lines, plainText } from "./clean.js";

const editors = new WeakMap(); // by field

ready(() => {
  for (const field of $$("[data-rich-field]")) {
    if (field.dataset.ready) continue;
    field.dataset.ready = "yes";
    const source = $("textarea", field), picker = $("[data-variables]", field);
    if (source.closest("fieldset[disabled]")) continue;
    picker.hidden = false;
    picker.addEventListener("change", () => {
      if (picker.value) put(field, picker.value);
      picker.value = "";
    });
    source.addEventListener("input", () => show(field));
    begin(field, source);
  }
});

async function begin(field, source) {
  const { default: Squire } = await import("../third_party/squire.mjs");
  const root = document.createElement("div");
  root.className = "rich-editor";
  root.setAttribute("role", "textbox");
  root.setAttribute("aria-multiline", "true");
  root.setAttribute("aria-label", source.ariaLabel);
  if (source.lang) root.lang = source.lang;
  source.after(root);
  const squire = new Squire(root, { blockTag: "DIV", sanitizeToDOMFragment: (html) => clean(html), didError: (error) => console.error(error) });
  squire.setKeyHandler("Ctrl-d", null).setKeyHandler("Meta-d", null);
  const written = source.value;
  squire.setHTML(written.trimStart().startsWith("<") ? written : lines(written));
  source.hidden = true;
  editors.set(field, squire);
  squire.addEventListener("input", () => {
    source.value = plainText(root).trim() ? squire.getHTML() : "";
    show(field);
  });
  tools(field, squire);
}

function tools(field, squire) {
  const buttons = $(".rich-buttons", field);
  buttons.hidden = false;
  const commands = {
    bold: ["B", () => squire.bold(), () => squire.removeBold()],
    italic: ["I", () => squire.italic(), () => squire.removeItalic()],
    underline: ["U", () => squire.underline(), () => squire.removeUnderline()],
    list: ["UL", () => squire.makeUnorderedList(), () => squire.removeList()],
  };
  for (const button of $$("[data-rich]", buttons)) {
    const [tag, put, take] = commands[button.dataset.rich];
    button.addEventListener("pointerdown", (event) => event.preventDefault()); // the text keeps the focus
    button.addEventListener("click", () => {
      squire.focus();
      (squire.hasFormat(tag) ? take : put)();
    });
    squire.addEventListener("pathChange", () => button.setAttribute("aria-pressed", String(squire.hasFormat(tag))));
  }
}

function put(field, variable) {
  const squire = editors.get(field), source = $("textarea", field);
  if (squire) {
    squire.focus();
    squire.insertPlainText(variable, true);
    return;
  }
  source.focus();
  source.setRangeText(variable, source.selectionStart, source.selectionEnd, "end");
  show(field);
}

// ---------- What it will look like ----------

const waiting = new WeakMap();

function show(field) {
  clearTimeout(waiting.get(field));
  waiting.set(field, setTimeout(() => preview(field), 350));
}

const placeOf = (field) => field.closest("[data-version]")?.querySelector("[data-preview-of]");

async function preview(field) {
  const place = placeOf(field), form = field.closest("form"), version = field.closest("[data-version]");
  if (!place) return;
  const data = new URLSearchParams();
  const name = place.dataset.previewOf;
  data.append(name, $("textarea", field).value);
  data.set("version_subject", $("[name=version_subject]", version)?.value ?? "");
  data.set("preview_of", name);
  data.set("preview_language", $("[name=version_language], [data-language]", version)?.value || document.documentElement.lang);
  data.set("preview_alias", form.dataset.alias ?? "");
  data.set("ticket", $("[data-preview-ticket]", form)?.value ?? "");
  const answer = await fetch("/settings/templates/preview", { method: "POST", body: data }).catch(() => null);
  if (answer?.ok) place.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-preview-ticket], [data-language]")) {
    for (const field of $$("[data-rich-field]", event.target.form)) preview(field);
  }
});
document.addEventListener("input", (event) => {
  if (event.target.name === "version_subject") show($("[data-rich-field]", event.target.closest("[data-version]")));
});
