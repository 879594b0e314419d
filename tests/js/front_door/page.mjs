// A page with a sign-in form, a field and a browser that can offer passkeys in it, as far
// as autofill.js and passkey_forms.js see them. Each open() is a new page: the modules are
// copied, so that nothing of the last one is left.

import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

class Target {
  listeners = {};

  addEventListener(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  emit(name, event = {}) {
    for (const listener of this.listeners[name] ?? []) listener(event);
  }
}

class Form {
  isConnected = true;
  dataset = { passkey: "get", begin: "/begin" };
  words = { hidden: true, textContent: "", scrollIntoView() {} };
  submitted = [];

  constructor(page) {
    this.page = page;
    this.elements = Object.assign([], {
      credential: { value: "" },
      csrfmiddlewaretoken: { value: "token" },
    });
  }

  querySelector(selector) {
    return selector === "[data-passkey-error]" ? this.words : null;
  }

  requestSubmit() {
    let isStopped = false;
    const stop = () => (isStopped = true);
    this.page.document.emit("submit", {
      target: this, submitter: null, preventDefault: stop, stopImmediatePropagation: stop,
    });
    if (!isStopped) this.submitted.push(JSON.parse(this.elements.credential.value));
  }
}

export async function open({ timeout = 300_000, isOffered = true } = {}) {
  const page = {
    document: new Target(),
    asked: [], // { kind, signal, answer, refuse } of each get()
    begun: 0,
    running: 0,
    collisions: 0, // get() while another one ran, which browsers refuse
    respond: async () => ({ ok: true, json: async () => options(timeout) }),
  };
  page.form = new Form(page);
  page.input = Object.assign(new Target(), { form: page.form });
  const classes = new Set(["invisible"]);
  page.field = {
    classList: { remove: (name) => classes.delete(name), has: (name) => classes.has(name) },
    querySelector: () => page.input,
  };
  Object.assign(page.document, {
    hidden: false,
    querySelector: (selector) => (selector === "[data-passkey-field]" ? page.field : null),
    querySelectorAll: () => [],
  });
  const window = Object.assign(new Target(), {
    isSecureContext: true,
    PublicKeyCredential: { isConditionalMediationAvailable: async () => isOffered },
  });
  define("document", page.document);
  define("window", window);
  define("PublicKeyCredential", window.PublicKeyCredential);
  define("location", { hash: "" });
  define("matchMedia", () => ({ matches: false }));
  define("FormData", class { *[Symbol.iterator]() {} });
  define("navigator", { userAgent: "", credentials: { get: (asked) => get(page, asked) } });
  define("fetch", () => {
    page.begun += 1;
    return page.respond();
  });
  page.hide = (hidden) => {
    page.document.hidden = hidden;
    page.document.emit("visibilitychange");
  };

  const folder = mkdtempSync(join(tmpdir(), "front-door-"));
  cpSync(process.env.MODULES, folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  await import(pathToFileURL(join(folder, "autofill.js")));
  await settle();
  return page;
}

/** Let everything go on that waits for nobody. */
export async function settle() {
  for (let turn = 0; turn < 50; turn += 1) await null;
}

function get(page, { mediation, signal, publicKey }) {
  const kind = mediation ?? "modal";
  if (page.running) page.collisions += 1;
  if (page.running) return Promise.reject(new DOMException("pending", "OperationError"));
  page.running += 1;
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  const end = (finish, value) => {
    page.running -= 1;
    finish(value);
  };
  page.asked.push({
    kind,
    length: publicKey.challenge.length,
    signal,
    answer: () => end(resolve, CREDENTIAL),
    refuse: (name) => end(reject, new DOMException("no", name)),
  });
  signal?.addEventListener("abort", async () => {
    for (let turn = 0; turn < 9; turn += 1) await null; // browsers take their time
    end(reject, signal.reason);
  });
  return promise;
}

const EMPTY = new Uint8Array(1).buffer;
const CREDENTIAL = {
  rawId: EMPTY,
  type: "public-key",
  response: { clientDataJSON: EMPTY, authenticatorData: EMPTY, signature: EMPTY },
};

const options = (timeout) => ({
  challenge: Buffer.alloc(64, 1).toString("base64url"),
  rpId: "localhost",
  timeout,
});

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
