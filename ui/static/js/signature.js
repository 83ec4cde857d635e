// A signature that is formatted is edited as it looks. What is pasted into it is
// plain, and the server judges it again.
import { $, $$, ready } from "./dom.js";
import { clean } from "./clean.js";

ready(() => $$(".signature textarea[name=signature]").forEach(show));

function show(area) {
  if (area.value.startsWith("<") && !area.hidden) {
    const shown = document.createElement("div");
    shown.className = "signature-text";
    shown.contentEditable = "plaintext-only";
    shown.setAttribute("role", "textbox");
    shown.setAttribute("aria-multiline", "true");
    shown.setAttribute("aria-label", area.ariaLabel);
    shown.append(clean(area.value));
    shown.addEventListener("input", () => { area.value = shown.textContent.trim() ? shown.innerHTML : ""; });
    // The links in it are words here.
    shown.addEventListener("click", (event) => event.target.closest("a") && event.preventDefault());
    area.hidden = true;
    area.after(shown);
  }
}

// showSignature puts another one in the place of the present.
export function showSignature(form, written) {
  const area = form.elements.signature;
  area.value = written;
  area.hidden = false;
  $("div.signature-text", area.parentElement)?.remove();
  show(area);
}

// Enter is a line in it, and must not send or leave.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest?.(".signature")) $(".signature-text:focus")?.blur();
});
