// On a phone the pages of the settings are a line that scrolls: it begins where
// one is.
import { $, ready } from "./dom.js";

ready(() => {
  const line = $(".subnav");
  const here = $("[aria-current]", line ?? undefined);
  if (line && here && line.scrollWidth > line.clientWidth) {
    line.scrollLeft = here.offsetLeft - line.offsetLeft - (line.clientWidth - here.offsetWidth) / 2;
  }
});
