// What the server really renders, as signing.js reads it: it asks exactly once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answers, attempt, hex } from "./support.mjs";

for (const [name, { request, shown, key }] of Object.entries(answers)) {
  test(`the rendered ${name} is what its request says`, async () => {
    const { asked, error } = await attempt(request, shown, { hostname: "localhost", key });

    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
    assert.equal(hex(asked[0].publicKey.challenge), request.hash);
  });
}
