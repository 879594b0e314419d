// Tells the browser's passkey provider what changed here, so that its own list agrees:
// https://www.w3.org/TR/webauthn-3/#sctn-signal-methods
//
// The page after a change brings <script type="application/json" id="passkey-signals">,
// once. Nothing waits for these calls, and nothing depends on them.

const element = document.getElementById("passkey-signals");
if (element) tell(JSON.parse(element.textContent));

async function tell({ rpId, userId, unknown, accepted, name, displayName }) {
  for (const credentialId of unknown) {
    await signal("signalUnknownCredential", { rpId, credentialId });
  }
  // Every passkey that can still do anything is in the list: a provider may delete the
  // others, and with them the last key of an account on chain.
  if (accepted.length > 0) {
    await signal("signalAllAcceptedCredentials", {
      rpId,
      userId,
      allAcceptedCredentialIds: accepted,
    });
  }
  await signal("signalCurrentUserDetails", { rpId, userId, name, displayName });
}

async function signal(method, options) {
  try {
    await window.PublicKeyCredential?.[method]?.(options);
  } catch {
    // On purpose: browsers without the API, providers that refuse, and a list that is
    // out of date are all the same to the person, who has nothing to do about it.
  }
}
