// R15: whatever differs from what the page shows, get() is called 0 times.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answers, attempt, bytes, changed, hex, refused, signing } from "./support.mjs";

const OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24";
const { payment, sponsored, batch, addition, guarded, cancellation, proof } = answers.requests;

for (const [name, original] of Object.entries(answers.requests)) {
  test(`a good ${name} asks once, with exactly the 32 bytes of its hash`, async () => {
    const { request, shown, key } = original;

    const { asked, result, error } = await attempt(request, shown, { key });

    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
    const { publicKey } = asked[0];
    assert.equal(publicKey.challenge.byteLength, 32);
    assert.equal(hex(publicKey.challenge), request.hash);
    assert.equal(publicKey.rpId, request.rpId);
    assert.equal(publicKey.userVerification, "required");
    assert.deepEqual(
      publicKey.allowCredentials.map(({ type, id, transports }) => [type, hex(id), transports]),
      [["public-key", answers.credentialId, ["internal"]]],
    );
    assert.equal(result.rawId, "Y3JlZGVudGlhbC1vZi1hbGljZQ");
    const { signature, ...rest } = result.response;
    assert.deepEqual(rest, {
      clientDataJSON: "-_8A", authenticatorData: "AQ", userHandle: null,
    });
    if (!key) assert.equal(signature, "AgM");
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  });
}

// What is asked for --------------------------------------------------------------------

refused("a kind that is not known", payment, "kind", (r) => (r.kind = "Hash"));
refused("a kind named like a member of objects", payment, "kind", (r) => (r.kind = "constructor"));
refused("the other kind's fields", payment, "module", (r) => (r.kind = "KeyProof"));
refused("a bare hash", payment, "message", (r) => delete r.message);
refused("another hash", payment, "hash", (r) => (r.hash = `0x${"11".repeat(32)}`));
refused("a hash in other letters", payment, "hash", (r) => (r.hash = r.hash.toUpperCase()));
refused("no hash", payment, "hash", (r) => delete r.hash);
refused("another site's passkey", payment, "rpId", (r) => (r.rpId = "example.com"));
refused("half a label of this site", payment, "rpId", (r) => (r.rpId = "xample.org"));
refused("a host below this one", payment, "rpId", (r) => (r.rpId = "a.wallet.example.org"));
refused("no relying party", payment, "rpId", (r) => (r.rpId = ""));
refused("this request on another host", payment, "rpId", () => {}, { hostname: "evil.org" });
refused("any passkey", payment, "allowCredentials", (r) => (r.allowCredentials = []));
refused("no list of passkeys", payment, "allowCredentials", (r) => delete r.allowCredentials);
refused("a passkey without a readable id", payment, "allowCredentials", (r) => {
  r.allowCredentials[0].id = "not base64url!";
});

// Every field of the message, one at a time, the hash left as it was --------------------

const MESSAGE = {
  chainId: ["chain", "1"],
  module: ["module", OTHER],
  safe: ["account", OTHER],
  nonce: ["hash", "7"],
  initCode: ["initCode", "0x01"],
  callData: ["callData", "0x"],
  verificationGasLimit: ["max-fee", "1"],
  callGasLimit: ["max-fee", "1"],
  preVerificationGas: ["max-fee", "1"],
  maxPriorityFeePerGas: ["hash", "1"],
  maxFeePerGas: ["max-fee", "1"],
  paymasterAndData: ["max-fee", `${OTHER}${"11".repeat(32)}`],
  validAfter: ["hash", "1"],
  validUntil: ["valid-until", "1900000001"],
  entryPoint: ["entryPoint", OTHER],
};
for (const [name, [field, value]] of Object.entries(MESSAGE)) {
  refused(`another ${name}`, payment, field, (r) => (r.message[name] = value));
  refused(`no ${name}`, payment, name, (r) => delete r.message[name]);
}
refused("a field too many", payment, "extra", (r) => (r.message.extra = "1"));
refused("a nameless field too many", payment, "", (r) => (r.message[""] = "1"));

// The same with a hash that fits the change: a server that lies consistently ------------

