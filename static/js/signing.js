// The only place that asks a passkey to sign something for the chain.
//
// A WebAuthn challenge of 32 bytes can be the hash of a Safe operation, so whoever may
// choose one may move money. This module takes fields, never a bare hash: it knows a
// closed list of typed messages (EIP-712), hashes them itself, compares them with what
// the page shows, and only then calls navigator.credentials.get(). Any difference is a
// SigningRefused and no call at all. Kinds: SafeOp (Safe4337Module 0.3.0, EntryPoint 0.7
// of ERC-4337), KeyProof, ExecuteRecovery of the recovery module, which guardians sign,
// and RecoveryDrill, their answer to a rehearsal. What a SafeOp may do is a closed list too: plain payments, one change of the
// account (CHANGES) or of its guardians (GUARDIAN_CHANGES), or nothing, which uses up a
// nonce; each may first set up the very account that signs.
// No import, so one integrity attribute covers everything.
// Inside, addresses, bytes and ABI words are lower-case hex without 0x and integers are
// BigInt: no floating point number ever holds money.

const PINNED = {
  entryPoint: "0000000071727de22e5e9d8baf0edac6f37da032", // EntryPoint 0.7
  module: "75cf11467937ce3f2f357ce24ffc3dbf8fd5c226", // Safe4337Module 0.3.0
};
const MULTI_SEND = "38869bf66a61cf6bdb996a6ae40d5853fd43b526"; // 1.4.1
const EXECUTE = "541d63c8"; // executeUserOpWithErrorString(address,uint256,bytes,uint8)
const MULTI_SEND_CALL = "8d80ff0a"; // multiSend(bytes)
const CREATE_SIGNER = "0d2f0489"; // createSigner(uint256,uint256,uint176)
const ADD_OWNER = "0d582f13"; // addOwnerWithThreshold(address,uint256)
const REMOVE_OWNER = "f8dc5dd9"; // removeOwner(address,address,uint256)
const CHANGE_THRESHOLD = "694e80c3"; // changeThreshold(uint256)
const DISABLE_MODULE = "e009cfde"; // disableModule(address,address)
const SET_GUARD = "e19a9dd9"; // setGuard(address)
const SIGNER_FACTORY = "f7488ffbe67327ac9f37d5f722d83fc900852fbf"; // safe-passkey 0.2.0
// What a passkey's signer contract is made of beside its key. Of its creation code only
// the hash is known here: the request brings the code.
const SINGLETON = "270d7e4a57e6322f336261f3eae2bade72e68d72";
// The Solidity verifier, behind the precompile or, in accounts made elsewhere, alone.
const FCL_VERIFIER = 0x445a0683e494ea0c5af3e83c5159fbe47cf9e765n;
const VERIFIERS = [(0x0100n << 160n) | FCL_VERIFIER, FCL_VERIFIER];
const PROXY_CODE_HASH =
  "24eb5cf1cb02e3bc5ef6917bcd59e2cb1a7f02b257284dc89daeac1c37dada50";
// How an account of one passkey begins and is put on chain by its own operation: Safe
// 1.4.1 with the 4337 module, owned by the signer that all such accounts share.
const SWAP_OWNER = "e318b52b"; // swapOwner(address,address,address)
const CREATE_PROXY = "1688f0b9"; // createProxyWithNonce(address,bytes,uint256)
const SETUP = "b63e800d"; // setup(address[],uint256,address,bytes,address,...)
const ENABLE_MODULES = "8d0dc49f"; // enableModules(address[])
const CONFIGURE = "0dd9692f"; // configure((uint256,uint256,uint176))
const SHARED_SIGNER = "fd90fad33ee8b58f32c00aceead1358e4afc23f9"; // safe-passkey 0.2.0
const PROXY_FACTORY = "4e1dcf7ad4e460cfd30791ccc4f9c8a4f820ec67"; // 1.4.1
const SAFE_L2 = "29fcb43b46531bca003ddc8fcb67ffe91900c762"; // 1.4.1
const MODULE_SETUP = "2dd68b007b46fbe91b9a7c3eda5a7a1063cb5b47"; // 0.3.0
const ACCOUNT_CODE_HASH = // of SafeProxy's creation code and SAFE_L2
  "e298282cefe913ab5d282047161268a8222e4bd4ed106300c547894bbefd31ee";
const TIMEOUT = 300_000; // milliseconds; the browser may choose less
const LAST_DATE = 253_402_300_799n; // 9999-12-31T23:59:59Z, seconds

// The structs in the order of their type strings: these tables parse and hash.
const SAFE_OP = {
  safe: "address", nonce: "uint256", initCode: "bytes", callData: "bytes",
  verificationGasLimit: "uint128", callGasLimit: "uint128",
  preVerificationGas: "uint256", maxPriorityFeePerGas: "uint128",
  maxFeePerGas: "uint128", paymasterAndData: "bytes",
  validAfter: "uint48", validUntil: "uint48", entryPoint: "address",
};
const KEY_PROOF = {
  role: "string", account: "address", x: "uint256", y: "uint256", nonce: "bytes32",
};
const DOMAIN = { chainId: "uint256", verifyingContract: "address" };
const NAMED_DOMAIN = { name: "string", version: "string", ...DOMAIN };
const SAFE_OP_MESSAGE = { chainId: "uint256", module: "address", ...SAFE_OP };
const KEY_PROOF_MESSAGE = { ...DOMAIN, ...KEY_PROOF };
const CALL = { to: "address", valueWei: "uint256", data: "bytes" };
const SIGNER = {
  x: "uint256", y: "uint256", signer: "address",
  proxyCode: "bytes", singleton: "address", verifiers: "uint256",
};
const CREATION = { saltNonce: "uint256" };
const CANCELS = { nonce: "uint256" };

