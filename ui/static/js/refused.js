// What a choice shows is what is stored: one that was refused, or never arrived,
// goes back to what it was. The alert says why.
document.addEventListener("htmx:after:request", ({ detail }) => restore(detail.ctx));
document.addEventListener("htmx:error", ({ detail }) => restore(detail.ctx));

function restore(ctx) {
  const form = ctx?.sourceElement;
  if (form?.getAttribute?.("hx-trigger") === "change" && !(ctx.response?.status < 400)) form.reset();
}
