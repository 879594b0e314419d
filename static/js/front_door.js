// What the front page says of this browser before anything is asked. The words come from
// preflight.js; what can be done about it stands in the page, folded or hidden.

import { lookCloser, preflight } from "./preflight.js";

const HELPED_BY_ANOTHER_BROWSER = ["in-app", "old", "missing"];

const advice = document.querySelector("[data-advice]");
const address = advice.querySelector("[data-advice-address]");

lookCloser().then((seen) => {
  const found = preflight(seen);
  if (!found) return;
  advice.querySelector("p").textContent = found.words;
  address.hidden = !HELPED_BY_ANOTHER_BROWSER.includes(found.finding);
  advice.hidden = false;
  announce(found.words);
  if (found.finding === "elsewhere") offerOthersFirst();
});

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

function offerOthersFirst() {
  const ways = document.querySelector("[data-other-ways]");
  ways.open = true;
  for (const way of ways.querySelectorAll("[value=client-device]")) way.parentElement.append(way);
}

// Without ui.js, which this page needs for nothing else.
address.querySelector("button").addEventListener("click", async ({ currentTarget }) => {
  try {
    await navigator.clipboard.writeText(currentTarget.dataset.copy);
    currentTarget.textContent = "Copied";
    announce("Copied.");
  } catch {
    getSelection().selectAllChildren(address.firstElementChild);
  }
});