const fitting = { rehash: true };
refused("another account, hashed", payment, "account", (r) => (r.message.safe = OTHER), fitting);
refused("another chain, hashed", payment, "chain", (r) => (r.message.chainId = "1"), fitting);
refused("another module, hashed", payment, "module", (r) => (r.message.module = OTHER), fitting);
refused("another EntryPoint, hashed", payment, "entryPoint", (r) => {
  r.message.entryPoint = OTHER;
}, fitting);
refused("a factory, hashed", payment, "initCode", (r) => (r.message.initCode = OTHER), fitting);
refused("a higher fee, hashed", payment, "max-fee", (r) => {
  r.message.maxFeePerGas = String(BigInt(r.message.maxFeePerGas) + 1n);
}, fitting);
refused("more gas, hashed", payment, "max-fee", (r) => (r.message.callGasLimit = "1"), fitting);
refused("a later end, hashed", payment, "valid-until", (r) => {
  r.message.validUntil = "1900000001";
}, fitting);
refused("no end, hashed", payment, "validUntil", (r) => (r.message.validUntil = "0"), fitting);
refused("an end before the start, hashed", payment, "validUntil", (r) => {
  r.message.validAfter = r.message.validUntil;
}, fitting);
refused("an end beyond all dates, hashed", payment, "validUntil", (r) => {
  r.message.validUntil = String(2n ** 48n - 1n);
}, fitting);
refused("another recipient, hashed", payment, "recipient", (r) => (r.calls[0].to = OTHER), fitting);
refused("one wei more, hashed", payment, "amount", (r) => {
  r.calls[0].valueWei = String(BigInt(r.calls[0].valueWei) + 1n);
}, fitting);
refused("call data of the call, hashed", payment, "data", (r) => {
  r.calls[0].data = "0xdeadbeef";
}, fitting);
refused("a second call, hashed", payment, "recipient", (r, shown) => {
  r.calls.push({ to: OTHER, valueWei: "1", data: "0x" });
}, fitting);
refused("a sponsor nobody was told of, hashed", payment, "max-fee", (r) => {
  r.message.paymasterAndData = `${OTHER}${"00".repeat(31)}01`;
}, fitting);
refused("a sponsor without gas nobody was told of, hashed", payment, "payer", (r) => {
  r.message.paymasterAndData = `${OTHER}${"00".repeat(32)}`;
}, fitting);
refused("a sponsor that went away, hashed", sponsored, "payer", (r, shown) => {
  r.message.paymasterAndData = "0x";
  shown["max-fee"] = { text: answers.feeWithoutSponsor, value: "" };
}, fitting);
refused("more gas for the sponsor, hashed", sponsored, "max-fee", (r) => {
  const data = r.message.paymasterAndData;
  r.message.paymasterAndData = `${data.slice(0, 105)}1${data.slice(106)}`;
}, fitting);
refused("half a sponsor, hashed", sponsored, "paymasterAndData", (r) => {
  r.message.paymasterAndData = r.message.paymasterAndData.slice(0, 104);
}, fitting);
refused("a delegatecall, hashed", payment, "callData", (r) => {
  const data = r.message.callData;
  r.message.callData = `${data.slice(0, 265)}1${data.slice(266)}`;
  r.hash = signing.safeOperationHash(r.message);
});
refused("bytes after the call data, hashed", payment, "callData", (r) => {
  r.message.callData += "00";
  r.hash = signing.safeOperationHash(r.message);
});

// The calls beside the message ------------------------------------------------------------

refused("calls to another address", payment, "callData", (r) => (r.calls[0].to = OTHER));
refused("calls of another value", payment, "callData", (r) => (r.calls[0].valueWei = "1"));
refused("calls with data", payment, "data", (r) => (r.calls[0].data = "0x00"));
refused("calls with an operation", payment, "operation", (r) => (r.calls[0].operation = "1"));
refused("no calls", payment, "calls", (r) => (r.calls = []));
refused("calls that are no list", payment, "calls", (r) => delete r.calls);
refused("a batch in another order", batch, "callData", (r) => r.calls.reverse());
refused("a batch that shows a payment twice", batch, "recipient-2", (r, shown) => {
  shown["recipient-2"] = shown["recipient-1"];
});
refused("a batch that shows one payment less", batch, "amount-2", (r, shown) => {
  delete shown["amount-2"];
});

// What the page shows ---------------------------------------------------------------------

