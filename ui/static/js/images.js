// Images within the text: pasted, dropped or chosen. Each is shown at once; a
// large one is made smaller first, since a phone's picture is no mail.
import { $ } from "./dom.js";
import { editorOf } from "./editor.js";
import { uploadInline } from "./uploads.js";

const shown = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const widest = 1600, heaviest = 1_500_000; // px, bytes: beyond it is made smaller
const widthInMail = 600;                   // px: wider ones are shown so, Outlook knows no max-width

const isImage = (file) => file.type.startsWith("image/") && file.type !== "image/svg+xml";

// insertImages puts image files where the caret is.
export async function insertImages(editor, files) {
  await editor.load();
  $("[data-image-wrong]", editor.form).hidden = true;
  for (const file of files.filter(isImage)) {
    try {
      await insert(editor, await prepared(file));
    } catch (error) {
      console.warn("image:", error);
      const wrong = $("[data-image-wrong]", editor.form);
      wrong.textContent = wrong.dataset.imageWrong.replace("{0}", file.name);
      wrong.hidden = false;
    }
  }
}

async function insert(editor, { file, width }) {
  if (!editor.squire) return;
  const attributes = { alt: file.name?.replace(/\.[^.]*$/, "") ?? "" };
  if (width > widthInMail) attributes.width = String(widthInMail);
  else if (width) attributes.width = String(width);
  const image = editor.squire.insertImage(await dataURL(file), attributes);
  editor.told();
  upload(editor, image, file);
}

// upload gives the image to the server, which then has it by its Content-ID.
// Where that fails it stays in the text itself, and is sent with it.
async function upload(editor, image, file) {
  try {
    const told = await uploadInline(editor.form, file);
    if (!image.isConnected) return;
    image.dataset.cid = told.content_id;
    image.src = told.url;
    editor.told();
  } catch (error) {
    console.warn("image:", error);
  }
}

// prepared returns the file as mail programs can show it, and how wide it is.
async function prepared(file) {
  const picture = await createImageBitmap(file);
  const { width, height } = picture;
  if (file.type === "image/gif" || (shown.includes(file.type) && width <= widest && file.size <= heaviest)) {
    picture.close();
    return { file, width };
  }
  const scale = Math.min(1, widest / width);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const ink = canvas.getContext("2d");
  const kind = file.type === "image/png" && file.size <= heaviest ? "image/png" : "image/jpeg";
  if (kind === "image/jpeg") {
    ink.fillStyle = "white";
    ink.fillRect(0, 0, canvas.width, canvas.height);
  }
  ink.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((done) => canvas.toBlob(done, kind, .86));
  const name = (file.name || "image").replace(/\.[^.]*$/, "") + (kind === "image/png" ? ".png" : ".jpg");
  return { file: new File([blob], name, { type: kind }), width: canvas.width };
}

const dataURL = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => done(reader.result));
  reader.addEventListener("error", () => failed(reader.error));
  reader.readAsDataURL(file);
});

// inEditor is the editor under an event, where it is one.
function inEditor(event) {
  const form = event.target.closest?.("[data-composer]"), editor = form && editorOf(form);
  return editor?.squire?.getRoot().contains(event.target) ? editor : null;
}

// A picture alone belongs in the text. Where words came with it, as from a table
// of Excel, they are taken and the picture of them is not.
addEventListener("paste", (event) => {
  const editor = inEditor(event), files = [...event.clipboardData.files];
  if (!editor || !files.length) return;
  if (event.clipboardData.types.some((type) => type === "text/html" || type === "text/plain")) {
    if (!/^\s*<meta[^>]*>\s*<img[^>]*>\s*$/i.test(event.clipboardData.getData("text/html"))) {
      event.wordsTaken = true;
      return;
    }
  }
  if (!files.every(isImage)) return;
  event.preventDefault();
  event.stopPropagation();
  insertImages(editor, files);
}, true);
document.addEventListener("paste", (event) => {
  if (event.wordsTaken) event.stopImmediatePropagation();
});

addEventListener("drop", (event) => {
  const editor = inEditor(event), files = [...(event.dataTransfer?.files ?? [])];
  if (!editor || !files.length || !files.every(isImage)) return;
  event.preventDefault();
  event.stopPropagation();
  editor.form.classList.remove("dropping");
  const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  if (place && editor.squire.getRoot().contains(place.offsetNode)) {
    const range = document.createRange();
    range.setStart(place.offsetNode, place.offset);
    range.collapse(true);
    editor.squire.setSelection(range);
  }
  insertImages(editor, files);
}, true);
