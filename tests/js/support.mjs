// What the tests of signing.js share: the module, the known answers, a counted get().

import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
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

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
