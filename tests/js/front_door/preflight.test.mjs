// What preflight.js makes of browsers as they are, and of what they can.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import test from "node:test";

import { IN_APPS, ORDINARY, PHONES, TOO_OLD } from "./user_agents.mjs";

const { inAppBrowser, isTooOld, phoneMaker, preflight, wordsForMaker } = await import(
  pathToFileURL(process.env.PREFLIGHT_MODULE)
);

const ABLE = { isSecure: true, hasWebAuthn: true, hasOwnAuthenticator: true };
const [SAFARI] = ORDINARY;
const [OLD_SAFARI] = TOO_OLD;
const [INSTAGRAM] = IN_APPS["Instagram, iPhone"];

for (const [name, [userAgent, app, maker = ""]] of Object.entries(IN_APPS)) {
  test(`${name} is recognised`, () => {
    assert.equal(inAppBrowser(userAgent), app);
    assert.equal(isTooOld(userAgent), false);
    assert.equal(phoneMaker(userAgent), maker);
  });
}

for (const userAgent of ORDINARY) {
  test(`nothing is said to ${userAgent}`, () => {
    assert.equal(preflight({ ...ABLE, userAgent }), null);
    assert.equal(phoneMaker(userAgent), "");
  });
}

for (const userAgent of TOO_OLD) {
  test(`too old: ${userAgent}`, () => {
    assert.equal(isTooOld(userAgent), true);
    assert.equal(inAppBrowser(userAgent), "");
  });
}

for (const [userAgent, model, maker] of PHONES) {
  test(`${model || userAgent} is of ${maker}`, () => {
    assert.equal(phoneMaker(userAgent, model), maker);
    assert.equal(isTooOld(userAgent), false);
  });
}

test("a computer has no phone's maker, whatever it is called", () => {
  assert.equal(phoneMaker(ORDINARY[13], "V2034A"), "");
});

test("a site on the home screen of an iPhone is not inside an app", () => {
  const [userAgent] = IN_APPS["an app without a name, iPhone"];

  assert.equal(preflight({ ...ABLE, userAgent, isInstalled: true }), null);
});

test("Telegram is known by its bridge where its user agent is Safari's", () => {
  const found = preflight({ ...ABLE, userAgent: SAFARI, isTelegram: true });

  assert.deepEqual([found.finding, found.stops], ["in-app", false]);
  assert.match(found.words, /inside Telegram, where passkeys often do not work/);
});

// [what is seen, finding, whether it stops, words]
const CASES = [
  [{ userAgent: SAFARI, isSecure: false }, "insecure", true, /https:\/\//],
  [{ userAgent: SAFARI, isSecure: false, hasWebAuthn: false }, "insecure", true, /https:\/\//],
  [{ userAgent: SAFARI, hasWebAuthn: false }, "missing", true, /no passkeys\. Open this page in Safari 16\.4, Chrome 111, Firefox 128/],
  [{ userAgent: INSTAGRAM, hasWebAuthn: false }, "in-app", true, /inside Instagram, which has no passkeys\. Open this page in your browser/],
  [{ userAgent: INSTAGRAM }, "in-app", false, /where passkeys often do not work/],
  [{ userAgent: OLD_SAFARI, hasWebAuthn: false }, "old", true, /has no passkeys\. Update it/],
  [{ userAgent: OLD_SAFARI }, "old", false, /older than this site is made for/],
  [{ userAgent: SAFARI, hasOwnAuthenticator: false }, "elsewhere", false, /another phone by QR code, a security key/],
];

for (const [seen, finding, stops, words] of CASES) {
  test(`${JSON.stringify(seen)} is ${finding}`, () => {
    const found = preflight({ ...ABLE, ...seen });

    assert.deepEqual([found.finding, found.stops], [finding, stops]);
    assert.match(found.words, words);
  });
}

test("nothing that may have passkeys is ever stopped", () => {
  const all = [...Object.values(IN_APPS).map(([first]) => first), ...ORDINARY, ...TOO_OLD];

  for (const userAgent of all) {
    for (const hasOwnAuthenticator of [true, false, null]) {
      const found = preflight({ ...ABLE, userAgent, hasOwnAuthenticator });
      assert.equal(found?.stops ?? false, false, userAgent);
    }
  }
});

test("what a browser does not say is not held against it", () => {
  assert.equal(preflight({ ...ABLE, userAgent: SAFARI, hasOwnAuthenticator: null }), null);
});

test("a phone that may lack ES256 is told so, with the other ways", () => {
  for (const failure of ["NotAllowedError", "NotSupportedError", "ConstraintError"]) {
    const words = wordsForMaker(failure, "vivo");

    assert.match(words, /Some phones of vivo cannot make the kind of passkey that is needed \(ES256\)/);
    assert.match(words, /Nothing was changed/);
    assert.match(words, /another phone by QR code, or a security key\. A browser wallet/);
  }
});

test("where it may have been cancelled, both are said", () => {
  assert.match(wordsForMaker("NotAllowedError", "Xiaomi"), /^The passkey was cancelled, or /);
  assert.doesNotMatch(wordsForMaker("NotSupportedError", "Xiaomi"), /cancelled/);
});

test("other phones and other failures are not blamed on the maker", () => {
  assert.equal(wordsForMaker("NotAllowedError", ""), "");
  assert.equal(wordsForMaker("InvalidStateError", "Xiaomi"), "");
});
