// Passkeys (Web Authentication). The server asks in JSON, and the answer goes
// back with an ordinary form, so that whatever follows is a page.
import { on, ready, $$ } from "./dom.js";

// belongs says whether this page can ask for the passkeys of a host.
const belongs = (site) =>
  "PublicKeyCredential" in window && (location.hostname === site || location.hostname.endsWith("." + site));

ready(() => {
  for (const element of $$("[data-passkey-site]")) element.hidden = !belongs(element.dataset.passkeySite);
  for (const element of $$("[data-passkey-missing]")) element.hidden = belongs(element.dataset.passkeyMissing);
});

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const described = (list) => list?.map((item) => ({ ...item, id: bytes(item.id) }));

async function ask(kind, options) {
  options.challenge = bytes(options.challenge);
  if (kind === "get") {
    options.allowCredentials = described(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = described(options.excludeCredentials);
  return navigator.credentials.create({ publicKey: options });
}

// written is a credential as JSON; toJSON does it where browsers have it.
function written(credential) {
  const { response } = credential;
  const parts = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name]);
  }
  if (response.getTransports) parts.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: parts,
  });
}

on("submit", "[data-passkey]", async (event, form) => {
  if (form.elements.answer.value) return;
  event.preventDefault();
  const problem = form.querySelector("[data-passkey-problem]");
  const button = form.querySelector("button");
  const stopped = problem.dataset.stopped ??= problem.textContent;
  const fail = (said) => {
    problem.textContent = said;
    problem.hidden = false;
    button.disabled = false;
    button.focus();
  };
  problem.hidden = true;
  button.disabled = true;
  try {
    const answer = await fetch(form.dataset.begin, { method: "POST", headers: { Accept: "application/json" } });
    const question = await answer.json();
    if (question.again) {
      location.assign(question.again);
      return;
    }
    if (!answer.ok) {
      fail(question.error);
      return;
    }
    const credential = await ask(form.dataset.passkey, question.options);
    form.elements.sealed.value = question.sealed;
    form.elements.answer.value = written(credential);
    form.submit();
  } catch (error) { // also where somebody chose to stop
    fail((error.name === "InvalidStateError" && problem.dataset.known) || stopped);
  }
});
