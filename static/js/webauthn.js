// The two ceremonies of an account: making a passkey and signing in with one.
//
// Options arrive as WebAuthn Level 3 JSON and are decoded by hand, because the browsers'
// own parse*FromJSON functions are too new. Answers are read field by field, because
// toJSON() throws under some password managers' extensions.
//
// A challenge here has 64 bytes, always. Any 32 bytes could be the hash of an operation,
// so whatever a server sends, this module never lets a passkey sign 32 (R17).

const CHALLENGE_BYTES = 64;
const ES256 = -7; // COSE

/** A ceremony that was not begun; `message` is for people. */
export class CeremonyRefused extends Error {
  constructor(sentence) {
    super(`${sentence} Nothing was changed.`);
    this.name = "CeremonyRefused";
  }
}

/** Ask for a new passkey. Resolves to RegistrationResponseJSON. */
export async function createCredential(options) {
  const publicKey = {
    ...options,
    challenge: decodeChallenge(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
  const credential = await navigator.credentials.create({ publicKey });
  const { response } = credential;
  if (!isES256(response)) throw new DOMException("not ES256", "NotSupportedError");
  return {
    ...describe(credential),
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
      transports: transports(response),
    },
  };
}

/**
 * Ask a passkey to sign in. Resolves to AuthenticationResponseJSON.
 *
 * `request` may hold what else get() takes: `mediation` and `signal`.
 */
export async function getAssertion(options, request = {}) {
  const publicKey = {
    ...options,
    challenge: decodeChallenge(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  };
  const credential = await navigator.credentials.get({ ...request, publicKey });
  const { response } = credential;
  const userHandle = response.userHandle ? toBase64url(response.userHandle) : null;
  return {
    ...describe(credential),
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      userHandle,
    },
  };
}

function decodeChallenge(text) {
  const challenge = fromBase64url(text);
  if (challenge.length !== CHALLENGE_BYTES) {
    throw new CeremonyRefused("This site asked for a signature that is not a sign-in.");
  }
  return challenge;
}

function describe(credential) {
  const id = toBase64url(credential.rawId);
  return {
    id,
    rawId: id,
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: {},
  };
}

function descriptors(list) {
  return (list ?? []).map((item) => ({ ...item, id: fromBase64url(item.id) }));
}

/** Whether the new key is what the chain verifies; the server looks at the key itself. */
function isES256(response) {
  try {
    return response.getPublicKeyAlgorithm() === ES256;
  } catch {
    return true; // not everybody says
  }
}

function transports(response) {
  try {
    return response.getTransports();
  } catch {
    return []; // only a hint, and not everybody has it
  }
}

function fromBase64url(text) {
  const base64 = String(text).replaceAll("-", "+").replaceAll("_", "/");
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new CeremonyRefused("This site's request could not be read.");
  }
}

function toBase64url(buffer) {
  const text = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
