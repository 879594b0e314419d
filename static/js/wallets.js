// Browser wallets, found as EIP-6963 says and asked as EIP-1193 says. No SDK.
//
//   <form data-passkey="sign-wallet" data-request="<id of JSON>" data-shown="<id>">
//   <form data-passkey="prove-wallet" data-text="<id>" data-wallet-address="0x...">
//     <select data-wallet-choice>  the wallets that were found, by name
//     <p data-wallet-none>         what is said when there is none
//     <input type="hidden" name="credential">  {account, signature} as JSON
//
// The first kind is served by signing_forms.js. Names come from extensions and are text only; their pictures are left out. Operations
// are signed in signing.js and nowhere else; here is the text of a proof (EIP-191), which
// must be the one on the page, to the letter, and of our one form.

import { addCeremony, FormRefused, readJson } from "./passkey_forms.js";

const ANSWER_TIMEOUT = 300_000; // milliseconds; people read what a wallet shows
const NAME_CHARACTERS = 40;
const INJECTED = "injected";

const found = new Map(); // uuid -> {name, provider}

const ADDRESS = "0x[0-9a-fA-F]{40}";
const PROOF_LINES = [
  "Latchkey asks this wallet to show that it can sign\\. This moves nothing\\.",
  "",
  "Site: (?<site>https?://[a-z0-9.:-]+)",
  `Wallet: (?<wallet>${ADDRESS})`,
  "Role: (owner|guardian)",
  `Account: ${ADDRESS}`,
  "Account name: .{0,80}",
  "Chain: [1-9][0-9]{0,15}",
  "Person: .{0,80}",
  "Nonce: 0x[0-9a-f]{64}",
  "Expires: [0-9-]{10}T[0-9:]{8}Z",
];
const PROOF = new RegExp(`^${PROOF_LINES.join("\n")}$`, "u");

// --- Finding wallets (EIP-6963) ---------------------------------------------------------

window.addEventListener("eip6963:announceProvider", ({ detail }) => {
  const { info, provider } = detail ?? {};
  if (typeof provider?.request !== "function" || typeof info?.uuid !== "string") return;
  found.set(info.uuid, { name: nameOf(info.name), provider });
  document.querySelectorAll("[data-wallet-choice]").forEach(fill);
});
look();

// A card that htmx put there has an empty list.
document.addEventListener("htmx:after:swap", look);

/** Ask the wallets to announce themselves, and show which there are. */
function look() {
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  document.querySelectorAll("[data-wallet-choice]").forEach(fill);
}

/** The wallets there are; the one old place counts where none announced itself. */
function wallets() {
  if (found.size > 0) return found;
  const provider = window.ethereum;
  const isThere = typeof provider?.request === "function";
  return new Map(isThere ? [[INJECTED, { name: "Browser wallet", provider }]] : []);
}

function fill(select) {
  const known = new Set([...select.options].map((option) => option.value));
  const there = wallets();
  for (const option of [...select.options]) if (!there.has(option.value)) option.remove();
  for (const [uuid, { name }] of there) {
    if (!known.has(uuid)) select.add(new Option(name, uuid));
  }
  const box = select.closest("[data-wallet-box]") ?? select.form;
  select.closest("[data-wallet-found]").hidden = there.size === 0;
  box.querySelector("[data-wallet-none]").hidden = there.size > 0;
}

/** One line of what can be seen: names come from whoever wrote the extension. */
function nameOf(name) {
  const text = String(name ?? "").replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "�");
  return [...text].slice(0, NAME_CHARACTERS).join("").trim() || "Wallet without a name";
}

// --- Asking a wallet ----------------------------------------------------------------------

/** The chosen wallet, or the words for none. */
function chosen(form) {
  const { value } = form.querySelector("[data-wallet-choice]");
  const wallet = wallets().get(value);
  if (!wallet) {
    throw new FormRefused(
      "No wallet was found in this browser. Nothing was signed. Open this page in the " +
        "browser that has your wallet, unlock it and load the page again.",
    );
  }
  return wallet;
}

