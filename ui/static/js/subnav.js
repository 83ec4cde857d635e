// The pages of the settings scroll, on a phone as a line: they begin where one is. So do
// the lists of a low window's navigation.
import { $, ready } from "./dom.js";

$(".nav-lists [aria-current]")?.scrollIntoView({ block: "nearest" });

ready(() => {
  const line = $(".subnav");
  const here = $("[aria-current]", line ?? undefined);
  if (!line || !here) return;
  if (here.offsetTop - line.offsetTop + here.offsetHeight > line.clientHeight) {
    line.scrollTop = here.offsetTop - line.offsetTop - (line.clientHeight - here.offsetHeight) / 2;
  }
  if (line.scrollWidth > line.clientWidth) {
    line.scrollLeft = here.offsetLeft - line.offsetLeft - (line.clientWidth - here.offsetWidth) / 2;
  }
});
