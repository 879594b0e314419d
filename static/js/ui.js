// What a page does beside passkeys: copying, saying state changes aloud, keeping the
// focus, telling when the site does not answer. Delegated listeners, so fragments that htmx swaps in are
// served too. Nothing is kept here: what is known stands in the page.

const ANNOUNCED = "data-announce";

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

// --- Copying ---------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;

  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.dataset.copied = "";
    announce("Copied.");
  } catch {
    announce("Your browser does not allow copying here. Select the text instead.");
  }
});

document.addEventListener("focusout", ({ target }) => {
  target.closest?.("[data-copied]")?.removeAttribute("data-copied");
});

// --- Saying state changes ----------------------------------------------------------------
// A fragment names its state in data-announce. Morphing writes the attribute only when it
// differs, so a poll that changed nothing stays silent.

const observer = new MutationObserver((changes) => {
  for (const { target, oldValue } of changes) {
    const words = target.getAttribute(ANNOUNCED);
    if (words && words !== oldValue) announce(words);
  }
});
observer.observe(document.documentElement, {
  subtree: true, attributeFilter: [ANNOUNCED], attributeOldValue: true,
});

// --- Keeping the focus -------------------------------------------------------------------
// News may take away the very button that has the focus, and with it the place of who
// works by keyboard or listens. The card around it takes the focus then; it stands in the
// page which card that is, because only before the swap can it be seen.

const CARD = "[id][tabindex='-1']";

document.addEventListener("htmx:before:swap", () => {
  const card = document.activeElement?.closest?.(CARD);
  document.documentElement.dataset.focusIn = card?.id ?? "";
});

document.addEventListener("htmx:after:swap", () => {
  const isLost = !document.activeElement || document.activeElement === document.body;
  if (isLost) document.getElementById(document.documentElement.dataset.focusIn)?.focus();
});

// --- The connection ----------------------------------------------------------------------

function showConnection(isLost) {
  const banner = document.getElementById("connection");
  if (!banner || banner.hidden === !isLost) return;
  banner.hidden = !isLost;
  announce(isLost ? banner.textContent.trim() : "The connection is back.");
}

const status = (event) => event.detail?.ctx?.response?.status ?? 0;

document.addEventListener("htmx:error", () => showConnection(true));
document.addEventListener("htmx:after:request", (event) => {
  showConnection(status(event) === 429 || status(event) >= 500);
});

// A page nobody looks at does not ask. (htmx 4 names the event that started a request.)
document.addEventListener("htmx:before:request", (event) => {
  const { sourceEvent } = event.detail?.ctx ?? {};
  if (document.hidden && sourceEvent?.type === "every") event.preventDefault();
});
