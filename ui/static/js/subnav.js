// On a phone the pages of the settings are a line that scrolls: it begins where
// one is. So do the lists of a low window's navigation.
import { $, ready } from "./dom.js";

$(".nav-lists [aria-current]")?.scrollIntoView({ block: "nearest" });

ready(() => {
  const line = $(".subnav");
  const here = $("[aria-current]", line ?? undefined);
  if (line && here && line.scrollWidth > line.clientWidth) {
    line.scrollLeft = here.offsetLeft - line.offsetLeft - (line.clientWidth - here.offsetWidth) / 2;
  }
});