// What an operation may change in its account: the fields of each kind, the data of the
// account's call to itself, and whether its new owner is a passkey, whose key the request
// then brings as newOwner. Owners and modules are linked lists: `previous` is before
// what goes.
const OWNER = { owner: "address" };
const THRESHOLD = { threshold: "uint256" };
const LINKED = { previous: "address", removed: "address" };
const addOwner = ({ owner, threshold }) => ADD_OWNER + addressWord(owner) + word(threshold);
const linked = ({ previous, removed }) => addressWord(previous) + addressWord(removed);
const CHANGES = new Map([
  ["add-passkey", { fields: { ...OWNER, ...THRESHOLD }, isPasskey: [true], data: addOwner }],
  ["add-wallet", { fields: { ...OWNER, ...THRESHOLD }, isPasskey: [false], data: addOwner }],
  ["swap-owner", {
    fields: { ...LINKED, ...OWNER }, isPasskey: [true, false],
    data: (change) => SWAP_OWNER + linked(change) + addressWord(change.owner),
  }],
  ["remove-owner", {
    fields: { ...LINKED, ...THRESHOLD }, isPasskey: [false],
    data: (change) => REMOVE_OWNER + linked(change) + word(change.threshold),
  }],
  ["change-threshold", {
    fields: THRESHOLD, isPasskey: [false],
    data: ({ threshold }) => CHANGE_THRESHOLD + word(threshold),
  }],
  ["disable-module", {
    fields: LINKED, isPasskey: [false], data: (change) => DISABLE_MODULE + linked(change),
  }],
  ["remove-guard", {
    fields: {}, isPasskey: [false], data: () => SET_GUARD + word(0n),
  }],
]);

// Changes of who may bring the account back: calls to the module of the delay that the
// page shows (Social Recovery Module 0.0.1). `before` are the guardians that the module
// has, in its own order: those that go are taken from the head of the list. Each change
// makes older approvals worthless, and ends a recovery that had begun.
const RECOVERY_MODULES = new Map([
  [180n, { words: "3 minutes", module: "949d01d424be050d09c16025dd007cb59b3a8c66" }],
  [259_200n, { words: "3 days", module: "38275826e1933303e508433dd5f289315da2541c" }],
  [604_800n, { words: "7 days", module: "088f6cfd8bb1ddb1bb069ccb3fc1a98927d233f2" }],
  [1_209_600n, { words: "14 days", module: "9bacd92f4687db306d7ded5d4513a51ea05df25b" }],
]);
const ENABLE_MODULE = "610b5925"; // enableModule(address)
const ADD_GUARDIAN = "be0e54d7"; // addGuardianWithThreshold(address,uint256)
const REVOKE_GUARDIAN = "936f7d86"; // revokeGuardianWithThreshold(address,address,uint256)
const CANCEL_RECOVERY = "0ba234d6"; // cancelRecovery()
const INVALIDATE_NONCE = "5a57b46f"; // invalidateNonce()
const DELAY = { delay: "uint64" };
const MEMBERS = { cancels: "flag", before: "address[]" };
const ADDED = { guardians: "address[]", ...THRESHOLD };
const least = (a, b) => (a < b ? a : b);
const addGuardians = (guardians, threshold, count) => guardians.map((guardian, i) =>
  ADD_GUARDIAN + addressWord(guardian) + word(least(BigInt(count + i + 1), threshold)));
const revokeGuardian = (previous, guardian, threshold) =>
  REVOKE_GUARDIAN + addressWord(previous) + addressWord(guardian) + word(threshold);
const revokeAll = (guardians) => guardians.map((guardian, i) =>
  revokeGuardian("1", guardian, i + 1 < guardians.length ? 1n : 0n));
const GUARDIAN_CHANGES = new Map([
  ["set-up-recovery", {
    fields: { ...DELAY, ...MEMBERS, enables: "flag", ...ADDED },
    data: ({ before, guardians, threshold }) =>
      [...revokeAll(before), ...addGuardians(guardians, threshold, 0)],
    count: ({ guardians }) => guardians.length,
  }],
  ["add-guardian", {
    fields: { ...DELAY, ...MEMBERS, ...ADDED },
    data: ({ before, guardians, threshold }) =>
      addGuardians(guardians, threshold, before.length),
    count: ({ before, guardians }) => before.length + guardians.length,
  }],
  ["revoke-guardian", {
    fields: { ...DELAY, ...MEMBERS, removed: "address", ...THRESHOLD },
    data: ({ before, removed, threshold }) => {
      const place = before.indexOf(removed);
      if (place < 0) refuse("removed", "Who goes is no guardian of this account.");
      return [revokeGuardian(place === 0 ? "1" : before[place - 1], removed, threshold)];
    },
    count: ({ before }) => before.length - 1,
  }],
  ["change-guardians", {
    fields: { ...DELAY, ...MEMBERS, ...THRESHOLD },
    data: ({ threshold }) => [CHANGE_THRESHOLD + word(threshold)],
    count: ({ before }) => before.length,
  }],
  ["cancel-recovery", { fields: DELAY, data: () => [CANCEL_RECOVERY] }],
  ["remove-recovery", {
    fields: { ...DELAY, ...MEMBERS, previous: "address" },
    data: ({ before }) => revokeAll(before),
  }],
]);

/** A request that was not signed: `field` names what is wrong, `message` is for people. */
export class SigningRefused extends Error {
  constructor(field, sentence) {
    super(`${sentence} Nothing was signed.`);
    this.name = "SigningRefused";
    this.field = field;
  }
}

function refuse(field, sentence) {
  throw new SigningRefused(field, sentence);
}

const CHECKS = new Map([
  ["SafeOp", checkSafeOp], ["KeyProof", checkKeyProof], ["ExecuteRecovery", checkRecovery],
  ["RecoveryDrill", checkDrill],
]);
// What browser wallets sign, as eth_signTypedData_v4 takes it, and who may be asked.
const TYPED_DATA = new Map([
  ["SafeOp", { typedData: safeOperationTypedData, whose: "owner" }],
  ["ExecuteRecovery", { typedData: recoveryTypedData, whose: "guardian" }],
  ["RecoveryDrill", { typedData: drillTypedData, whose: "guardian" }],
]);

