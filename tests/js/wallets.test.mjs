// Wallets sign the same operation after the same check, and nothing else.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { answers, attemptWallet, signing } from "./support.mjs";

const ACCOUNT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF";
const OTHER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const SIGNATURE = `0x${"1b".repeat(65)}`;
const { request: plain, shown } = answers.requests.payment;
const request = { ...plain, wallets: [OTHER, ACCOUNT] };
const chainId = `0x${BigInt(plain.message.chainId).toString(16)}`;
const ready = { account: ACCOUNT, eth_chainId: chainId, eth_signTypedData_v4: SIGNATURE };

test("the wallet is asked for its chain, then for exactly this typed data", async () => {
  const { asked, result } = await attemptWallet(request, shown, ready);

  assert.deepEqual(result, { account: ACCOUNT, signature: SIGNATURE });
  assert.deepEqual(asked.map(({ method }) => method), ["eth_chainId", "eth_signTypedData_v4"]);
  const [account, text] = asked[1].params;
  assert.equal(account, ACCOUNT);
  assert.deepEqual(JSON.parse(text), signing.safeOperationTypedData(plain.message));
});

test("the typed data of every known operation is written down for another implementation", () => {
  const data = answers.safeOperations.map(({ message: { chainId: id, ...rest } }) => {
    const message = { ...rest, chainId: String(BigInt.asUintN(50, BigInt(id)) || 1n) };
    const hash = signing.safeOperationHash(message);
    return { hash, data: signing.safeOperationTypedData(message) };
  });
  writeFileSync(`${process.env.SIGNING_FOLDER}/typed_data.json`, JSON.stringify(data));
});

const refused = (name, field, changes, { words, wallet = {} } = {}) =>
  test(`refused, and nothing is signed: ${name}`, async () => {
    const { asked, error } = await attemptWallet(changes, words ?? shown, { ...ready, ...wallet });

    assert.equal(error?.name, "SigningRefused", String(error));
    assert.equal(error.field, field);
    assert.equal(asked.some(({ method }) => method === "eth_signTypedData_v4"), false);
  });

const more = String(BigInt(plain.calls[0].valueWei) + 1n);
refused("another hash", "hash", { ...request, hash: `0x${"00".repeat(32)}` });
refused("another amount than shown", "callData", {
  ...request, calls: [{ ...plain.calls[0], valueWei: more }],
});
refused("another recipient on the page", "recipient", request, {
  words: { ...shown, recipient: { text: OTHER } },
});
refused("another entry point", "entryPoint", {
  ...request, message: { ...plain.message, entryPoint: OTHER },
});
refused("a wallet that is no owner", "wallets", { ...request, wallets: [OTHER] });
refused("no wallets", "wallets", plain);
refused("another chain", "chainId", request, { wallet: { eth_chainId: "0x1" } });
refused("a chain that is no number", "chainId", request, { wallet: { eth_chainId: "one" } });
refused("a chain that is nothing", "chainId", request, { wallet: { eth_chainId: null } });
const { request: creation, shown: created } = answers.requests.creation;
refused("setting an account up", "setUp", { ...creation, wallets: [ACCOUNT] }, { words: created });
const proof = answers.requests.proof;
refused("a key proof", "kind", { ...proof.request, wallets: [ACCOUNT] }, { words: proof.shown });

for (const answer of [null, "", "0x", `0x${"1b".repeat(64)}`, `0x${"zz".repeat(65)}`, {}]) {
  test(`${JSON.stringify(answer)} is no signature`, async () => {
    const wallet = { ...ready, eth_signTypedData_v4: answer };
    const { error } = await attemptWallet(request, shown, wallet);

    assert.equal(error?.field, "signature");
  });
}

test("what the wallet says is passed on", async () => {
  const declined = Object.assign(new Error("User rejected"), { code: 4001 });
  const wallet = { ...ready, eth_signTypedData_v4: declined };

  const { error } = await attemptWallet(request, shown, wallet);

  assert.equal(error, declined);
});