const SHOWN = {
  recipient: { text: OTHER },
  amount: { text: "0.26 ETH" },
  account: { text: OTHER },
  chain: { text: "Local chain", value: "1" },
  "max-fee": { text: "0.00001 ETH" },
  payer: { text: "Free for you", value: "sponsor" },
  "valid-until": { text: "17:46", value: "2030-03-17T17:46:41Z" },
};
for (const [name, item] of Object.entries(SHOWN)) {
  refused(`the page shows another ${name}`, payment, name, (r, shown) => (shown[name] = item));
  refused(`the page does not show ${name}`, payment, name, (r, shown) => delete shown[name]);
  refused(`the page shows ${name} empty`, payment, name, (r, shown) => (shown[name].text = " "));
  refused(`the page shows null for ${name}`, payment, name, (r, shown) => (shown[name] = null));
}
refused("the page shows more than is signed", payment, "memo", (r, shown) => {
  shown.memo = { text: "Rent", value: "" };
});
refused("the page shows something nameless", payment, "", (r, shown) => {
  shown[""] = { text: "Rent", value: "" };
});
refused("a recipient that disagrees with its value", payment, "recipient", (r, shown) => {
  shown.recipient.value = OTHER;
});
refused("an end in another time zone", payment, "valid-until", (r, shown) => {
  shown["valid-until"].value = "2030-03-17T17:46:40+05:00";
});
refused("the page shows nothing", payment, "recipient", (r, shown) => {
  for (const name of Object.keys(shown)) delete shown[name];
});
refused("a recipient that is right only out of sight", payment, "recipient", (r, shown) => {
  shown.recipient = { text: OTHER, value: shown.recipient.text };
});
refused("a shortened recipient", payment, "recipient", (r, shown) => {
  const text = shown.recipient.text;
  shown.recipient = { text: `${text.slice(0, 6)}…${text.slice(-4)}`, value: text };
});
refused("a recipient without its checksum", payment, "recipient", (r, shown) => {
  shown.recipient.text = shown.recipient.text.toLowerCase();
});
refused("a recipient with a hidden character", payment, "recipient", (r, shown) => {
  shown.recipient.text = `${shown.recipient.text}\u200b`;
});
refused("an amount that disagrees with its value", payment, "amount", (r, shown) => {
  shown.amount.value = "1";
});

test("an address may be shown in groups and an amount with its zeros", async () => {
  const { request, shown } = structuredClone(payment);
  shown.recipient.text = shown.recipient.text.replace(/.{1,4}/g, "$& \n");
  shown.amount.text = ` ${shown.amount.text.replace(" ETH", "0\u00a0ETH")} `;

  const { asked, error } = await attempt(request, shown);

  assert.equal(error, undefined);
  assert.equal(asked.length, 1);
});

// A new owner -----------------------------------------------------------------------------