/**
 * Ask the passkey to sign `request`, if it is what the page shows.
 *
 * request: {kind, rpId, allowCredentials, hash, message}, for a SafeOp also calls, setUp
 * and creation where it sets up its account, change and, for a new passkey, newOwner where
 * it changes it; integers are decimal text, bytes 0x hex, addresses checksummed. shown: name -> {text, value},
 * `text` what a person reads, `value` the machine-readable form beside it, if any.
 * Resolves to the assertion as plain data, rejects with SigningRefused, or with the
 * browser's own error once it was asked.
 */
export async function authorize(request, shown) {
  const hash = checkedHash(request, shown);
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: fromHex(hash.slice(2)),
      rpId: request.rpId,
      allowCredentials: descriptors(request.allowCredentials),
      userVerification: "required",
      timeout: TIMEOUT,
    },
  });
  const { response } = credential; // read by hand: some extensions break toJSON()
  if (request.setUp !== undefined) await requireSignedBy(request.setUp, response);
  return {
    id: credential.id,
    rawId: toBase64Url(credential.rawId),
    type: credential.type,
    response: {
      clientDataJSON: toBase64Url(response.clientDataJSON),
      authenticatorData: toBase64Url(response.authenticatorData),
      signature: toBase64Url(response.signature),
      userHandle: response.userHandle ? toBase64Url(response.userHandle) : null,
    },
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: {},
  };
}

/**
 * Ask a browser wallet (EIP-1193) to sign the same message, after the very same check.
 *
 * The typed data (EIP-712) is made here of the parsed message, for one of the addresses
 * in request.wallets, and only while the wallet is on the operation's chain. Resolves to
 * {account, signature}, rejects as authorize() does, or with the wallet's own error.
 */
export async function authorizeWithWallet(request, shown, { provider, account }) {
  checkedHash(request, shown);
  const { typedData, whose } = TYPED_DATA.get(request.kind) ?? {};
  if (!typedData) refuse("kind", "A wallet does not sign this here.");
  if (request.setUp !== undefined) {
    refuse("setUp", "Only its own passkey sets an account up.");
  }
  if (!Array.isArray(request.wallets) || !request.wallets.includes(account)) {
    refuse("wallets", `This wallet is no ${whose} of the account.`);
  }
  const data = typedData(request.message);
  const chainId = BigInt(data.domain.chainId);
  const connected = await provider.request({ method: "eth_chainId" });
  if (!/^0x[0-9a-fA-F]{1,16}$/.test(connected) || BigInt(connected) !== chainId) {
    refuse("chainId", "Your wallet is on another chain than this account.");
  }
  const text = JSON.stringify(data);
  const signature = await provider.request({
    method: "eth_signTypedData_v4",
    params: [account, text],
  });
  if (typeof signature !== "string" || !/^0x([0-9a-fA-F]{2}){65,4096}$/.test(signature)) {
    refuse("signature", "Your wallet answered something that is no signature.");
  }
  return { account, signature };
}

/** The hash of a request of a known kind, if its fields are what the page shows. */
function checkedHash(request, shown) {
  const check = CHECKS.get(request?.kind);
  if (!check) refuse("kind", "This page asks for a signature of a kind that is not known.");
  if (!`.${location.hostname}`.endsWith(`.${request.rpId}`)) {
    refuse("rpId", "This page asks for a passkey of another site.");
  }
  const hash = check(request, shown);
  if (request.hash !== hash) refuse("hash", "The hash is not the one of these fields.");
  return hash;
}

/**
 * Keep an answer back that is not of the very passkey which the operation installs as the
 * owner: the key on the page could be anybody's, and only its holder can have signed.
 */
async function requireSignedBy(setUp, { clientDataJSON, authenticatorData, signature }) {
  const { x, y } = parse(setUp, SIGNER);
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const digest = await crypto.subtle.digest("SHA-256", clientDataJSON);
  const data = new Uint8Array([...new Uint8Array(authenticatorData), ...new Uint8Array(digest)]);
  let isSigned = false;
  try {
    const point = fromHex(`04${word(x)}${word(y)}`);
    const key = await crypto.subtle.importKey("raw", point, curve, false, ["verify"]);
    const pair = rawSignature(new Uint8Array(signature));
    isSigned = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, pair, data);
  } catch {
    // No point of the curve, or no signature: not signed by it.
  }
  if (!isSigned) refuse("setUp", "The account would be given to another passkey than yours.");
}

/** r || s, 64 bytes, of an ECDSA signature in DER (X.690): two integers below 2^256. */
function rawSignature(der) {
  const integer = (at) => der.slice(at + 2, at + 2 + der[at + 1]);
  const r = integer(2);
  const parts = [r, integer(4 + r.length)].map((bytes) => {
    const digits = bytes[0] === 0 ? bytes.slice(1) : bytes;
    if (digits.length > 32) throw new RangeError("an integer of a signature is too long");
    return [...new Uint8Array(32 - digits.length), ...digits];
  });
  return new Uint8Array(parts.flat());
}

function descriptors(list) {
  const isId = (id) => /^[\w-]{22,1364}$/.test(id) && id.length % 4 !== 1; // base64url
  if (!Array.isArray(list) || list.length === 0 || !list.every((item) => isId(item?.id))) {
    refuse("allowCredentials", "This page does not say which passkey should sign.");
  }
  const decode = (id) => fromBase64(id.replaceAll("-", "+").replaceAll("_", "/"));
  const type = "public-key";
  return list.map(({ id, transports = [] }) => ({ type, id: decode(id), transports }));
}

// --- The kinds of message ------------------------------------------------------------

