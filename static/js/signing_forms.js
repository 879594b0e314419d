// The forms that authorize; a page that has none does without signing.js:
//
//   <form method="post" action="..." data-passkey="sign" data-request="<id of JSON>">
//     ... what is signed, as it is read: <span data-signed="amount">1 ETH</span> ...
//     <input type="hidden" name="credential">
//     <p role="alert" data-passkey-error hidden></p>

import { addCeremony, FormRefused, readJson } from "./passkey_forms.js";
import { authorize } from "./signing.js";

addCeremony("sign", async (form) => authorize(readJson(form.dataset.request), shownIn(form)));

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
