// The supervisor's page follows what happens without being loaded again, unless
// a hand is just choosing something there.
import { $, fragment, morph } from "./dom.js";

const busy = (body) => body.querySelector("details.menu-holder[open]") || body.contains(document.activeElement?.closest("select, input"));

export async function refresh() {
  const body = $("#situation-body");
  if (!body || busy(body)) return;
  const fresh = await fragment(body.dataset.refresh, body.id);
  if (!busy(body)) await morph(body, fresh); // a hand may have come meanwhile
}

// Whom tickets can be given to stands on the page once: with everybody in the row of everybody, that
// of 400 people would have 10 MB.
document.addEventListener("toggle", ({ target }) => {
  const list = target.matches?.("#situation-body details[open]") && $("[data-takers]", target);
  if (list) list.replaceChildren(...[...$("#takers").options].filter((one) => one.value !== list.dataset.takers).map((one) => one.cloneNode(true)));
}, true);

// Waiting grows longer by itself.
setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, 60_000);
// What was put off while somebody chose is made up for.
document.addEventListener("focusout", (event) => {
  if (event.target.closest?.("#situation-body")) setTimeout(() => refresh().catch(() => {}), 100);
});