/** Hash of a Safe operation that does to which account what the page says. */
function checkSafeOp(request, shown) {
  const { message, calls, change, newOwner, cancels, setUp, creation } = request;
  const op = parse(message, SAFE_OP_MESSAGE);
  for (const [name, pinned] of Object.entries(PINNED)) {
    if (op[name] !== pinned) refuse(name, `The operation's ${name} is not the known one.`);
  }
  const expires = op.validAfter < op.validUntil && op.validUntil <= LAST_DATE;
  if (!expires) refuse("validUntil", "The operation has no usable expiry.");
  const parsed = parseCalls(calls);
  const before = setUp === undefined ? [] : parsed.slice(0, 2);
  const rest = parsed.slice(before.length);
  if (rest.length === 0) refuse("calls", "The operation does not do what this page says.");
  const expected = {
    ...(setUp !== undefined && expectedSetUp(setUp, creation, op, before)),
    ...(cancels !== undefined ? expectedCancel(cancels, op, rest)
      : change === undefined && newOwner === undefined ? expectedPayments(rest)
        : expectedChange(change, newOwner, op, rest)),
  };
  if (op.initCode !== initCode(setUp, creation)) {
    refuse("initCode", "The operation creates something else than this account.");
  }
  if (encodeCalls(parsed) !== op.callData) {
    refuse("callData", "The operation does something else than this page says.");
  }
  compare(shown, {
    ...expected,
    account: wholeAddress(op.safe),
    chain: valueOf(String(op.chainId)),
    "max-fee": ether(maximumFee(op)),
    payer: valueOf(op.paymasterAndData === "" ? "account" : "sponsor"),
    "valid-until": time(op.validUntil),
  });
  return safeOperationHash(message);
}

/** Hash of a proof that a passkey signs for its place (`role`) in one account. */
function checkKeyProof({ message }, shown) {
  const proof = parse(message, KEY_PROOF_MESSAGE);
  compare(shown, { account: proofAddress(proof.account), role: valueOf(proof.role) });
  return keyProofHash(message);
}

/** recipient and amount for one payment; recipient-1, amount-1, ... for several. */
function expectedPayments(payments) {
  const expected = {};
  payments.forEach(({ to, valueWei, data }, index) => {
    if (data !== "") {
      refuse("data", "The operation calls a contract in a way this page does not explain.");
    }
    const suffix = payments.length === 1 ? "" : `-${index + 1}`;
    expected[`recipient${suffix}`] = wholeAddress(to);
    expected[`amount${suffix}`] = ether(valueWei);
  });
  return expected;
}

/** cancels of an operation that only uses up a nonce: it calls its own account for nothing. */
function expectedCancel(cancels, op, calls) {
  const { nonce } = parse(cancels, CANCELS);
  const [{ to, valueWei, data }] = calls;
  if (nonce !== op.nonce || calls.length !== 1 || to !== op.safe || valueWei !== 0n || data !== "") {
    refuse("calls", "The operation does more or else than cancelling another one.");
  }
  return { cancels: valueOf(String(nonce)) };
}

/**
 * change, and what it names: new-owner, new-key, removed, threshold. The operation does
 * this one thing and nothing else: its calls must be those made anew here.
 */
function expectedChange(change, newOwner, { safe }, calls) {
  const { kind, ...values } = Object(change);
  if (GUARDIAN_CHANGES.has(kind)) {
    if (newOwner !== undefined) refuse("newOwner", "No guardian becomes an owner.");
    return expectedGuardianChange(kind, values, safe, calls);
  }
  const rule = CHANGES.get(kind);
  if (!rule) refuse("change", "The operation changes the account in a way that is not known.");
  const fields = parse(values, rule.fields);
  const { owner, removed, threshold } = fields;
  if (!rule.isPasskey.includes(newOwner !== undefined)) {
    refuse("newOwner", "This page does not say which key becomes an owner.");
  }
  const key = newOwner === undefined ? undefined : parseSigner(newOwner);
  if (key && key.signer !== owner) refuse("owner", "The new owner is another than its key's.");
  if (threshold === 0n) refuse("threshold", "Nobody would have to approve any more.");
  const made = [...(key ? [signerCreation(key)] : []), { to: safe, data: rule.data(fields) }];
  if (!areExactly(calls, made)) {
    refuse("calls", "The operation does more or else than this change.");
  }
  return {
    change: valueOf(kind),
    ...(owner && { "new-owner": wholeAddress(owner) }),
    ...(key && { "new-key": fingerprint(keyHash(key)) }),
    ...(removed && { removed: wholeAddress(removed) }),
    ...(threshold !== undefined && { threshold: approvals(String(threshold)) }),
  };
}

/**
 * change, delay, and what it names: guardian-1, ... that come, revoked-1, ... that all go,
 * removed, guardian-threshold, cancels-recovery. The module is that of the delay.
 */
function expectedGuardianChange(kind, values, safe, calls) {
  const rule = GUARDIAN_CHANGES.get(kind);
  const fields = parse(values, rule.fields);
  const { delay, before, guardians = [], removed, threshold, previous } = fields;
  const { words, module } = RECOVERY_MODULES.get(delay) ?? {};
  if (!module) refuse("delay", "No known recovery module waits so long.");
  if (threshold === 0n) refuse("threshold", "No guardian would have to approve any more.");
  if (threshold > rule.count?.(fields)) {
    refuse("threshold", "There would be fewer guardians than have to approve.");
  }
  const disabling = previous && DISABLE_MODULE + addressWord(previous) + addressWord(module);
  const made = [
    ...(fields.cancels ? [{ to: module, data: CANCEL_RECOVERY }] : []),
    ...(fields.enables ? [{ to: safe, data: ENABLE_MODULE + addressWord(module) }] : []),
    ...rule.data(fields).map((data) => ({ to: module, data })),
    { to: module, data: INVALIDATE_NONCE },
    ...(disabling ? [{ to: safe, data: disabling }] : []),
  ];
  if (!areExactly(calls, made)) {
    refuse("calls", "The operation does more or else than this change.");
  }
  const gone = ["set-up-recovery", "remove-recovery"].includes(kind) ? before : [];
  const numbered = (name, addresses) => Object.fromEntries(
    addresses.map((address, i) => [`${name}-${i + 1}`, wholeAddress(address)]));
  return {
    change: valueOf(kind),
    delay: exactly(words, String(delay)),
    ...numbered("guardian", guardians),
    ...numbered("revoked", gone),
    ...(removed && { removed: wholeAddress(removed) }),
    ...(threshold !== undefined && {
      "guardian-threshold": agreement(String(threshold), rule.count(fields)),
    }),
    ...(fields.cancels && { "cancels-recovery": valueOf("yes") }),
  };
}