/** One request to the wallet, within the time that people need. */
async function ask(provider, method, params = []) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new FormRefused(LATE)), ANSWER_TIMEOUT);
  });
  try {
    return await Promise.race([provider.request({ method, params }), late]);
  } catch (error) {
    throw error instanceof FormRefused ? error : new FormRefused(wordsOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** The account of the wallet that is one of `wanted`, as `wanted` writes it. */
async function accountOf({ provider, name }, wanted) {
  const answer = await ask(provider, "eth_requestAccounts");
  const isAddress = (item) => new RegExp(`^${ADDRESS}$`).test(item);
  const offered = Array.isArray(answer) ? answer.filter(isAddress) : [];
  if (offered.length === 0) throw new FormRefused(LOCKED);
  const lower = offered.map((item) => item.toLowerCase());
  const account = wanted.find((item) => lower.includes(item.toLowerCase()));
  if (account) return account;
  throw new FormRefused(
    `${name} is connected with another account: ${offered[0]}. Asked is ` +
      `${wanted.join(" or ")}. Choose that one in your wallet and try again. Nothing was signed.`,
  );
}

/** Have the wallet on this chain: offer to switch where it is not, then look again. */
async function onChain({ provider, name }, chainId) {
  const isThere = async () => {
    const answer = await ask(provider, "eth_chainId");
    return /^0x[0-9a-fA-F]{1,16}$/.test(answer) && BigInt(answer) === chainId;
  };
  if (await isThere()) return;
  const params = [{ chainId: `0x${chainId.toString(16)}` }];
  let words = "";
  await ask(provider, "wallet_switchEthereumChain", params).catch((error) => {
    words = error.message;
  });
  if (await isThere()) return;
  throw new FormRefused(
    `${name} is on another chain than this account, which is on chain ${chainId}. ` +
      `Switch to it in your wallet and try again. Nothing was signed. ${words}`.trim(),
  );
}

/**
 * The chosen wallet of a form, on this chain, with one of the wanted accounts: what
 * signing.js asks. Its errors are words already.
 */
export async function connectedWallet(form, wanted, chainId) {
  const wallet = chosen(form);
  const account = await accountOf(wallet, wanted);
  await onChain(wallet, chainId);
  const request = ({ method, params }) => ask(wallet.provider, method, params);
  return { account, provider: { request } };
}

addCeremony("prove-wallet", async (form) => {
  const text = readJson(form.dataset.text);
  const parts = PROOF.exec(text)?.groups;
  const isOurs = parts?.site === location.origin && parts.wallet === form.dataset.walletAddress;
  if (!isOurs || !isShown(text, form.querySelector("[data-wallet-text]"))) {
    throw new FormRefused("This page shows another text than would be signed. Nothing was signed.");
  }
  const wallet = chosen(form);
  const account = await accountOf(wallet, [parts.wallet]);
  const bytes = Array.from(new TextEncoder().encode(text));
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const signature = await ask(wallet.provider, "personal_sign", [`0x${hex}`, account]);
  return { account, signature };
});

/** Whether the element shows these lines and nothing else, white space reduced. */
function isShown(text, element) {
  const reduced = (words) => words.replace(/\s+/g, " ").trim();
  const lines = text.split("\n").map(reduced);
  const shown = [...(element?.children ?? [])].map((line) => reduced(line.textContent));
  const isEach = shown.length === lines.length && lines.every((line, i) => line === shown[i]);
  return isEach && reduced(element.textContent) === reduced(text);
}

// Which account to add: the wallet's first one goes into the field, nothing else happens.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-wallet-fill]");
  if (!button) return;
  const form = button.form;
  const error = form.querySelector("[data-passkey-error]");
  error.hidden = true;
  try {
    const wallet = chosen(form);
    const answer = await ask(wallet.provider, "eth_requestAccounts");
    if (typeof answer?.[0] !== "string") throw new FormRefused(LOCKED);
    form.elements[button.dataset.walletFill].value = answer[0];
  } catch (problem) {
    error.textContent = problem instanceof FormRefused ? problem.message : wordsOf(problem);
    error.hidden = false;
  }
});

// --- Words ----------------------------------------------------------------------------------

const LOCKED = "Your wallet is locked or offers no account. Nothing was signed. Unlock it and try again.";
const LATE = "Your wallet did not answer in five minutes. Nothing was signed here. Open it, decline what still waits there, and try again.";
const WORDS = new Map([
  [4001, "You declined in your wallet. Nothing was signed. Try again when you are ready."],
  [4100, LOCKED],
  [4200, "Your wallet cannot sign in this way. Nothing was signed. Use another wallet."],
  [4900, "Your wallet is disconnected. Nothing was signed. Check its connection and try again."],
  [4901, "Your wallet does not reach this account's chain. Nothing was signed. Check its networks."],
  [4902, "Your wallet does not know this account's chain. Nothing was signed. Add it there first."],
  [-32002, "Your wallet still has a question open. Nothing was signed. Open it, answer there, and try again."],
]);

function wordsOf(error) {
  const code = error?.code;
  if (WORDS.has(code)) return WORDS.get(code);
  console.error(error);
  return "Your wallet answered with an error. Nothing was signed. Open it to see why, or use another wallet.";
}
