// A link's token stands in the fragment, which no browser sends. It goes into the form
// when that is submitted, and so into the body of a POST:
//
//   <input type="hidden" name="token" data-from-fragment>
//   <input type="hidden" name="next" data-with-fragment="/path">   becomes /path#token
//   <button type="submit" disabled data-awaits-scripts>            pressed when all is ready
//
// In the capture phase and before passkey_forms.js and htmx, so that they find it there.

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

// Pressed before htmx knows the form, a button would send it the ordinary way: without the
// token, and refused. htmx says so for the page and for whatever it swaps in.
document.addEventListener("htmx:after:process", ({ target }) => {
  for (const button of target.querySelectorAll("button[data-awaits-scripts]")) {
    button.disabled = false;
  }
});
