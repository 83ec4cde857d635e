// Shows in the mail the words on which a finding rests, while it is pointed at,
// has the focus or is open. The text itself is not touched.
import { $, on } from "./dom.js";

// find returns the range of a passage in an element, however its space is laid out.
function find(root, passage) {
  const wanted = passage.replace(/\s+/g, "");
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const places = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let i = 0; i < node.data.length; i++) {
      if (/\s/.test(node.data[i])) continue;
      text += node.data[i];
      places.push([node, i]);
    }
  }
  const start = text.indexOf(wanted);
  if (!wanted || start < 0) return null;
  const range = new Range();
  range.setStart(...places[start]);
  const [last, at] = places[start + wanted.length - 1];
  range.setEnd(last, at + 1);
  return range;
}

function show(finding) {
  if (!globalThis.Highlight) return null;
  const body = $(`#body-${finding.dataset.message}`);
  const range = body && find(body, finding.dataset.quote);
  if (range) CSS.highlights.set("evidence", new Highlight(range));
  else CSS.highlights.delete("evidence");
  return range;
}

// rest goes back to the passage of a finding that is open, if there is one.
function rest() {
  const open = $("[data-quote]:has(.evidence[open])");
  if (open) show(open);
  else if (globalThis.Highlight) CSS.highlights.delete("evidence");
}

for (const type of ["mouseover", "focusin"]) on(type, "[data-quote]", (_, finding) => show(finding));
for (const type of ["mouseout", "focusout"]) on(type, "[data-quote]", (event, finding) => {
  if (!finding.contains(event.relatedTarget)) rest();
});
document.addEventListener("toggle", (event) => {
  const finding = event.target.closest?.(".evidence")?.closest("[data-quote]");
  if (!finding) return;
  const range = event.target.open ? show(finding) : rest();
  const part = range?.startContainer.parentElement;
  const folded = part?.closest("details.folded");
  if (folded) folded.open = true;
  part?.closest(".text") && scrollTo(range);
}, true);

function scrollTo(range) {
  const box = range.getBoundingClientRect();
  if (box.top < 60 || box.bottom > innerHeight - 60) range.startContainer.parentElement.scrollIntoView({ block: "center" });
}