const NEW_OWNER = {
  x: ["signer", "7"],
  y: ["signer", "7"],
  signer: ["signer", OTHER],
  proxyCode: ["proxyCode", "0x00"],
  singleton: ["singleton", OTHER],
  verifiers: ["verifiers", String(2n ** 176n - 1n)],
};
for (const [name, [field, value]] of Object.entries(NEW_OWNER)) {
  const change = (r) => (r.newOwner[name] = value);
  refused(`another ${name} of the new owner`, addition, field, change);
  refused(`another ${name} of the new owner, hashed`, addition, field, change, fitting);
  refused(`no ${name} of the new owner`, addition, name, (r) => delete r.newOwner[name]);
}
refused("more about the new owner", addition, "memo", (r) => (r.newOwner.memo = "1"));
refused("a new owner that is nothing", addition, "message", (r) => (r.newOwner = null));
refused("an addition without its key", addition, "newOwner", (r) => {
  delete r.newOwner;
});
refused("an addition that is no change", addition, "change", (r) => {
  delete r.change;
});
refused("the calls of an addition without its owner", addition, "data", (r) => {
  delete r.newOwner;
  delete r.change;
});
refused("a payment that brings a new owner", payment, "change", (r) => {
  r.newOwner = addition.request.newOwner;
});
refused("a payment that brings and shows a new owner", payment, "calls", (r, shown) => {
  r.newOwner = addition.request.newOwner;
  r.change = addition.request.change;
  shown["new-owner"] = addition.shown["new-owner"];
});
refused("a cancellation of another nonce", cancellation, "calls", (r) => {
  r.cancels.nonce = "7";
});
refused("a cancellation that shows another nonce", cancellation, "cancels", (r, shown) => {
  shown.cancels.value = "7";
});
refused("a cancellation that pays", cancellation, "calls", (r) => {
  r.calls[0].valueWei = "1";
}, fitting);
refused("a cancellation that calls somebody else", cancellation, "calls", (r) => {
  r.calls[0].to = OTHER;
}, fitting);
refused("a cancellation that calls a function", cancellation, "calls", (r) => {
  r.calls[0].data = "0x00";
}, fitting);
refused("a cancellation that does it twice", cancellation, "calls", (r) => {
  r.calls.push(r.calls[0]);
}, fitting);
refused("a payment under the name of a cancellation", payment, "calls", (r, shown) => {
  r.cancels = { nonce: r.message.nonce };
  shown.cancels = { text: "", value: r.message.nonce };
});
refused("a cancellation of nothing", cancellation, "message", (r) => (r.cancels = null));
refused("more about a cancellation", cancellation, "memo", (r) => (r.cancels.memo = "1"));
refused("another passkey, consistently", addition, "new-owner", (r) => {
  r.newOwner = guarded.request.newOwner;
  r.change = guarded.request.change;
  r.calls = guarded.request.calls;
}, fitting);
refused("nobody has to approve, consistently", addition, "threshold", (r, shown) => {
  r.change.threshold = "0";
  r.calls[1].data = `${r.calls[1].data.slice(0, -1)}0`;
  shown.threshold = { text: "0 of 2 must approve", value: "0" };
}, fitting);
refused("a key that no signer was made for, consistently", addition, "signer", (r) => {
  r.newOwner.x = "7";
  r.calls[0].data = `${r.calls[0].data.slice(0, 73)}7${r.calls[0].data.slice(74)}`;
}, fitting);

/** The data of one call with `count` of its hex digits from `start` on replaced. */
const spliced = (index, start, digits) => (r) => {
  const data = r.calls[index].data;
  const from = start < 0 ? data.length + start : start;
  r.calls[index].data = data.slice(0, from) + digits + data.slice(from + digits.length);
};
const PAIRS = {
  "in another order": (r) => r.calls.reverse(),
  "without the signer's creation": (r) => r.calls.shift(),
  "without the owner": (r) => r.calls.pop(),
  "twice": (r) => r.calls.push(...structuredClone(r.calls)),
  "with a payment": (r) => r.calls.push({ to: OTHER, valueWei: "1", data: "0x" }),
  "with a call more": (r) => r.calls.push(structuredClone(r.calls[1])),
  "by another factory": (r) => (r.calls[0].to = OTHER),
  "of another account": (r) => (r.calls[1].to = OTHER),
  "that pays the factory": (r) => (r.calls[0].valueWei = "1"),
  "that pays the account": (r) => (r.calls[1].valueWei = "1"),
  "by another function of the factory": spliced(0, 2, "0d2f0488"),
  "by another function of the account": spliced(1, 2, "e318b52b"),
  "with another key created": spliced(0, 10, "ff"),
  "with other verifiers": spliced(0, -1, "0"),
  "with verifiers of more than 22 bytes": spliced(0, 138, "01"),
  "with another owner": spliced(1, 34, "ff"),
  "with bits before the owner": spliced(1, 10, "01"),
  "with another threshold": spliced(1, -1, "2"),
  "with a threshold of 0": spliced(1, -1, "0"),
  "with a byte after the key": (r) => (r.calls[0].data += "00"),
  "with a word after the owner": (r) => (r.calls[1].data += "00".repeat(32)),
  "without the last byte": (r) => (r.calls[1].data = r.calls[1].data.slice(0, -2)),
  "with empty calls": (r) => r.calls.forEach((call) => (call.data = "0x")),
};
for (const [name, change] of Object.entries(PAIRS)) {
  refused(`an addition ${name}, hashed`, addition, "calls", change, fitting);
}
refused("an addition with an operation", addition, "operation", (r) => {
  r.calls[1].operation = "1";
});
refused("an addition with a delegatecall inside, hashed", addition, "callData", (r) => {
  const entry = `00${r.calls[0].to.slice(2).toLowerCase()}`;
  const at = r.message.callData.indexOf(entry);
  assert.ok(at > 0);
  r.message.callData = `${r.message.callData.slice(0, at)}01${r.message.callData.slice(at + 2)}`;
  r.hash = signing.safeOperationHash(r.message);
});
refused("an addition of an account that is not shown, hashed", addition, "account", (r) => {
  r.message.safe = r.calls[1].to = OTHER;
}, fitting);
refused("an addition on another chain, hashed", addition, "chain", (r) => {
  r.message.chainId = "1";
}, fitting);
refused("an addition for a higher fee, hashed", addition, "max-fee", (r) => {
  r.message.callGasLimit = "200000";
}, fitting);
refused("a lower threshold than is shown", guarded, "threshold", (r) => {
  r.change.threshold = "1";
  r.calls[1].data = `${r.calls[1].data.slice(0, -1)}1`;
}, fitting);

