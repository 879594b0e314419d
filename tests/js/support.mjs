// What the tests of signing.js share: the module, the known answers, a counted get().

import assert from "node:assert/strict";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

// tests/test_signing_js.py puts here: the module under a name that Node takes for an ES
// module, alone, so that it fails as soon as it imports anything, and the answers of
// other implementations.
const folder = pathToFileURL(`${process.env.SIGNING_FOLDER}/`);
export const signing = await import(new URL("signing.mjs", folder));
export const answers = JSON.parse(readFileSync(new URL("answers.json", folder), "utf8"));

export const bytes = (hex) => Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));
export const hex = (data) => `0x${Buffer.from(data).toString("hex")}`;

const assertion = {
  id: "Y3JlZGVudGlhbC1vZi1hbGljZQ",
  rawId: bytes(hex(Buffer.from("credential-of-alice"))).buffer,
  type: "public-key",
  authenticatorAttachment: "platform",
  response: {
    clientDataJSON: bytes("fbff00").buffer,
    authenticatorData: bytes("01").buffer,
    signature: bytes("0203").buffer,
    userHandle: null,
  },
};

/** The answer of the passkey with this key; only what sets an account up looks at it. */
function signedBy(key) {
  if (!key) return assertion;
  const { clientDataJSON, authenticatorData } = assertion.response;
  const digest = createHash("sha256").update(new Uint8Array(clientDataJSON)).digest();
  const data = Buffer.concat([new Uint8Array(authenticatorData), digest]);
  const signature = sign("sha256", data, createPrivateKey({ key, format: "jwk" }));
  return { ...assertion, response: { ...assertion.response, signature: bytes(hex(signature)).buffer } };
}

/** Run authorize() as on https://wallet.example.org; what get() was asked, and the end. */
export async function attempt(request, shown, { hostname = "wallet.example.org", key } = {}) {
  const asked = [];
  const get = async (options) => {
    asked.push(options);
    return signedBy(key);
  };
  define("navigator", { credentials: { get } });
  define("location", { hostname });
  try {
    return { asked, result: await signing.authorize(request, shown) };
  } catch (error) {
    return { asked, error };
  }
}

/** Run authorizeWithWallet() with a wallet that answers so; what it was asked, and the end. */
export async function attemptWallet(request, shown, { account, ...answers }) {
  const asked = [];
  const provider = {
    request: async ({ method, params }) => {
      asked.push({ method, params });
      if (answers[method] instanceof Error) throw answers[method];
      return answers[method];
    },
  };
  define("location", { hostname: "wallet.example.org" });
  try {
    const wallet = { provider, account };
    return { asked, result: await signing.authorizeWithWallet(request, shown, wallet) };
  } catch (error) {
    return { asked, error };
  }
}

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** The same case, changed; `rehash` makes call data and hash fit the change again. */
export function changed(original, change, { rehash = false } = {}) {
  const { request, shown } = structuredClone(original);
  change(request, shown);
  if (rehash) {
    if (request.calls) request.message.callData = signing.callData(request.calls);
    const hash = request.kind === "SafeOp" ? signing.safeOperationHash : signing.keyProofHash;
    request.hash = hash(request.message);
  }
  return { request, shown };
}

/** Whatever was changed, get() is called 0 times, and the words are for people. */
export function refused(name, original, field, change, options) {
  test(`refused: ${name}`, async () => {
    const { request, shown } = changed(original, change, options);

    const { asked, error } = await attempt(request, shown, { hostname: options?.hostname });

    assert.equal(asked.length, 0);
    assert.ok(error instanceof signing.SigningRefused, String(error));
    assert.equal(error.field, field);
    assert.match(error.message, /^[A-Z][^<>]+\. Nothing was signed\.$/);
  });
}
