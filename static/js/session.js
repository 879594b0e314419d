// A session that ends while its page is open (R14): a minute before, the page offers to
// stay signed in; afterwards it asks for a sign-in in place, and what was typed or being
// sent goes on from where it was.
//
// The limits are the server's. The page counts along from what the server said last, to
// know when to ask again, and asking makes nothing last longer. It asks before an
// ordinary form leaves, too: the answer to that form would be another page, and what was
// typed in it lost. Forms and fragments of htmx just try; 401 keeps the page.
// Nothing runs while nobody looks at the page.

const SOON = 60_000; // milliseconds before the end in which to offer staying
const LONGEST_NAP = 30_000; // milliseconds; timers do not count while a computer sleeps
const SHORTEST_NAP = 1_000; // milliseconds
const PATIENCE = 5_000; // milliseconds that an answer may take
const WRITTEN_EVERY = 30_000; // milliseconds; how exactly the server notes what is done

const ending = document.getElementById("session-ending");
const over = document.getElementById("session-over");

let deadline = Date.now() + Number(over.dataset.secondsLeft) * 1000;
const absolute = Date.now() + Number(over.dataset.endsIn) * 1000; // the other limit
let isOver = false;
let isWarned = false; // once for each deadline
let held = null; // the form that waits, and the button that sent it
let nap = 0;
const checked = new WeakSet(); // forms whose next submission leaves

// --- Counting along --------------------------------------------------------------------

function sleep() {
  clearTimeout(nap);
  if (document.hidden || isOver) return;
  const wait = deadline - Date.now() - (isWarned ? 0 : SOON);
  nap = setTimeout(wake, Math.min(Math.max(wait, SHORTEST_NAP), LONGEST_NAP));
}

/** Ask the server when it is time to; another tab may have been in use meanwhile. */
async function wake() {
  if (document.hidden) return;
  const left = deadline - Date.now();
  if (isOver || left <= (isWarned ? 0 : SOON)) {
    const state = await askServer();
    if (state) follow(state);
    else if (left <= 0) askToSignIn();
  }
  sleep();
}

/** Return what the server says of this browser's session; null: it does not answer. */
async function askServer() {
  try {
    const response = await fetch(over.dataset.state, {
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    return [200, 401].includes(response.status) ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Bring the page in line with what the server says. */
function follow({ user, seconds_left: secondsLeft, csrf }) {
  if (csrf) fillTokens(csrf);
  if (!user) {
    askToSignIn();
  } else if (user !== over.dataset.user) {
    location.assign("/"); // somebody else: nothing of this page is theirs
  } else {
    lastUntil(Date.now() + secondsLeft * 1000);
    if (isOver) goOn();
  }
}

function lastUntil(moment) {
  deadline = moment;
  isWarned = deadline - Date.now() <= SOON;
  if (!isWarned) ending.close();
  else if (!isOver && !ending.open) ending.showModal();
  sleep();
}

document.addEventListener("visibilitychange", wake);
window.addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  held = null;
  deadline = Date.now(); // as it was left, which may be long ago
  wake();
});
sleep();

// --- Signing in, in place --------------------------------------------------------------

function askToSignIn() {
  isOver = true;
  clearTimeout(nap);
  ending.close();
  const isIdle = Date.now() >= deadline && deadline < absolute - SHORTEST_NAP;
  over.querySelector("[data-idle]").hidden = !isIdle;
  if (!over.open) over.showModal();
}

function goOn() {
  isOver = false;
  over.close();
  sleep();
  announce("You are signed in again.");
  const form = held?.form;
  if (form?.isConnected && form.dataset.passkey) {
    // Two touches must never follow each other unasked: the second one may pay.
    const button = held.submitter?.isConnected ? held.submitter : null;
    held = null;
    (button ?? form.querySelector("[type=submit]"))?.focus();
  } else {
    send();
  }
}

/** Replace the tokens of this page, which a sign-in has made worthless. */
function fillTokens(csrf) {
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) {
    input.value = csrf;
  }
  document.body.setAttribute(
    "hx-headers:inherited",
    JSON.stringify({ "X-CSRFToken": csrf }),
  );
}

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

// --- Forms that wait -------------------------------------------------------------------

window.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!isOurs(form) || checked.has(form)) return;
    const isHtmx = form.hasAttribute("hx-post");
    const isAnswered = Boolean(form.dataset.passkey && form.elements.credential.value);
    if (!isOver && Date.now() < deadline && (isHtmx || isAnswered)) return;

    event.preventDefault();
    event.stopImmediatePropagation();
    hold(form, event.submitter);
  },
  { capture: true }, // on the window: before the passkeys' listener, and before htmx
);

/** Whether a form needs a session: it changes something, and is not about leaving. */
function isOurs(form) {
  const isPost = form.getAttribute("method")?.toLowerCase() === "post";
  return isPost && !form.closest("dialog") && !form.hasAttribute("data-leaves");
}

async function hold(form, submitter) {
  const isAsking = held !== null && !isOver;
  held = { form, submitter };
  if (isOver) askToSignIn();
  if (isOver || isAsking) return;
  const state = await askServer();
  if (state) follow(state);
  if (!isOver) send();
}

/** Let the form that waits go its ordinary way. */
function send() {
  if (!held) return;
  const { form, submitter } = held;
  held = null;
  if (!form.isConnected) return;
  checked.add(form);
  form.requestSubmit(submitter?.form === form ? submitter : null);
  checked.delete(form);
}

// Who puts the question away does not want the form to leave by itself later.
over.addEventListener("cancel", () => {
  held = null;
});

// --- Requests of htmx ------------------------------------------------------------------

const isInDialog = (element) => [ending, over].includes(element.closest("dialog"));

document.addEventListener("htmx:before:request", (event) => {
  if (isOver && !isInDialog(event.detail.ctx.sourceElement)) event.preventDefault();
});

// Cancelled here, an answer neither replaces anything nor leads away from the page.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, request, response } = event.detail.ctx;
  if (response.status !== 401 || isInDialog(sourceElement)) return;

  event.preventDefault();
  const form = sourceElement.closest("form");
  if (form && request.method !== "GET") held = { form, submitter: request.submitter };
  askToSignIn();
});

document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, request, response, text } = event.detail.ctx;
  if (isInDialog(sourceElement)) {
    hear(sourceElement, response.status, text);
  } else if (request.method !== "GET" && response.status < 500) {
    const idle = Number(over.dataset.idleSeconds) * 1000;
    lastUntil(Math.max(deadline, Date.now() + idle - WRITTEN_EVERY));
  }
});

/** Take the answer to a form of the dialogs, which is JSON if all is well. */
function hear(form, status, text) {
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A page, from whatever stands between us and the site.
  }
  if (answer && "seconds_left" in answer) {
    follow(answer);
    return;
  }
  const element = form.querySelector("[data-passkey-error]");
  if (!element || status < 400) return;
  element.textContent =
    answer?.error?.message ?? "The site did not take that. Try again in a minute.";
  element.hidden = false;
}