const SHOWN_OWNER = {
  "new-owner": { text: OTHER, value: "" },
  "new-key": { text: guarded.shown["new-key"].text, value: "" },
  threshold: { text: "2 of 2 must approve", value: "2" },
};
for (const [name, item] of Object.entries(SHOWN_OWNER)) {
  refused(`an addition that shows another ${name}`, addition, name, (r, shown) => {
    shown[name] = item;
  });
  refused(`an addition that does not show ${name}`, addition, name, (r, shown) => {
    delete shown[name];
  });
  refused(`an addition that shows ${name} empty`, addition, name, (r, shown) => {
    shown[name].text = " ";
  });
  refused(`an addition that shows ${name} out of sight only`, addition, name, (r, shown) => {
    shown[name] = { text: item.text, value: shown[name].value || shown[name].text };
  });
  refused(`a payment that shows ${name}`, payment, name, (r, shown) => {
    shown[name] = addition.shown[name];
  });
}
refused("an addition that shows a recipient", addition, "recipient", (r, shown) => {
  shown.recipient = payment.shown.recipient;
});
refused("an addition that shows a shortened owner", addition, "new-owner", (r, shown) => {
  const text = shown["new-owner"].text;
  shown["new-owner"] = { text: `${text.slice(0, 6)}…${text.slice(-4)}`, value: text };
});
refused("an addition whose key disagrees with its value", addition, "new-key", (r, shown) => {
  shown["new-key"].value = guarded.shown["new-key"].text;
});
refused("an addition whose threshold has no number", addition, "threshold", (r, shown) => {
  shown.threshold.value = "";
});
refused("an addition whose fingerprint has a hidden character", addition, "new-key", (r, shown) => {
  shown["new-key"].text += "\u200b";
});
for (const value of ["0x1", "-1", "01", "", 12, null, String(2n ** 256n)]) {
  refused(`x as ${JSON.stringify(value)}`, addition, "x", (r) => (r.newOwner.x = value));
}

// Other changes of the account -------------------------------------------------------------

