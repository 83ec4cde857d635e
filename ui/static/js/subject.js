// A long subject shows three lines, and all of them when somebody asks. The
// server does not know how many lines there are, so the button appears here.
import { $, on, ready } from "./dom.js";

let whole = null; // the number of the ticket whose subject is shown whole
let seen = null;  // the subject that is watched for changes of its size

const sized = new ResizeObserver(fit);

ready(() => {
  const subject = $("#subject");
  if (subject !== seen) {
    sized.disconnect();
    if (subject) sized.observe(subject);
    seen = subject;
  }
  fit();
});

on("click", ".subject-more", () => {
  const { number } = $("#ticket").dataset;
  whole = whole === number ? null : number;
  fit();
});

function fit() {
  const subject = $("#subject"), button = $(".subject-more");
  if (!subject || !button) return;
  const holder = subject.parentElement, open = whole === $("#ticket").dataset.number;
  holder.classList.toggle("whole", open);
  const folds = open || subject.scrollHeight > subject.clientHeight + 1;
  holder.classList.toggle("folds", folds && !open);
  button.hidden = !folds;
  button.ariaExpanded = String(open);
  button.textContent = open ? button.dataset.less : button.dataset.more;
  if (!open) subject.scrollTop = 0;
}
