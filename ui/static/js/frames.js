// Mail as HTML: switching to it, and giving its frame the height it needs. The
// frame that is shown is of an origin of its own, so nobody can look into it;
// an invisible copy that can neither run scripts, nor open windows, nor be
// clicked is measured instead.
import { $, $$, fragment, morph, on, ready } from "./dom.js";

const tallest = 20000;

on("click", "[data-body]", async (_, button) => {
  const { body: id, as } = button.dataset;
  if (document.getElementById(`body-${id}`)?.dataset.as === as) return;
  if (await show(id, `as=${as}`)) {
    for (const other of $$("[data-body]", button.parentElement)) other.setAttribute("aria-pressed", String(other === button));
  }
});

// Remote images are shown when somebody asks for it, each time anew.
on("click", "[data-images]", (_, button) => show(button.dataset.images, "as=html&images=1"));

// show puts another form of a mail's body in the place of the one that is there.
async function show(id, form) {
  const target = document.getElementById(`body-${id}`);
  if (!target) return false;
  const text = await fragment(`/messages/${id}/body?${form}`, `body-${id}`);
  // The mail's head stays where it is while its body changes its height.
  const thread = $("#thread");
  thread.classList.add("unanchored");
  await morph(target, text, "outerHTML");
  setTimeout(() => thread.classList.remove("unanchored"), 1500);
  return true;
}

ready(() => $$(".mail-frame:not([data-measured])").forEach(measure));

function measure(holder) {
  holder.dataset.measured = "yes";
  const copy = document.createElement("iframe");
  copy.className = "mail-measured";
  copy.setAttribute("sandbox", "allow-same-origin");
  copy.inert = true;
  copy.tabIndex = -1;
  copy.ariaHidden = "true";
  const adjust = () => {
    const page = copy.contentDocument?.documentElement;
    if (!page) return;
    // Where a scrollbar takes of the height, one for what is wide would hide the last line.
    const bar = page.scrollWidth > page.clientWidth ? copy.offsetHeight - page.clientHeight : 0;
    $(".mail-shown", holder).style.height = `${Math.min(Math.max(page.scrollHeight, 40) + bar, tallest)}px`;
  };
  copy.addEventListener("load", adjust);
  new ResizeObserver(adjust).observe(holder);
  const address = new URL(holder.dataset.frame, location.href);
  address.searchParams.set("measure", "1");
  copy.src = address.href;
  holder.append(copy);
}
