// Forms that a passkey completes:
//
//   <form method="post" action="..." data-passkey="create|get" data-begin="<url>">
//   <form method="post" action="..." data-passkey="create|get" data-options="<id of JSON>">
//   <form method="post" action="..." data-passkey="sign" data-request="<id of JSON>">
//     <input type="hidden" name="credential">
//     <p role="alert" data-passkey-error hidden></p>
//
// One delegated listener in the capture phase: it serves forms that htmx swaps in, and
// stops the submission before htmx or the browser sends anything. When the passkey has
// answered, the form is submitted again and goes its ordinary way. Whatever goes wrong
// is said in words inside the form, everything typed stays, and the form may be tried
// again: with data-begin a new ceremony begins, with data-options the one of the page.

import { createCredential, getAssertion } from "./webauthn.js";
import { authorize } from "./signing.js";

const BEGIN_TIMEOUT = 15_000; // milliseconds

const busy = new WeakSet(); // forms whose ceremony or submission is under way
const answered = new WeakSet(); // forms whose next submission carries an answer

const CEREMONIES = {
  create: async (form, button) => createCredential(await optionsFor(form, button)),
  get: async (form, button) => getAssertion(await optionsFor(form, button)),
  sign: (form) => authorize(readJson(form.dataset.request), shownIn(form)),
};

/** Something that stopped a ceremony; `message` is for people. */
class FormRefused extends Error {}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!Object.hasOwn(CEREMONIES, form.dataset.passkey ?? "")) return;
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
  showBusy(form, true);
  showError(form, "");
  try {
    checkBrowser();
    fillToken(form);
    const credential = await CEREMONIES[form.dataset.passkey](form, submitter);
    form.elements.credential.value = JSON.stringify(credential);
  } catch (error) {
    release(form);
    showError(form, wordsFor(error));
    return;
  }
  if (!form.isConnected) return; // htmx replaced it meanwhile
  answered.add(form);
  form.requestSubmit(submitter?.form === form ? submitter : null);
  if (answered.has(form)) release(form); // its fields do not allow a submission any more
}

function release(form) {
  busy.delete(form);
  answered.delete(form);
  form.elements.credential.value = "";
  showBusy(form, false);
}

function showBusy(form, isBusy) {
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.toggleAttribute("data-busy", isBusy);
    if (isBusy) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }
}

function showError(form, words) {
  const element = form.querySelector("[data-passkey-error]");
  if (!element) return;
  element.hidden = words === "";
  element.textContent = words;
}

// --- What a ceremony needs -------------------------------------------------------------

function checkBrowser() {
  if (!window.isSecureContext) {
    throw new FormRefused(
      "Passkeys work only over a secure connection. Open this site with https://.",
    );
  }
  if (!window.PublicKeyCredential || !navigator.credentials) {
    throw new FormRefused(
      "This browser has no passkeys. Open this page in Safari 16.4, Chrome 111, " +
        "Firefox 128 or newer, not inside another app.",
    );
  }
}

/** A link's token stands in the fragment, which browsers never send by themselves. */
function fillToken(form) {
  const input = form.querySelector("input[data-from-fragment]");
  if (input) input.value = location.hash.slice(1);
}

/** The options of a ceremony: those that came with the page, or those of a new one. */
async function optionsFor(form, submitter) {
  const { options } = form.dataset;
  return options ? readJson(options) : begin(form, submitter);
}

/** POST the form's own fields to where the ceremony begins; return the options. */
async function begin(form, submitter) {
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

function readJson(id) {
  try {
    return JSON.parse(document.getElementById(id).textContent);
  } catch {
    throw new FormRefused("This page is incomplete. Reload it; nothing was signed.");
  }
}

/** What a person reads in this form: data-signed names to their text and exact value. */
function shownIn(form) {
  const shown = {};
  for (const element of form.querySelectorAll("[data-signed]")) {
    const name = element.dataset.signed;
    if (Object.hasOwn(shown, name)) {
      throw new FormRefused(`This page shows the ${name} twice. Nothing was signed.`);
    }
    const value = element.dataset.value ?? element.getAttribute("datetime");
    shown[name] = { text: element.textContent, value };
  }
  return shown;
}

// --- Words -----------------------------------------------------------------------------

const WORDS = {
  NotAllowedError:
    "The passkey was cancelled or took too long. Nothing was changed. Try again when you are ready.",
  AbortError: "The passkey was interrupted. Nothing was changed. Try again.",
  InvalidStateError:
    "This device already has a passkey here. Nothing was changed. Sign in with it instead.",
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

function wordsFor(error) {
  const isOurs = ["CeremonyRefused", "SigningRefused"].includes(error?.name);
  if (isOurs || error instanceof FormRefused) return error.message;
  if (Object.hasOwn(WORDS, error?.name ?? "")) return WORDS[error.name];
  console.error(error);
  return "The passkey did not work. Nothing was changed. Try again, or use another browser.";
}

function wordsForStatus(status) {
  if (status === 403) return "This page is too old. Reload it and try again.";
  if (status === 429) return "Too many attempts from here. Wait a minute and try again.";
  return "The site could not begin. Nothing was changed. Try again in a minute.";
}
