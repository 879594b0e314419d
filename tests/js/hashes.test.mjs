// Known answers: what signing.js hashes and encodes, against other implementations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answers, bytes, hex, signing } from "./support.mjs";

test("keccak-256 is the one of another implementation for every length and block edge", () => {
  assert.ok(answers.keccak.length > 200);
  for (const { data, hash } of answers.keccak) {
    assert.equal(hex(signing.keccak256(bytes(data))), hash, `${data.length / 2 - 1} bytes`);
  }
});

test("Safe operations hash as elsewhere, with and without times, factory and sponsor", () => {
  assert.ok(answers.safeOperations.length >= 30);
  for (const { message, hash } of answers.safeOperations) {
    assert.equal(signing.safeOperationHash(message), hash);
  }
});

test("key proofs hash as elsewhere", () => {
  assert.ok(answers.keyProofs.length >= 10);
  for (const { message, hash } of answers.keyProofs) {
    assert.equal(signing.keyProofHash(message), hash);
  }
});

test("one call and several calls become the call data of another implementation", () => {
  assert.ok(answers.calls.some(({ calls }) => calls.length === 1));
  assert.ok(answers.calls.some(({ calls }) => calls.length > 1));
  for (const { calls, callData } of answers.calls) {
    assert.equal(signing.callData(calls), callData);
  }
});

test("amounts are exact decimals in both directions", () => {
  for (const { wei, text } of answers.amounts) {
    assert.equal(signing.formatEther(BigInt(wei)), text);
    assert.equal(signing.parseEther(`${text} ETH`), BigInt(wei));
  }
});

const NOT_AMOUNTS = [
  "", "1", "ETH", "1ETH", " 1 ETH", "1 ETH ", "01 ETH", "1. ETH", ".5 ETH", "1,5 ETH",
  "1e3 ETH", "-1 ETH", "+1 ETH", "0x10 ETH", "1 eth", "1 WEI", "1 ETH\n", "١ ETH",
  "0.0000000000000000001 ETH", "1 000 ETH", "1\u200b ETH", "\u202e1 ETH", "Infinity ETH",
];
for (const text of NOT_AMOUNTS) {
  test(`${JSON.stringify(text)} is not an amount`, () => {
    assert.equal(signing.parseEther(text), null);
  });
}
