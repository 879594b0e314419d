// Six words of a recovery, for the claimant and a guardian to compare by voice.
//
//   <ol data-recovery-words="<id of the message's JSON>"><li><span data-word></span></li> ...
//   <p data-recovery-words-failed hidden>
//
// The page makes them itself, of the hash that signing.js computes of the very fields that
// are signed: PBKDF2-SHA256 with 100,000 rounds (RFC 8018), because a fast hash could be
// tried until six words fit. Each word stands for 11 bits, the lowest first.

import { readJson } from "./passkey_forms.js";
import { recoveryHash } from "./signing.js";
import { SPOKEN } from "./spoken_words.js";

const SALT = "Latchkey: the same words for the same recovery, version 1";
const ROUNDS = 100_000;
const COUNT = 6;
const BITS = 11n;

/** The words of a hash of 0x and 64 digits. */
export async function recoveryWords(hash) {
  const bytes = Uint8Array.from(hash.slice(2).match(/../g), (pair) => `0x${pair}`);
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
  const salt = new TextEncoder().encode(SALT);
  const derived = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, key, 256,
  );
  const digits = Array.from(new Uint8Array(derived), (b) => b.toString(16).padStart(2, "0"));
  let number = BigInt(`0x${digits.join("")}`);
  return Array.from({ length: COUNT }, () => {
    const word = SPOKEN[Number(number & ((1n << BITS) - 1n))];
    number >>= BITS;
    return word;
  });
}

async function show(list) {
  try {
    const words = await recoveryWords(recoveryHash(readJson(list.dataset.recoveryWords)));
    list.querySelectorAll("[data-word]").forEach((place, i) => {
      place.textContent = words[i];
    });
  } catch (error) {
    console.error(error);
    list.hidden = true;
    list.parentElement.querySelector("[data-recovery-words-failed]").hidden = false;
  }
}

function showAll() {
  document.querySelectorAll("[data-recovery-words]").forEach(show);
}

showAll();
document.addEventListener("htmx:after:swap", showAll);
