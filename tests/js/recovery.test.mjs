// What guardians sign: whatever differs from what the page shows, nobody is asked.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { answers, attempt, attemptWallet, hex, signing } from "./support.mjs";

const OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24";
const WALLET = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF";
const { recovery, recoveries } = answers;

test("recoveries hash as elsewhere, and are written down as typed data", () => {
  assert.ok(recoveries.length >= 10);
  const data = recoveries.map(({ message, hash }) => {
    assert.equal(signing.recoveryHash(message), hash);
    return { hash, data: signing.recoveryTypedData(message) };
  });
  writeFileSync(`${process.env.SIGNING_FOLDER}/recoveries.json`, JSON.stringify(data));
});

test("a good recovery asks the passkey once, with the 32 bytes of its hash", async () => {
  const { asked, error } = await attempt(recovery.request, recovery.shown);

  assert.equal(error, undefined);
  assert.equal(asked.length, 1);
  assert.equal(hex(asked[0].publicKey.challenge), recovery.request.hash);
});

test("a good recovery is shown to a wallet as typed data, on its chain", async () => {
  const { request, shown } = recovery;
  const signature = `0x${"1b".repeat(65)}`;
  const chainId = `0x${BigInt(request.message.chainId).toString(16)}`;
  const ready = { account: WALLET, eth_chainId: chainId, eth_signTypedData_v4: signature };

  const good = await attemptWallet({ ...request, wallets: [WALLET] }, shown, ready);
  const other = await attemptWallet({ ...request, wallets: [OTHER] }, shown, ready);
  const elsewhere = await attemptWallet(
    { ...request, wallets: [WALLET] }, shown, { ...ready, eth_chainId: "0x1" },
  );

  assert.deepEqual(good.result, { account: WALLET, signature });
  assert.deepEqual(JSON.parse(good.asked[1].params[1]), signing.recoveryTypedData(request.message));
  assert.deepEqual([other.error.field, elsewhere.error.field], ["wallets", "chainId"]);
  assert.match(other.error.message, /no guardian of the account/);
});

function refused(name, field, change, { rehash = false } = {}) {
  test(`refused: ${name}`, async () => {
    const { request, shown } = structuredClone(recovery);
    change(request, shown);
    if (rehash) request.hash = signing.recoveryHash(request.message);
    const { asked, error } = await attempt(request, shown);

    assert.equal(asked.length, 0);
    assert.equal(error?.name, "SigningRefused", String(error));
    assert.equal(error.field, field);
  });
}

// Every field, with the hash left as it was, and with one that fits -----------------------

const MESSAGE = {
  chainId: ["chain", "1"],
  verifyingContract: ["delay", "0x38275826E1933303E508433dD5f289315Da2541c"], // 3 days
  wallet: ["account", OTHER],
  newThreshold: ["new-threshold", "2"],
};
for (const [name, [field, value]] of Object.entries(MESSAGE)) {
  refused(`another ${name}`, field, (r) => (r.message[name] = value));
  refused(`another ${name}, hashed`, field, (r) => (r.message[name] = value), { rehash: true });
}
for (const name of [...Object.keys(MESSAGE), "newOwners", "nonce"]) {
  refused(`no ${name}`, name, (r) => delete r.message[name]);
}
refused("another nonce", "hash", (r) => (r.message.nonce = "4"));
refused("another hash", "hash", (r) => (r.hash = `0x${"11".repeat(32)}`));
refused("a field too many", "oldOwners", (r) => (r.message.oldOwners = []));
refused("a module that nobody knows, hashed", "verifyingContract", (r) => {
  r.message.verifyingContract = OTHER;
}, { rehash: true });

// The owners ----------------------------------------------------------------------------

refused("another new owner, hashed", "new-owner-2", (r) => {
  r.message.newOwners[1] = OTHER;
}, { rehash: true });
refused("owners in another order, hashed", "new-owner-1", (r) => {
  r.message.newOwners.reverse();
}, { rehash: true });
refused("an owner more, hashed", "new-owner-3", (r) => r.message.newOwners.push(OTHER), {
  rehash: true,
});
refused("an owner less, hashed", "new-owner-2", (r) => r.message.newOwners.pop(), {
  rehash: true,
});
refused("no owner, hashed", "newOwners", (r) => (r.message.newOwners = []), { rehash: true });
refused("an owner twice, hashed", "newOwners", (r) => {
  r.message.newOwners[1] = r.message.newOwners[0];
}, { rehash: true });
refused("an owner in other letters", "newOwners", (r) => {
  r.message.newOwners[0] = r.message.newOwners[0].toLowerCase();
});
refused("owners that are no list", "newOwners", (r) => (r.message.newOwners = OTHER));
for (const threshold of ["0", "3"]) {
  refused(`${threshold} of 2, hashed`, "newThreshold", (r) => {
    r.message.newThreshold = threshold;
  }, { rehash: true });
}

// What the page shows -------------------------------------------------------------------

for (const name of Object.keys(recovery.shown)) {
  refused(`a page without the ${name}`, name, (r, shown) => delete shown[name]);
}
refused("a page with another delay", "delay", (r, shown) => (shown.delay.text = "3 days"));
refused("a page with another delay in its value", "delay", (r, shown) => {
  shown.delay.value = "180";
});
refused("a page that asks for fewer", "new-threshold", (r, shown) => {
  shown["new-threshold"].text = "1 of 3 must approve";
});
refused("a page with an amount", "amount", (r, shown) => {
  shown.amount = { text: "1 ETH", value: "" };
});
refused("a recovery as an operation", "verifyingContract", (r) => (r.kind = "SafeOp"));
refused("a recovery as a proof", "wallet", (r) => (r.kind = "KeyProof"));