const CHANGED = [
  "addition", "wallet", "swap", "swap for a passkey", "removal", "threshold", "module",
  "guard",
];
for (const name of CHANGED) {
  const original = answers.requests[name];
  const { kind, ...fields } = original.request.change;
  for (const field of Object.keys(fields)) {
    const value = field === "threshold" ? "7" : OTHER;
    const found = field === "owner" && original.request.newOwner ? "owner" : "calls";
    const change = (r) => (r.change[field] = value);
    refused(`another ${field}: ${name}`, original, found, change);
    refused(`another ${field}, hashed: ${name}`, original, found, change, fitting);
    refused(`no ${field}: ${name}`, original, field, (r) => delete r.change[field]);
  }
  for (const other of CHANGED.filter((item) => item !== name)) {
    const { change, newOwner } = answers.requests[other].request;
    test(`refused: ${name} as ${other}`, async () => {
      const { request, shown } = changed(original, (r) => {
        r.change = change;
        if (newOwner) r.newOwner = newOwner;
        else delete r.newOwner;
      });
      const { asked, error } = await attempt(request, shown);
      assert.equal(asked.length, 0);
      assert.equal(error.field, "calls");
    });
  }
  refused(`a change of no known kind: ${name}`, original, "change", (r) => {
    r.change.kind = "constructor";
  });
  refused(`a change that is nothing: ${name}`, original, "change", (r) => (r.change = null));
  refused(`more about the change: ${name}`, original, "memo", (r) => (r.change.memo = "1"));
  refused(`with a call more: ${name}`, original, "calls", (r) => {
    r.calls.push({ to: OTHER, valueWei: "1", data: "0x" });
  }, fitting);
  refused(`of another account: ${name}`, original, "calls", (r) => {
    r.calls.at(-1).to = OTHER;
  }, fitting);
  refused(`that pays the account: ${name}`, original, "calls", (r) => {
    r.calls.at(-1).valueWei = "1";
  }, fitting);
  for (const shownName of Object.keys(original.shown)) {
    refused(`without showing ${shownName}: ${name}`, original, shownName, (r, shown) => {
      delete shown[shownName];
    });
  }
  for (const shownName of ["new-owner", "removed"].filter((item) => original.shown[item])) {
    refused(`showing another ${shownName}: ${name}`, original, shownName, (r, shown) => {
      shown[shownName].text = OTHER;
    });
  }
  refused(`that says it is another change: ${name}`, original, "change", (r, shown) => {
    shown.change.value = kind === "remove-guard" ? "disable-module" : "remove-guard";
  });
  refused(`that pays somebody as well: ${name}`, original, "recipient", (r, shown) => {
    shown.recipient = payment.shown.recipient;
  });
}
refused("another owner goes, consistently", answers.requests.removal, "removed", (r) => {
  r.change.removed = OTHER;
  const data = r.calls[0].data;
  r.calls[0].data = `${data.slice(0, 98)}${OTHER.slice(2).toLowerCase()}${data.slice(138)}`;
}, fitting);
refused("a wallet that brings a key", answers.requests.wallet, "newOwner", (r) => {
  r.newOwner = addition.request.newOwner;
});
refused("a removal that brings a key", answers.requests.removal, "newOwner", (r) => {
  r.newOwner = addition.request.newOwner;
});
refused("another wallet, consistently", answers.requests.wallet, "new-owner", (r) => {
  r.change.owner = OTHER;
  const data = r.calls[0].data;
  r.calls[0].data = `${data.slice(0, 34)}${OTHER.slice(2).toLowerCase()}${data.slice(74)}`;
}, fitting);
refused("nobody has to approve", answers.requests.threshold, "threshold", (r, shown) => {
  r.change.threshold = "0";
  r.calls[0].data = `${r.calls[0].data.slice(0, -1)}0`;
  shown.threshold = { text: "0 of 3 must approve", value: "0" };
}, fitting);

// Setting up the account ------------------------------------------------------------------

const { creation, repair } = answers.requests;
const SET_UP = {
  x: ["signer", "7"],
  y: ["signer", "7"],
  signer: ["signer", OTHER],
  proxyCode: ["proxyCode", "0x00"],
  singleton: ["singleton", OTHER],
  verifiers: ["verifiers", String(2n ** 176n - 1n)],
};
for (const [name, [field, value]] of Object.entries(SET_UP)) {
  const change = (r) => (r.setUp[name] = value);
  refused(`another ${name} to set up`, creation, field, change);
  refused(`another ${name} to repair, hashed`, repair, field, change, fitting);
  refused(`no ${name} to set up`, creation, name, (r) => delete r.setUp[name]);
}
refused("more about the set-up", creation, "memo", (r) => (r.setUp.memo = "1"));
refused("a set-up that is nothing", creation, "message", (r) => (r.setUp = null));
refused("a creation that is nothing", creation, "message", (r) => (r.creation = null));
refused("more about the creation", creation, "memo", (r) => (r.creation.memo = "1"));
refused("a creation without its salt", creation, "saltNonce", (r) => (r.creation = {}));
refused("the calls of a set-up without it", creation, "data", (r) => delete r.setUp);
refused("a creation that nobody is told of", creation, "initCode", (r, shown) => {
  delete r.creation;
  shown["set-up"].value = "repair";
});
refused("a creation without what it sets up", payment, "setUp", (r) => {
  r.creation = creation.request.creation;
});
refused("a set-up of an account that is not on chain", creation, "initCode", (r) => {
  r.message.initCode = "0x";
}, fitting);
refused("an account with another salt", creation, "creation", (r) => {
  r.creation.saltNonce = "0";
}, fitting);
refused("an account of another passkey, consistently", creation, "creation", (r, shown) => {
  r.setUp = repair.request.setUp;
  r.calls[0] = repair.request.calls[0];
  r.calls[1].data = repair.request.calls[1].data;
  for (const name of ["set-up-key", "set-up-signer"]) shown[name] = repair.shown[name];
}, fitting);
refused("a repair for another passkey than is shown", repair, "set-up-key", (r) => {
  r.setUp = creation.request.setUp;
  r.calls[0] = creation.request.calls[0];
  r.calls[1].data = creation.request.calls[1].data;
}, fitting);
refused("a repair that brings a factory, hashed", repair, "initCode", (r) => {
  r.message.initCode = creation.request.message.initCode;
}, fitting);
refused("a repair that creates something, hashed", repair, "creation", (r, shown) => {
  r.message.initCode = creation.request.message.initCode;
  r.creation = creation.request.creation;
  shown["set-up"].value = "create";
}, fitting);