/**
 * set-up, set-up-key and set-up-signer of an operation that begins by giving its account
 * the passkey's own signer in the place of the shared one, and perhaps makes the account.
 */
function expectedSetUp(setUp, creation, { safe }, calls) {
  const owner = parseSigner(setUp);
  const swapped = SWAP_OWNER + word(1n) + addressWord(SHARED_SIGNER) + addressWord(owner.signer);
  if (!areExactly(calls, [signerCreation(owner), { to: safe, data: swapped }])) {
    refuse("calls", "The operation sets up something else than this account.");
  }
  if (creation !== undefined && accountAddress(owner, creation) !== safe) {
    refuse("creation", "The operation makes another account than this one.");
  }
  return {
    "set-up": valueOf(creation === undefined ? "repair" : "create"),
    "set-up-key": fingerprint(keyHash(owner)),
    "set-up-signer": wholeAddress(owner.signer),
  };
}

/** A passkey's signer whose address follows from its key, of known parts only. */
function parseSigner(value) {
  const owner = parse(value, SIGNER);
  if (owner.singleton !== SINGLETON) {
    refuse("singleton", "The signer's singleton is not the known one.");
  }
  if (!VERIFIERS.includes(owner.verifiers)) {
    refuse("verifiers", "The signer's verifiers are not known ones.");
  }
  if (keccakHex(owner.proxyCode) !== PROXY_CODE_HASH) {
    refuse("proxyCode", "The signer's code is not the known one.");
  }
  if (signerAddress(owner) !== owner.signer) {
    refuse("signer", "The new signer does not belong to the new passkey.");
  }
  return owner;
}

/** The call that puts a passkey's signer on chain. */
function signerCreation({ x, y, verifiers }) {
  return { to: SIGNER_FACTORY, data: CREATE_SIGNER + word(x) + word(y) + word(verifiers) };
}

/** Whether the calls are these, without value, in this order, and no others. */
function areExactly(calls, made) {
  return calls.length === made.length && made.every(({ to, data }, i) =>
    calls[i].to === to && calls[i].valueWei === 0n && calls[i].data === data);
}

const keyHash = ({ x, y }) => keccakHex(word(x) + word(y));

/** What puts the account on chain: nothing where it is, else its factory and set-up. */
function initCode(setUp, creation) {
  if (creation === undefined) return "";
  if (setUp === undefined) refuse("setUp", "This page does not say whose account is made.");
  const { saltNonce } = parse(creation, CREATION);
  const setup = encodeBytes(setupData(parse(setUp, SIGNER)));
  const head = addressWord(SAFE_L2) + word(96n) + word(saltNonce);
  return PROXY_FACTORY + CREATE_PROXY + head + setup;
}

/** CREATE2 of the account that begins with this passkey behind the shared signer. */
function accountAddress(owner, creation) {
  const { saltNonce } = parse(creation, CREATION);
  const salt = keccakHex(keccakHex(setupData(owner)) + word(saltNonce));
  return keccakHex(`ff${PROXY_FACTORY}${salt}${ACCOUNT_CODE_HASH}`).slice(24);
}

/** Safe.setup of one owner, the shared signer, that runs two delegatecalls: the 4337
    module is enabled, and the shared signer told which passkey it checks. */
function setupData({ x, y, verifiers }) {
  const enabled = ENABLE_MODULES + word(32n) + word(1n) + addressWord(PINNED.module);
  const configured = CONFIGURE + word(x) + word(y) + word(verifiers);
  const entries = [[MODULE_SETUP, enabled], [SHARED_SIGNER, configured]].map(([to, data]) =>
    `01${to}${word(0n)}${word(byteLength(data))}${data}`);
  const both = MULTI_SEND_CALL + word(32n) + encodeBytes(entries.join(""));
  const owners = word(1n) + addressWord(SHARED_SIGNER);
  const head = [
    word(256n), word(1n), addressWord(MULTI_SEND), word(320n), addressWord(PINNED.module),
    word(0n), word(0n), word(0n),
  ];
  return SETUP + head.join("") + owners + encodeBytes(both);
}

/** CREATE2 (EIP-1014) of a passkey's signer contract by its factory, with salt 0. */
function signerAddress({ proxyCode, singleton, x, y, verifiers }) {
  const settings = addressWord(singleton) + word(x) + word(y) + word(verifiers);
  const code = keccakHex(proxyCode + settings);
  return keccakHex(`ff${SIGNER_FACTORY}${word(0n)}${code}`).slice(24);
}

/** Wei the account or its sponsor can be charged at most (EntryPoint 0.7, prefund). */
function maximumFee(op) {
  const sponsor = op.paymasterAndData; // address, uint128 verification, uint128 postOp
  if (sponsor !== "" && sponsor.length < 104) {
    refuse("paymasterAndData", "The sponsor's part of the operation is cut short.");
  }
  const limit = (from) => BigInt(`0x${sponsor.slice(from, from + 32) || "0"}`);
  const accountGas = op.verificationGasLimit + op.callGasLimit + op.preVerificationGas;
  return (accountGas + limit(40) + limit(72)) * op.maxFeePerGas;
}

// --- What the page shows -------------------------------------------------------------
// An expectation is {words, matches({text, value})}. Text is compared with its white
// space reduced; an address may be grouped. A value beside a text must agree with it.

