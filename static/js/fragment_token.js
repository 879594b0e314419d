// A link's token stands in the fragment, which no browser sends. It goes into the form
// when that is submitted, and so into the body of a POST:
//
//   <input type="hidden" name="token" data-from-fragment>
//   <input type="hidden" name="next" data-with-fragment="/path">   becomes /path#token
//
// In the capture phase, so that it is there before passkey_forms.js or htmx read it.

document.addEventListener(
  "submit",
  ({ target: form }) => {
    for (const input of form.querySelectorAll("input[data-from-fragment]")) {
      input.value = location.hash.slice(1);
    }
    for (const input of form.querySelectorAll("input[data-with-fragment]")) {
      input.value = input.dataset.withFragment + location.hash;
    }
  },
  { capture: true },
);