/** initCode with its hex digits from `start` on replaced, hashed as the chain would. */
const initCode = (start, digits) => (r) => {
  const code = r.message.initCode;
  const from = start < 0 ? code.length + start : start;
  r.message.initCode = code.slice(0, from) + digits + code.slice(from + digits.length);
};
const INIT_CODES = {
  "by another factory": initCode(2, "ff"),
  "by another function of the factory": initCode(42, "ff"),
  "of another singleton": initCode(74, "ff"),
  "with another last byte": initCode(-1, "1"),
  "with a byte more": (r) => (r.message.initCode += "00"),
  "with a byte less": (r) => (r.message.initCode = r.message.initCode.slice(0, -2)),
  "that is only a factory": (r) => (r.message.initCode = r.message.initCode.slice(0, 42)),
};
for (const [name, change] of Object.entries(INIT_CODES)) {
  refused(`an account made ${name}, hashed`, creation, "initCode", change, fitting);
}
test("no part of what makes the account can be another one", async () => {
  const code = creation.request.message.initCode;
  for (let place = 2; place < code.length; place += 13) {
    const { request, shown } = structuredClone(creation);
    const digit = code[place] === "0" ? "1" : "0";
    initCode(place, digit)(request);

    const { asked, error } = await attempt(request, shown);

    assert.equal(asked.length, 0);
    assert.equal(error.field, "initCode");
  }
});
const SET_UPS = {
  "in another order": (r) => r.calls.reverse(),
  "without the signer's creation": (r) => r.calls.shift(),
  "after the payment": (r) => r.calls.push(...r.calls.splice(0, 2)),
  "by another factory": (r) => (r.calls[0].to = OTHER),
  "of another account": (r) => (r.calls[1].to = OTHER),
  "that pays the account": (r) => (r.calls[1].valueWei = "1"),
  "by another function of the account": spliced(1, 2, "0d582f13"),
  "after another owner": spliced(1, 73, "2"),
  "in the place of another owner": spliced(1, 98, "ff"),
  "with another signer": spliced(1, -1, repair.request.calls[1].data.at(-1) === "0" ? "1" : "0"),
  "with a word more": (r) => (r.calls[1].data += "00".repeat(32)),
};
for (const [name, change] of Object.entries(SET_UPS)) {
  refused(`a set-up ${name}, hashed`, repair, "calls", change, fitting);
}
refused("a set-up and nothing else", creation, "calls", (r, shown) => {
  r.calls.splice(2);
  for (const name of ["recipient", "amount"]) delete shown[name];
}, fitting);
refused("a payment after the set-up to another, hashed", creation, "recipient", (r) => {
  r.calls[2].to = OTHER;
}, fitting);
refused("a call more after the set-up, hashed", creation, "recipient", (r) => {
  r.calls.push({ to: OTHER, valueWei: "1", data: "0x" });
}, fitting);
const SHOWN_SET_UP = {
  "set-up": { text: "Your account", value: "repair" },
  "set-up-key": { text: repair.shown["set-up-key"].text, value: "" },
  "set-up-signer": { text: OTHER, value: "" },
};
for (const [name, item] of Object.entries(SHOWN_SET_UP)) {
  refused(`a set-up that shows another ${name}`, creation, name, (r, shown) => {
    shown[name] = item;
  });
  refused(`a set-up that does not show ${name}`, creation, name, (r, shown) => {
    delete shown[name];
  });
  refused(`a payment that shows ${name}`, payment, name, (r, shown) => {
    shown[name] = creation.shown[name];
  });
}

