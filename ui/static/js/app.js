// What the pages do besides being pages. Each module looks after one thing and
// may be missing without harm to the others: every form works by itself.
import "./zone.js";
import "./keep.js";
import "./menus.js";
import "./subnav.js";
import "./grid.js";
import "./reorder.js";
import "./copy.js";
import "./list.js";
import "./rows.js";
import "./thread.js";
import "./editor.js";
import "./toolbar.js";
import "./recipients.js";
import "./composer.js";
import "./frames.js";
import "./toasts.js";
import "./picker.js";
import "./look.js";
import "./palette.js";
import "./keys.js";
import "./live.js";
import "./due.js";
import "./situation.js";
import "./order.js";
