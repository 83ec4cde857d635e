// Buttons that copy a text. The clipboard needs a secure page; elsewhere an
// invisible field does it.
import { on } from "./dom.js";

on("click", "[data-copy]", async (_, button) => {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  const use = button.querySelector("use");
  const before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#check"));
  button.classList.add("copied");
  setTimeout(() => {
    use.setAttribute("href", before);
    button.classList.remove("copied");
  }, 1500);
});
