// Forms that a passkey completes:
//
//   <form method="post" action="..." data-passkey="create|get" data-begin="<url>">
//   <form method="post" action="..." data-passkey="create|get" data-options="<id of JSON>">
//     <input type="hidden" name="credential">
//     <p role="alert" data-passkey-error hidden></p>
//
// signing_forms.js adds the kind that authorizes, where a page has such a form.
//
// One delegated listener in the capture phase: it serves forms that htmx swaps in, and
// stops the submission before htmx or the browser sends anything. When the passkey has
// answered, the form is submitted again and goes its ordinary way. Whatever goes wrong
// is said in words inside the form, everything typed stays, and the form may be tried
// again: with data-begin a new ceremony begins, with data-options the one of the page.

import { look, preflight, thisMaker, wordsForMaker } from "./preflight.js";
import { createCredential, getAssertion } from "./webauthn.js";

const BEGIN_TIMEOUT = 15_000; // milliseconds

const busy = new WeakSet(); // forms whose ceremony or submission is under way
const answered = new WeakSet(); // forms whose next submission carries an answer

const CEREMONIES = new Map([
  ["create", async (form, button) => createCredential(await optionsFor(form, button))],
  ["get", async (form, button) => getAssertion(await optionsFor(form, button))],
]);

// What waits for a passkey in the background, and must not while a form asks for one.
let background = { stop() {}, start() {} };

/** Something that stopped a ceremony; `message` is for people. */
export class FormRefused extends Error {}

/** Serve another kind of form; `ceremony` resolves to what its "credential" will hold. */
export function addCeremony(kind, ceremony) {
  CEREMONIES.set(kind, ceremony);
}

/** Have `stop` awaited before any form asks for a passkey, `start` called if that failed. */
export function aroundCeremonies(callbacks) {
  background = callbacks;
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    if (answered.delete(form)) return;

    event.preventDefault();
    event.stopImmediatePropagation();
    if (!busy.has(form)) complete(form, event.submitter);
  },
  { capture: true },
);

// A submission that htmx made has ended: the form may still stand, ready for another try.
document.addEventListener("htmx:finally:request", (event) => {
  const form = event.detail?.ctx?.sourceElement?.closest?.("form[data-passkey]");
  if (form) release(form);
});

// Back in history brings a page as it was left: busy.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-passkey]").forEach(release);
});

async function complete(form, submitter) {
  busy.add(form);
  showBusy(form, submitter);
  showError(form, "");
  try {
    checkBrowser();
    await background.stop();
    const ceremony = CEREMONIES.get(form.dataset.passkey);
    if (!ceremony) throw new FormRefused(INCOMPLETE);
    submitAnswer(form, await ceremony(form, submitter), submitter);
  } catch (error) {
    const words = await wordsFor(error, form.dataset.passkey);
    release(form);
    showError(form, words);
    if (!(error instanceof FormRefused)) showOtherWays();
    background.start();
  }
}

/** Submit the form, the ordinary way, with what a passkey answered. */
export function submitAnswer(form, credential, submitter = null) {
  if (!form.isConnected) return; // htmx replaced it meanwhile
  form.elements.credential.value = JSON.stringify(credential);
  busy.add(form);
  answered.add(form);
  form.requestSubmit(submitter?.form === form ? submitter : null);
  if (answered.has(form)) release(form); // its fields do not allow a submission any more
}

function release(form) {
  busy.delete(form);
  answered.delete(form);
  form.elements.credential.value = "";
  showBusy(form, null);
}

/** Mark the button that was pressed as busy, or none of the form's. */
function showBusy(form, pressed) {
  for (const button of form.elements) {
    if (button.type !== "submit") continue;
    button.toggleAttribute("data-busy", button === pressed);
    if (button === pressed) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }
}

function showError(form, words) {
  const element = form.querySelector("[data-passkey-error]");
  if (!element) return;
  element.hidden = words === "";
  element.textContent = words;
  if (words) element.scrollIntoView({ block: "nearest" });
}

/** Unfold the ways in through another device, where the page has them. */
function showOtherWays() {
  document.querySelector("[data-other-ways]")?.setAttribute("open", "");
}

// --- What a ceremony needs -------------------------------------------------------------

function checkBrowser() {
  const found = preflight(look());
  if (found?.stops) throw new FormRefused(found.words);
}

/** The options of a ceremony: those that came with the page, or those of a new one. */
async function optionsFor(form, submitter) {
  const { options } = form.dataset;
  return options ? readJson(options) : begin(form, submitter);
}

/** POST the form's own fields to where the ceremony begins; return the options. */
export async function begin(form, submitter = null) {
  const fields = new URLSearchParams(new FormData(form));
  // By hand: browsers older than Chrome 112 do not know FormData's second argument.
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  fields.delete("credential");
  const response = await fetch(form.dataset.begin, {
    method: "POST",
    body: fields,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": form.elements.csrfmiddlewaretoken?.value ?? "",
    },
    redirect: "error",
    signal: AbortSignal.timeout(BEGIN_TIMEOUT),
  }).catch(() => {
    throw new FormRefused(
      "The site does not answer. Check your connection and try again; nothing was changed.",
    );
  });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new FormRefused(answer?.error?.message ?? wordsForStatus(response.status));
}

/** The JSON that the page brought along in an element. */
export function readJson(id) {
  try {
    return JSON.parse(document.getElementById(id).textContent);
  } catch {
    throw new FormRefused(INCOMPLETE);
  }
}

// --- Words -----------------------------------------------------------------------------

const INCOMPLETE = "This page is incomplete. Reload it; nothing was signed.";
const NOT_ALLOWED_TO_GET =
  "The passkey was cancelled or took too long, or this device has none for this site. " +
  "Nothing was changed. Try again, or use another device.";
const WORDS = {
  NotAllowedError:
    "The passkey was cancelled or took too long. Nothing was changed. Try again when you are ready.",
  AbortError: "The passkey was interrupted. Nothing was changed. Try again.",
  InvalidStateError:
    "This device already has a passkey here. Nothing was changed. Use that one, or " +
    "choose another device.",
  NotSupportedError:
    "This device cannot make the kind of passkey that is needed (ES256). Nothing was " +
    "changed. Use another phone by QR code, or a security key.",
  ConstraintError:
    "This device cannot check who you are. Nothing was changed. Set up a screen lock " +
    "or PIN, or use another phone or a security key.",
  SecurityError:
    "This address is not the one that passkeys of this site belong to. Nothing was " +
    "changed. Check the address bar.",
};

async function wordsFor(error, kind) {
  const isOurs = ["CeremonyRefused", "SigningRefused"].includes(error?.name);
  if (isOurs || error instanceof FormRefused) return error.message;
  const name = error?.name ?? "";
  if (kind === "get" && name === "NotAllowedError") return NOT_ALLOWED_TO_GET;
  const ofMaker = kind === "create" && wordsForMaker(name, await thisMaker());
  if (ofMaker) return ofMaker;
  if (Object.hasOwn(WORDS, name)) return WORDS[name];
  console.error(error);
  return "The passkey did not work. Nothing was changed. Try again, or use another browser.";
}

function wordsForStatus(status) {
  if (status === 403) return "This page is too old. Reload it and try again.";
  if (status === 429) return "Too many attempts from here. Wait a minute and try again.";
  return "The site could not begin. Nothing was changed. Try again in a minute.";
}