// Strict parsing --------------------------------------------------------------------------

const MALFORMED = {
  nonce: ["", " 1", "01", "-1", "1.0", "1e3", "0x1", "١", 1, null, String(2n ** 256n)],
  callGasLimit: [String(2n ** 128n)],
  validAfter: [String(2n ** 48n)],
  callData: ["", "0x0", "0xzz", "0X00", "541d63c8", 0, "0x541d63c8\n"],
  safe: ["0x", "0x00", payment.request.message.safe.toLowerCase(), 1, "0x" + "00".repeat(32)],
};
for (const [name, values] of Object.entries(MALFORMED)) {
  for (const value of values) {
    refused(`${name} as ${JSON.stringify(value)}`, payment, name, (r) => (r.message[name] = value));
  }
}
test("the widest numbers that fit are hashed, not refused", () => {
  const message = { ...payment.request.message, nonce: String(2n ** 256n - 1n) };
  message.callGasLimit = String(2n ** 128n - 1n);
  message.validUntil = String(2n ** 48n - 1n);

  assert.match(signing.safeOperationHash(message), /^0x[0-9a-f]{64}$/);
});

// Proofs of a key -------------------------------------------------------------------------

const PROOF = {
  chainId: "1", verifyingContract: OTHER, role: "guardian", account: OTHER,
  x: "1", y: "1", nonce: `0x${"22".repeat(32)}`,
};
for (const [name, value] of Object.entries(PROOF)) {
  const field = ["role", "account"].includes(name) ? name : "hash";
  refused(`a proof with another ${name}`, proof, field, (r) => (r.message[name] = value));
  refused(`a proof without ${name}`, proof, name, (r) => delete r.message[name]);
}
refused("a proof for another role, hashed", proof, "role", (r) => {
  r.message.role = "guardian";
}, fitting);
refused("a proof for another account, hashed", proof, "account", (r) => {
  r.message.account = OTHER;
}, fitting);
refused("a proof that shows another role", proof, "role", (r, shown) => {
  shown.role = { text: "Guardian", value: "guardian" };
});
refused("a proof that shows no role", proof, "role", (r, shown) => delete shown.role);
refused("a proof that shows another account", proof, "account", (r, shown) => {
  shown.account = { text: OTHER, value: "" };
});
refused("a proof that shows an amount", proof, "amount", (r, shown) => {
  shown.amount = { text: "1 ETH", value: "" };
});
refused("a proof whose short address belongs to another", proof, "account", (r, shown) => {
  shown.account = { text: "0x8641…Af24", value: r.message.account };
});
refused("a proof of a short address without the whole one", proof, "account", (r, shown) => {
  const whole = r.message.account;
  shown.account = { text: `${whole.slice(0, 6)}…${whole.slice(-4)}`, value: "" };
});
refused("a proof with a role that is no plain word", proof, "role", (r, shown) => {
  r.message.role = "owner\u200b";
  shown.role.value = "owner\u200b";
});

test("before it is proven an address may be shown shortened, whole in its value", async () => {
  const { request, shown } = structuredClone(proof);
  const whole = request.message.account;
  shown.account = { text: `${whole.slice(0, 6)}…${whole.slice(-4)}`, value: whole };

  const { asked, error } = await attempt(request, shown);

  assert.equal(error, undefined);
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0].publicKey.challenge, bytes(request.hash));
});

test("a parent domain of this host may be the relying party", async () => {
  const { request, shown } = changed(payment, (r) => (r.rpId = "example.org"));

  const { asked } = await attempt(request, shown);

  assert.equal(asked[0].publicKey.rpId, "example.org");
});

for (const [name, key] of [["another passkey", repair.key], ["no passkey", undefined]]) {
  test(`an answer of ${name} than the one that is installed is kept back`, async () => {
    const { request, shown } = creation;

    const { asked, result, error } = await attempt(request, shown, { key });

    assert.equal(asked.length, 1);
    assert.equal(result, undefined);
    assert.ok(error instanceof signing.SigningRefused, String(error));
    assert.equal(error.field, "setUp");
  });
}