function compare(shown, expected) {
  const names = Object.keys(shown ?? {});
  const stray = names.find((name) => !Object.hasOwn(expected, name));
  if (stray !== undefined) refuse(stray, `The page shows a field too many: ${stray}.`);
  for (const [name, { words, matches }] of Object.entries(expected)) {
    const item = (names.includes(name) && shown[name]) || {};
    const text = String(item.text ?? "").replace(/\s+/g, " ").trim();
    if (text === "") refuse(name, `The page does not show the ${name}.`);
    if (!matches({ text, value: item.value || null })) {
      refuse(name, `The page shows another ${name} than would be signed (${words}).`);
    }
  }
}

/** Exactly these characters, perhaps in groups. */
function whole(words) {
  const values = [null, words];
  const reads = (text) => text.replaceAll(" ", "") === words;
  const matches = ({ text, value }) => reads(text) && values.includes(value);
  return { words, matches };
}

const wholeAddress = (address) => whole(checksumAddress(address));

/** First and last 4 bytes of keccak(x || y): enough to tell one's own keys apart. */
const fingerprint = (hash) => whole(hash.slice(0, 8) + hash.slice(-8));

/** Before its key is proven an address is shown shortened, whole only in the value. */
function proofAddress(address) {
  const { words, matches } = wholeAddress(address);
  const short = `${words.slice(0, 6)}…${words.slice(-4)}`;
  const isShort = ({ text, value }) => text === short && value === words;
  return { words, matches: (item) => matches(item) || isShort(item) };
}

/** "1 of 2 must approve", with the 1 as its value too. */
function approvals(words) {
  const reads = ({ text, value }) => text.startsWith(`${words} of `) && value === words;
  return { words, matches: reads };
}

/** "2 of 3 guardians must approve", with the 2 as its value too. */
function agreement(words, count) {
  const start = `${words} of ${count} guardian`;
  return { words, matches: ({ text, value }) => text.startsWith(start) && value === words };
}

/** These very words, with this value beside them, or with none. */
function exactly(words, exact) {
  return { words, matches: ({ text, value }) => text === words && value === exact };
}

function valueOf(words) {
  return { words, matches: ({ text, value }) => (value ?? text) === words };
}

function ether(wei) {
  const words = `${formatEther(wei)} ETH`;
  const values = [null, words, String(wei)];
  const matches = ({ text, value }) => parseEther(text) === wei && values.includes(value);
  return { words, matches };
}

function time(seconds) {
  const words = new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "");
  const matches = ({ value }) => value === `${words}Z` || value === `${words}+00:00`;
  return { words: `${words.replace("T", " ")} UTC`, matches };
}

/** "0.25" for 250000000000000000 wei: exact, never rounded, never an exponent. */
export function formatEther(wei) {
  const digits = String(wei).padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return digits.slice(0, -18) + (fraction && `.${fraction}`);
}

/** Wei of "0.25 ETH", or null when the text is not exactly such an amount. */
export function parseEther(text) {
  const match = /^(0|[1-9][0-9]*)(?:\.([0-9]{1,18}))? ETH$/.exec(text);
  return match && BigInt(match[1] + (match[2] ?? "").padEnd(18, "0"));
}

// --- Parsing -------------------------------------------------------------------------

/** Exactly the fields of `types` and no other, each read strictly. */
function parse(message, types) {
  if (Object(message) !== message) refuse("message", "The request says nothing to sign.");
  const stray = Object.keys(message).find((name) => !Object.hasOwn(types, name));
  if (stray !== undefined) refuse(stray, `The request has a field too many: ${stray}.`);
  const values = {};
  for (const [name, type] of Object.entries(types)) {
    const value = Object.hasOwn(message, name) ? parseValue(type, message[name]) : null;
    if (value === null) refuse(name, `A field is missing or malformed: ${name}.`);
    values[name] = value;
  }
  return values;
}

function parseValue(type, text) {
  if (type === "address[]") return parseAddresses(text);
  if (typeof text !== "string") return null;
  if (type.startsWith("uint")) {
    if (!/^(0|[1-9][0-9]{0,77})$/.test(text)) return null;
    const value = BigInt(text);
    return value < 1n << BigInt(type.slice(4)) ? value : null;
  }
  if (type === "string") return /^[a-z][a-z-]{0,31}$/.test(text) ? text : null;
  if (type === "flag") return text === "yes" ? true : text === "no" ? false : null;
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) return null;
  const hex = text.slice(2).toLowerCase();
  if (type === "bytes") return hex;
  if (type === "bytes32") return hex.length === 64 ? hex : null;
  return hex.length === 40 && checksumAddress(hex) === text ? hex : null; // address
}

/** Addresses, each of them once, or null where the list is none. */
function parseAddresses(list) {
  if (!Array.isArray(list)) return null;
  const found = list.map((text) => parseValue("address", text));
  return found.includes(null) || new Set(found).size !== found.length ? null : found;
}

function parseCalls(calls) {
  if (!Array.isArray(calls) || calls.length === 0) {
    refuse("calls", "This page does not say what the operation does.");
  }
  return calls.map((call) => parse(call, CALL));
}

// --- Encoding and hashing ------------------------------------------------------------

/** callData of an account that makes these calls: `calls` as in a request, 0x hex out. */
export function callData(calls) {
  return `0x${encodeCalls(calls.map((call) => parse(call, CALL)))}`;
}

/** One call directly; several as a delegatecall (operation 1) of MultiSend. */
function encodeCalls(calls) {
  if (calls.length === 1) return encodeExecute(calls[0], 0n);
  const entries = calls.map(({ to, valueWei, data }) =>
    `00${to}${word(valueWei)}${word(byteLength(data))}${data}`);
  const data = MULTI_SEND_CALL + word(32n) + encodeBytes(entries.join(""));
  return encodeExecute({ to: MULTI_SEND, valueWei: 0n, data }, 1n);
}

function encodeExecute({ to, valueWei, data }, operation) {
  const head = [addressWord(to), word(valueWei), word(128n), word(operation)];
  return EXECUTE + head.join("") + encodeBytes(data);
}

