// Signing in from the browser's list of passkeys, in a field:
//
//   <form data-passkey="get" id="sign-in" ...>
//   <div class="invisible" data-passkey-field>
//     <input autocomplete="username webauthn" form="sign-in">
//
// While the page is seen, one get() waits behind the field, never two, and never beside
// one that a form asks for. Nobody asked for it, so its failures are not spoken of.

import { aroundCeremonies, begin, submitAnswer } from "./passkey_forms.js";
import { getAssertion } from "./webauthn.js";

const PATIENCE = 2_000; // milliseconds until whoever wants a button has pressed it
const SPARE = 30_000; // milliseconds of a challenge's life that are left when it is renewed
const LONGEST_STOP = 2_000; // milliseconds; some extensions never let a request end

const field = document.querySelector("[data-passkey-field]");
const input = field?.querySelector("input");

let current = null; // AbortController of the one wait
let ended = Promise.resolve(); // when the last one has ended
let renewAt = Infinity; // by the clock, because timers sleep with the computer
let asking = 0; // forms that ask for a passkey

function start() {
  if (current || asking || document.hidden) return;
  const controller = new AbortController();
  current = controller;
  ended = ended.then(() => wait(controller));
}

function stop() {
  current?.abort();
  current = null;
  const limit = new Promise((resolve) => setTimeout(resolve, LONGEST_STOP));
  return Promise.race([ended, limit]);
}

function renew() {
  stop();
  start();
}

async function wait(controller) {
  const { signal } = controller;
  let timer;
  try {
    if (signal.aborted) return;
    const options = await begin(input.form);
    if (signal.aborted) return;
    const life = Math.max(options.timeout - SPARE, options.timeout / 2);
    renewAt = Date.now() + life;
    timer = setTimeout(renew, life);
    const credential = await getAssertion(options, { mediation: "conditional", signal });
    if (!signal.aborted) submitAnswer(input.form, credential);
  } catch {
    // Aborted, refused, offline or not chosen: the button is there.
  } finally {
    clearTimeout(timer);
    if (current === controller) current = null;
  }
}

async function offer() {
  if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;

  field.classList.remove("invisible");
  aroundCeremonies({
    stop: () => {
      asking += 1;
      return stop();
    },
    start: () => {
      asking -= 1;
      start();
    },
  });
  input.addEventListener("focus", () => (Date.now() < renewAt ? start() : renew()));
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    asking = 0;
    renew();
  });
  setTimeout(start, PATIENCE);
}

if (input) offer();
