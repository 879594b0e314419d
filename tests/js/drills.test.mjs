// What guardians answer to a rehearsal: it is one on the page, and nothing else anywhere.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { answers, attempt, attemptWallet, hex, signing } from "./support.mjs";

const OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24";
const WALLET = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF";
const { drill, drills, recovery } = answers;

test("rehearsals hash as elsewhere, and are written down as typed data", () => {
  assert.ok(drills.length >= 10);
  const data = drills.map(({ message, hash }) => {
    assert.equal(signing.drillHash(message), hash);
    return { hash, data: signing.drillTypedData(message) };
  });
  writeFileSync(`${process.env.SIGNING_FOLDER}/drills.json`, JSON.stringify(data));
});

test("a good rehearsal asks the passkey once, with the 32 bytes of its hash", async () => {
  const { asked, error } = await attempt(drill.request, drill.shown);

  assert.equal(error, undefined);
  assert.equal(asked.length, 1);
  assert.equal(hex(asked[0].publicKey.challenge), drill.request.hash);
});

test("a wallet is shown that it is a rehearsal, and no contract", async () => {
  const { request, shown } = drill;
  const signature = `0x${"1b".repeat(65)}`;
  const ready = { account: WALLET, eth_chainId: "0x7a69", eth_signTypedData_v4: signature };

  const good = await attemptWallet({ ...request, wallets: [WALLET] }, shown, ready);
  const other = await attemptWallet({ ...request, wallets: [OTHER] }, shown, ready);
  const elsewhere = await attemptWallet(
    { ...request, wallets: [WALLET] }, shown, { ...ready, eth_chainId: "0x1" },
  );

  assert.deepEqual(good.result, { account: WALLET, signature });
  const data = JSON.parse(good.asked[1].params[1]);
  assert.deepEqual(data, signing.drillTypedData(request.message));
  assert.deepEqual(data.domain, { name: "Latchkey", version: "1", chainId: 31337 });
  assert.equal(data.message.notice, shown.notice.text);
  assert.deepEqual([other.error.field, elsewhere.error.field], ["wallets", "chainId"]);
});

function refused(name, field, change, { rehash = false } = {}) {
  test(`refused: ${name}`, async () => {
    const { request, shown } = structuredClone(drill);
    change(request, shown);
    if (rehash) request.hash = signing.drillHash(request.message);
    const { asked, error } = await attempt(request, shown);

    assert.equal(asked.length, 0);
    assert.equal(error?.name, "SigningRefused", String(error));
    assert.equal(error.field, field);
  });
}

// Every field, with the hash left as it was, and with one that fits -----------------------

const MESSAGE = {
  chainId: ["chain", "1"],
  account: ["account", OTHER],
  askedAt: ["asked-at", "1790000001"],
};
for (const [name, [field, value]] of Object.entries(MESSAGE)) {
  refused(`another ${name}`, field, (r) => (r.message[name] = value));
  refused(`another ${name}, hashed`, field, (r) => (r.message[name] = value), { rehash: true });
}
for (const name of [...Object.keys(MESSAGE), "nonce"]) {
  refused(`no ${name}`, name, (r) => delete r.message[name]);
}
refused("another nonce", "hash", (r) => (r.message.nonce = `0x${"11".repeat(32)}`));
refused("a nonce that is no word", "nonce", (r) => (r.message.nonce = "0x01"));
refused("another hash", "hash", (r) => (r.hash = `0x${"11".repeat(32)}`));
refused("the hash of a recovery", "hash", (r) => (r.hash = recovery.request.hash));
refused("a date that no calendar has, hashed", "askedAt", (r) => {
  r.message.askedAt = "253402300800";
}, { rehash: true });
for (const name of ["notice", "verifyingContract", "newOwners", "wallet"]) {
  refused(`a message with ${name}`, name, (r) => (r.message[name] = OTHER));
}

// What the page shows -------------------------------------------------------------------

for (const name of Object.keys(drill.shown)) {
  refused(`a page without the ${name}`, name, (r, shown) => delete shown[name]);
}
refused("a page that says something else", "notice", (r, shown) => {
  shown.notice.text = "Sign here.";
});
refused("a page that says more", "notice", (r, shown) => (shown.notice.text += " Really."));
refused("a page with new owners", "new-owner-1", (r, shown) => {
  shown["new-owner-1"] = { text: OTHER, value: "" };
});
refused("a page with an amount", "amount", (r, shown) => {
  shown.amount = { text: "1 ETH", value: "" };
});

// One kind is never another -------------------------------------------------------------

refused("a rehearsal as a recovery", "account", (r) => (r.kind = "ExecuteRecovery"));
refused("a rehearsal as an operation", "account", (r) => (r.kind = "SafeOp"));
refused("a rehearsal as a proof", "askedAt", (r) => (r.kind = "KeyProof"));
test("refused: a recovery as a rehearsal, whatever its page says", async () => {
  for (const shown of [recovery.shown, drill.shown]) {
    const request = { ...recovery.request, kind: "RecoveryDrill" };
    const { asked, error } = await attempt(request, shown);

    assert.equal(asked.length, 0);
    assert.equal(error?.field, "verifyingContract");
  }
});