const word = (integer) => integer.toString(16).padStart(64, "0");
const addressWord = (address) => address.padStart(64, "0");
const byteLength = (hex) => BigInt(hex.length / 2);
const encodeBytes = (hex) =>
  word(byteLength(hex)) + hex.padEnd(Math.ceil(hex.length / 64) * 64, "0");

/** Safe4337Module.getOperationHash of the message, initCode included: 0x and 64 digits. */
export function safeOperationHash(message) {
  const op = parse(message, SAFE_OP_MESSAGE);
  const domain = { chainId: op.chainId, verifyingContract: op.module };
  return typedDataHash(DOMAIN, domain, "SafeOp", SAFE_OP, op);
}

/** The same message as eth_signTypedData_v4 takes it: a wallet shows it and hashes it. */
export function safeOperationTypedData(message) {
  const op = parse(message, SAFE_OP_MESSAGE);
  const readable = ([name, type]) => {
    if (type.startsWith("uint")) return [name, String(op[name])];
    return [name, type === "address" ? checksumAddress(op[name]) : `0x${op[name]}`];
  };
  return {
    types: { EIP712Domain: typed(DOMAIN), SafeOp: typed(SAFE_OP) },
    primaryType: "SafeOp",
    domain: { chainId: chainNumber(op), verifyingContract: checksumAddress(op.module) },
    message: Object.fromEntries(Object.entries(SAFE_OP).map(readable)),
  };
}

/** The hash a passkey signs to prove that it works before money depends on it. */
export function keyProofHash(message) {
  const proof = parse(message, KEY_PROOF_MESSAGE);
  const domain = { name: "Latchkey", version: "1", ...proof };
  return typedDataHash(NAMED_DOMAIN, domain, "KeyProof", KEY_PROOF, proof);
}

// --- Guardians: who is to own an account in place of all its owners ------------------
// Social Recovery Module 0.0.1: guardians sign its EIP-712 message, a contract's among
// them over EIP-1271. The module that is named says how long the owners can cancel.

const RECOVERY_DELAYS = new Map([...RECOVERY_MODULES].map(([delay, { words, module }]) =>
  [module, [String(delay), words]]));
const RECOVERY_NAMES = { name: "Social Recovery Module", version: "0.0.1" };
const EXECUTE_RECOVERY = {
  wallet: "address", newOwners: "address[]", newThreshold: "uint256", nonce: "uint256",
};

/** Fields of the message, and its new owners as a list of their own. */
function parseRecovery(message) {
  const { newOwners, ...others } = Object(message);
  const { newOwners: _list, ...types } = EXECUTE_RECOVERY;
  const fields = parse(others, { ...DOMAIN, ...types });
  const owners = Array.isArray(newOwners)
    ? newOwners.map((text) => parseValue("address", text)) : [null];
  if (owners.includes(null)) refuse("newOwners", "A field is missing or malformed: newOwners.");
  return { fields, owners };
}

/** Hash of a recovery that gives which account to whom, as the page says. */
function checkRecovery({ message }, shown) {
  const { fields, owners } = parseRecovery(message);
  const [seconds, words] = RECOVERY_DELAYS.get(fields.verifyingContract) ?? [];
  if (!words) refuse("verifyingContract", "This is no recovery module that is known.");
  if (owners.length === 0 || new Set(owners).size !== owners.length) {
    refuse("newOwners", "This recovery could never be finished: its owners cannot be so.");
  }
  if (fields.newThreshold < 1n || fields.newThreshold > BigInt(owners.length)) {
    refuse("newThreshold", "This recovery could never be finished: too many must approve.");
  }
  const named = owners.map((owner, i) => [`new-owner-${i + 1}`, wholeAddress(owner)]);
  const needed = `${fields.newThreshold} of ${owners.length} must approve`;
  const waits = ({ text, value }) => text === words && value === seconds;
  const asks = ({ text, value }) => text === needed && value === String(fields.newThreshold);
  compare(shown, {
    ...Object.fromEntries(named),
    account: wholeAddress(fields.wallet),
    chain: valueOf(String(fields.chainId)),
    delay: { words, matches: waits },
    "new-threshold": { words: needed, matches: asks },
  });
  return recoveryHash(message);
}

/** The hash that guardians sign: 0x and 64 digits. */
export function recoveryHash(message) {
  const { fields, owners } = parseRecovery(message);
  const newOwners = keccakHex(owners.map(addressWord).join("")); // EIP-712's for a list
  const domain = { ...RECOVERY_NAMES, ...fields };
  const values = { ...fields, newOwners };
  return typedDataHash(NAMED_DOMAIN, domain, "ExecuteRecovery", EXECUTE_RECOVERY, values);
}

/** The same message as eth_signTypedData_v4 takes it. */
export function recoveryTypedData(message) {
  const { fields, owners } = parseRecovery(message);
  return {
    types: { EIP712Domain: typed(NAMED_DOMAIN), ExecuteRecovery: typed(EXECUTE_RECOVERY) },
    primaryType: "ExecuteRecovery",
    domain: {
      ...RECOVERY_NAMES,
      chainId: chainNumber(fields),
      verifyingContract: checksumAddress(fields.verifyingContract),
    },
    message: {
      wallet: checksumAddress(fields.wallet),
      newOwners: owners.map(checksumAddress),
      newThreshold: String(fields.newThreshold),
      nonce: String(fields.nonce),
    },
  };
}

// --- Guardians: a rehearsal, which nothing on chain reads -------------------------------
// Its domain names no contract, and every contract that checks a signature names itself.

const DRILL_DOMAIN = { name: "string", version: "string", chainId: "uint256" };
const DRILL_NAMES = { name: "Latchkey", version: "1" };
const DRILL = { account: "address", nonce: "bytes32", askedAt: "uint64" };
const DRILL_MESSAGE = { chainId: "uint256", ...DRILL };
const RECOVERY_DRILL = { notice: "string", ...DRILL };
const NOTICE = "This is a rehearsal. Nothing can happen to the account.";

