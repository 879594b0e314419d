// The forms that authorize; a page that has none does without signing.js:
//
//   <form method="post" action="..." data-passkey="sign" data-request="<id of JSON>">
//     ... what is signed, as it is read: <span data-signed="amount">1 ETH</span> ...
//     <input type="hidden" name="credential">
//     <p role="alert" data-passkey-error hidden></p>
//
// With data-shown="<id>" what is signed stands in that element instead. With
// data-passkey="sign-wallet" beside it a browser wallet signs (wallets.js).

import { addCeremony, FormRefused, readJson } from "./passkey_forms.js";
import { authorize, authorizeWithWallet } from "./signing.js";
import { connectedWallet } from "./wallets.js";

addCeremony("sign", async (form) => {
  const { request, shown } = form.dataset;
  const where = shown ? document.getElementById(shown) : form;
  return authorize(readJson(request), shownIn(where));
});

addCeremony("sign-wallet", async (form) => {
  const request = readJson(form.dataset.request);
  const chainId = BigInt(request.message?.chainId ?? 0);
  const wallet = await connectedWallet(form, request.wallets ?? [], chainId);
  const shown = shownIn(document.getElementById(form.dataset.shown));
  return authorizeWithWallet(request, shown, wallet);
});

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
