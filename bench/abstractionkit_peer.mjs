// AbstractionKit's own account class, driven line by line: one JSON command on standard
// input, one JSON answer on standard output. The clock runs in here, around its calls
// alone, and every HTTP request that it makes is counted.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../devchain/package.json", import.meta.url));
const { SafeAccountV0_3_0: SafeAccount } = require("abstractionkit");

const [nodeUrl, bundlerUrl, chainId, precompile] = process.argv.slice(2);
const accounts = new Map();
let roundTrips = 0;

// It asks by fetch and, through ethers, by node:http.
const plainFetch = globalThis.fetch;
globalThis.fetch = (...request) => {
  roundTrips += 1;
  return plainFetch(...request);
};
const http = require("node:http");
const plainRequest = http.request;
http.request = (...request) => {
  roundTrips += 1;
  return plainRequest(...request);
};

const toJson = (_key, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value);

// Runs `work` and returns its answer with milliseconds and HTTP requests.
async function measured(work) {
  roundTrips = 0;
  const began = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - began, roundTrips };
}

// Its own functions for changes of owners; who stands before an owner it asks the node.
const changes = {
  add: (account, { owner, threshold }) =>
    account.createAddOwnerWithThresholdMetaTransactions(owner, threshold),
  swap: (account, { owner, removed }) =>
    account.createSwapOwnerMetaTransactions(nodeUrl, owner, removed),
  remove: async (account, { removed, threshold }) =>
    [await account.createRemoveOwnerMetaTransaction(nodeUrl, removed, threshold)],
  threshold: (account, { threshold }) =>
    [account.createChangeThresholdMetaTransaction(threshold)],
};

const commands = {
  // The account of a passkey, on the same verifiers as ours.
  open({ x, y }) {
    const signer = { x: BigInt(x), y: BigInt(y) };
    const account = SafeAccount.initializeNewAccount([signer], {
      eip7212WebAuthnPrecompileVerifierForSharedSigner: precompile,
    });
    accounts.set(account.accountAddress, { account, signer, pending: null });
    return { address: account.accountAddress };
  },

  // createUserOperation, timed; returns the hash that the passkey has to sign. A bundler
  // does not see what the Solidity verifier costs: then the gas is given.
  async prepare({ address, to, value, isFirst, verificationGas, change }) {
    const entry = accounts.get(address);
    // Its own class asks for it anew: without this, the first operation's set-up is repeated.
    const account = isFirst ? entry.account : new SafeAccount(address);
    const made = change
      ? await changes[change.kind](account, change)
      : [{ to, value: BigInt(value), data: "0x" }];
    const { result, milliseconds, roundTrips: trips } = await measured(() =>
      account.createUserOperation(
        made,
        nodeUrl,
        bundlerUrl,
        {
          expectedSigners: [entry.signer],
          eip7212WebAuthnPrecompileVerifier: precompile,
          ...(verificationGas && { verificationGasLimit: BigInt(verificationGas) }),
        },
      ),
    );
    entry.pending = { operation: result, isFirst };
    const hash = SafeAccount.getUserOperationEip712Hash(result, BigInt(chainId));
    return { hash, milliseconds, roundTrips: trips, operation: result };
  },

  // Sends what was prepared and waits as its own included() does.
  async send({ address, authenticatorData, clientDataFields, r, s }) {
    const { account, signer, pending } = accounts.get(address);
    const signature = SafeAccount.createWebAuthnSignature({
      authenticatorData: Uint8Array.from(Buffer.from(authenticatorData, "hex")).buffer,
      clientDataFields: `0x${clientDataFields}`,
      rs: [BigInt(r), BigInt(s)],
    });
    pending.operation.signature = SafeAccount.formatSignaturesToUseroperationSignature(
      [{ signer, signature }],
      { isInit: pending.isFirst, eip7212WebAuthnPrecompileVerifier: precompile },
    );
    const { result, milliseconds } = await measured(async () => {
      const response = await account.sendUserOperation(pending.operation, bundlerUrl);
      return response.included();
    });
    return { receipt: result, milliseconds };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...fields } = JSON.parse(line);
  let answer;
  try {
    answer = await commands[command](fields);
  } catch (error) {
    answer = { error: `${error.message} ${error.cause?.message ?? ""}`.trim() };
  }
  process.stdout.write(`${JSON.stringify(answer, toJson)}\n`);
}