/** Hash of a guardian's answer to a rehearsal, on a page that says that it is one. */
function checkDrill({ message }, shown) {
  const { chainId, account, askedAt } = parse(message, DRILL_MESSAGE);
  if (askedAt > LAST_DATE) refuse("askedAt", "The rehearsal has no usable date.");
  compare(shown, {
    notice: exactly(NOTICE, null),
    account: wholeAddress(account),
    chain: valueOf(String(chainId)),
    "asked-at": time(askedAt),
  });
  return drillHash(message);
}

/** The hash that guardians sign in a rehearsal: 0x and 64 digits. */
export function drillHash(message) {
  const fields = { notice: NOTICE, ...parse(message, DRILL_MESSAGE) };
  const domain = { ...DRILL_NAMES, ...fields };
  return typedDataHash(DRILL_DOMAIN, domain, "RecoveryDrill", RECOVERY_DRILL, fields);
}

/** The same message as eth_signTypedData_v4 takes it. */
export function drillTypedData(message) {
  const fields = parse(message, DRILL_MESSAGE);
  return {
    types: { EIP712Domain: typed(DRILL_DOMAIN), RecoveryDrill: typed(RECOVERY_DRILL) },
    primaryType: "RecoveryDrill",
    domain: { ...DRILL_NAMES, chainId: chainNumber(fields) },
    message: {
      notice: NOTICE,
      account: checksumAddress(fields.account),
      nonce: `0x${fields.nonce}`,
      askedAt: String(fields.askedAt),
    },
  };
}

/** Fields as eth_signTypedData_v4 takes them. */
const typed = (types) => Object.entries(types).map(([name, type]) => ({ name, type }));

/** A chain as a number, which typed data has; exact, or nothing is signed. */
function chainNumber({ chainId }) {
  const number = Number(chainId);
  if (!Number.isSafeInteger(number)) refuse("chainId", "The chain has no usable number.");
  return number;
}

/** EIP-712: keccak(0x1901 || domain separator || struct hash). */
function typedDataHash(domainTypes, domain, name, types, values) {
  const separator = hashStruct("EIP712Domain", domainTypes, domain);
  return `0x${keccakHex(`1901${separator}${hashStruct(name, types, values)}`)}`;
}

/** EIP-712 hashStruct: keccak(keccak(type string) || one word for each field). */
function hashStruct(name, types, values) {
  const fields = Object.entries(types);
  const members = fields.map(([field, type]) => `${type} ${field}`).join(",");
  const words = fields.map(([field, type]) => encodeField(type, values[field])).join("");
  return keccakHex(keccakText(`${name}(${members})`) + words);
}

function encodeField(type, value) {
  if (type === "string") return keccakText(value);
  if (type === "bytes") return keccakHex(value);
  return type.startsWith("uint") ? word(value) : value.padStart(64, "0");
}

/** EIP-55: a letter is a capital where the hash of the address has a digit above 7. */
function checksumAddress(address) {
  const hash = keccakText(address);
  const cased = (letter, i) => (hash[i] > "7" ? letter.toUpperCase() : letter);
  return `0x${[...address].map(cased).join("")}`;
}

const keccakHex = (hex) => toHex(keccak256(fromHex(hex)));
const keccakText = (text) => toHex(keccak256(new TextEncoder().encode(text)));
const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => `0x${pair}`);
const toBase64Url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64 = (text) => Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));

// --- Keccak-256: begin of the part taken from @noble/hashes 2.4.0, sha3.ts -----------
// Copyright (c) 2022 Paul Miller (https://paulmillr.com), MIT licence; its full text is
// in static/vendor/noble-hashes.LICENSE. Reduced from a streaming class over halves of
// lanes to one function over 25 whole lanes of 64 bits. Little-endian, as browsers are.

const [PI, ROTATIONS, IOTAS] = [[], [], []];
for (let round = 0, r = 1n, x = 1, y = 0; round < 24; round++) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  PI.push(5 * y + x);
  ROTATIONS.push(BigInt((((round + 1) * (round + 2)) / 2) % 64));
  let iota = 0n;
  for (let j = 0n; j < 7n; j++) {
    r = ((r << 1n) ^ ((r >> 7n) * 0x71n)) % 256n;
    if (r & 2n) iota ^= 1n << ((1n << j) - 1n);
  }
  IOTAS.push(iota);
}
const rotate = (lane, shift) => BigInt.asUintN(64, lane << shift) | (lane >> (64n - shift));

function permute(s) {
  for (const iota of IOTAS) {
    const column = (x) => s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
    const parity = [0, 1, 2, 3, 4].map(column);
    for (let i = 0; i < 25; i++) {
      s[i] ^= parity[(i + 4) % 5] ^ rotate(parity[(i + 1) % 5], 1n);
    }
    let lane = s[1];
    for (let t = 0; t < 24; t++) {
      [lane, s[PI[t]]] = [s[PI[t]], rotate(lane, ROTATIONS[t])];
    }
    for (let y = 0; y < 25; y += 5) {
      const row = s.slice(y, y + 5);
      for (let x = 0; x < 5; x++) s[y + x] ^= ~row[(x + 1) % 5] & row[(x + 2) % 5];
    }
    s[0] ^= iota;
  }
}

/** Keccak-256 (Ethereum's, suffix 0x01, not SHA3-256) of a Uint8Array: 32 bytes. */
export function keccak256(data) {
  const rate = 136; // bytes
  const padded = new Uint8Array(data.length - (data.length % rate) + rate);
  padded.set(data);
  padded[data.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const lanes = new BigUint64Array(25);
  const state = new Uint8Array(lanes.buffer);
  for (let start = 0; start < padded.length; start += rate) {
    for (let i = 0; i < rate; i++) state[i] ^= padded[start + i];
    permute(lanes);
  }
  return state.slice(0, 32);
}
// --- Keccak-256: end of the part taken from @noble/hashes ----------------------------
