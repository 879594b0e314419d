// What stands between this browser and a passkey, and what to do about it, in words.
//
// Everything but look() is a pure function of what look() finds. Only what is known to
// fail stops a ceremony: an insecure page, and a browser without WebAuthn. Whatever else
// is noticed is advice, because an app or an old browser may have passkeys after all.

// Tokens that apps put into their browser's User-Agent.
const APPS = [
  [/\bTelegram(?:-(?:Android|iOS))?\//i, "Telegram"],
  [/\bTwitter(?: for i|Android)/, "X"],
  [/\bInstagram\b/, "Instagram"],
  [/\bBarcelona \d/, "Threads"],
  [/Messenger(?:Lite)?ForiOS|FB_IAB\/(?:Orca|MESSENGER)/i, "Messenger"],
  [/\bFB(?:AN|AV|IOS|_IAB)\b|\bFB4A\b/, "Facebook"],
  [/musical_ly|\btrill_|BytedanceWebview|ByteLocale|\bTikTok\b/i, "TikTok"],
  [/\bLinkedInApp\b/, "LinkedIn"],
  [/\bMicroMessenger\//, "WeChat"],
  [/\bLine\/\d/, "LINE"],
  [/\bSnapchat\b/, "Snapchat"],
  [/\bPinterest\b/, "Pinterest"],
  [/; wv\)/, "an app"], // Android's WebView
];
const APPLE_WEBVIEW = /\b(?:iPhone|iPad|iPod|Macintosh)\b.*\bAppleWebKit\/(?!.*\bSafari\/)/;

// The oldest versions this site is made for, by the token that tells the engine.
const OLDEST = [
  [/\b(?:iPhone|iPad|iPod)\b.*\bOS (\d+)_(\d+).*\b(?:CriOS|FxiOS|EdgiOS)\//, [16, 4]],
  [/\bFirefox\/(\d+)/, [128, 0]],
  [/\bChrom(?:e|ium)\/(\d+)/, [111, 0]],
  [/^(?!.*\b(?:CriOS|FxiOS|EdgiOS)\/).*\bVersion\/(\d+)\.(\d+).*\bSafari\//, [16, 4]],
];

// Makers some of whose phones make no ES256 passkeys: names, then codes of models.
const MAKERS = [
  ["Huawei or Honor", /\b(?:HUAWEI|HONOR|HuaweiBrowser)\b/i, /^[A-Z]{3}\d?-[A-Z]{1,3}\d{1,2}[A-Z]?$/],
  ["Xiaomi", /\b(?:Xiaomi|Redmi|POCO|MiuiBrowser|Mi [A-Z\d])/i, /^(?:M\d{4}[A-Z]\w*|2\d{3,}[A-Z\d]*[A-Z]{1,2})$/],
  ["vivo", /\b(?:vivo|iQOO|VivoBrowser)\b/i, /^[VI]\d{4}[A-Z]{0,2}$/],
  [
    "OPPO, realme or OnePlus",
    /\b(?:OPPO|realme|ONEPLUS|HeyTapBrowser)/i,
    /^(?:CPH\d{4}|RMX\d{4}|P[A-Z]{2,3}\d{2,3}|(?:AC|BE|DN|EB|GM|GN|HD|IN|IV|KB|LE|NE)\d{4})$/,
  ],
];

// How create() fails where a phone cannot make the passkey.
const FAILURES = new Set(["NotAllowedError", "NotSupportedError", "ConstraintError"]);

const BROWSERS = "Safari 16.4, Chrome 111, Firefox 128 or newer";
const WORDS = {
  insecure: () =>
    "Passkeys work only over a secure connection. Open this site with https://.",
  "in-app": (app, stops) =>
    `This page is open inside ${app}, ` +
    `${stops ? "which has no passkeys" : "where passkeys often do not work"}. ` +
    "Open this page in your browser: choose “Open in browser” in the menu (⋯ or ⋮), " +
    "or copy the address and paste it there.",
  old: (_app, stops) =>
    `This browser ${stops ? "has no passkeys" : "is older than this site is made for"}. ` +
    `Update it, or open this page in ${BROWSERS}.`,
  missing: () =>
    `This browser has no passkeys. Open this page in ${BROWSERS}, not inside another app.`,
  elsewhere: () =>
    "This browser says that this device keeps no passkeys of its own. Use another phone " +
    "by QR code, a security key or a password manager.",
};

/**
 * What stands in the way: null, or { finding, stops, words }.
 *
 * `hasOwnAuthenticator` is null where the browser did not say.
 */
export function preflight({
  userAgent,
  isSecure,
  hasWebAuthn,
  hasOwnAuthenticator = null,
  isInstalled = false,
  isTelegram = false,
}) {
  const app = isTelegram ? "Telegram" : inAppBrowser(userAgent, isInstalled);
  const stops = !isSecure || !hasWebAuthn;
  let finding = "";
  if (!isSecure) finding = "insecure";
  else if (app) finding = "in-app";
  else if (isTooOld(userAgent)) finding = "old";
  else if (!hasWebAuthn) finding = "missing";
  else if (hasOwnAuthenticator === false) finding = "elsewhere";
  return finding ? { finding, stops, words: WORDS[finding](app, stops) } : null;
}

/** The app this page is shown in, "an app" where it has no name, else nothing. */
export function inAppBrowser(userAgent, isInstalled = false) {
  for (const [token, name] of APPS) if (token.test(userAgent)) return name;
  // A site on the home screen has no Safari token either, but is no app's browser.
  return !isInstalled && APPLE_WEBVIEW.test(userAgent) ? "an app" : "";
}

/** Whether this version is known to be older than the oldest this site is made for. */
export function isTooOld(userAgent) {
  for (const [token, [major, minor]] of OLDEST) {
    const found = token.exec(userAgent);
    if (!found) continue;
    const version = Number(found[1]);
    return version < major || (version === major && Number(found[2] ?? minor) < minor);
  }
  return false;
}

/** The maker, where it is one whose phones may lack ES256; else nothing. */
export function phoneMaker(userAgent, model = "") {
  if (!/\b(?:Android|HarmonyOS|OpenHarmony)\b/.test(userAgent)) return "";
  // Older browsers name the model: "(Linux; Android 9; CPH1909 Build/O11019; wv)".
  const named = /Android [\d.]+; (?:[a-z]{2}[-_][A-Za-z]{2}; )?([^;)]+?)(?: Build\/|[;)])/;
  const code = model || named.exec(userAgent)?.[1] || "";
  const is = ([, name, codes]) => name.test(`${userAgent} ${code}`) || codes.test(code);
  return MAKERS.find(is)?.[0] ?? "";
}

/** Why no passkey was made, where the phone's maker may be the cause; else nothing. */
export function wordsForMaker(failure, maker) {
  if (!maker || !FAILURES.has(failure)) return "";
  const cancelled =
    failure === "NotAllowedError" ? "The passkey was cancelled, or this phone cannot make it. " : "";
  return (
    `${cancelled}Some phones of ${maker} cannot make the kind of passkey that is needed ` +
    `(ES256). Nothing was changed. ${cancelled ? "Try again, or use" : "Use"} another ` +
    "phone by QR code, or a security key. A browser wallet as a signer comes later."
  );
}

/** What this browser says of itself at once. */
export function look() {
  return {
    userAgent: navigator.userAgent,
    isSecure: window.isSecureContext,
    hasWebAuthn: Boolean(window.PublicKeyCredential && navigator.credentials),
    isInstalled:
      navigator.standalone === true || matchMedia("(display-mode: standalone)").matches,
    isTelegram: "TelegramWebview" in window || "TelegramWebviewProxy" in window,
  };
}

/** The same, and whether this device keeps passkeys itself. */
export async function lookCloser() {
  const seen = look();
  const ask = window.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable;
  const hasOwnAuthenticator = await ask?.call(PublicKeyCredential).catch(() => null);
  return { ...seen, hasOwnAuthenticator: hasOwnAuthenticator ?? null };
}

/** The maker of this phone; Chromium tells the model only when it is asked. */
export async function thisMaker() {
  const ask = navigator.userAgentData?.getHighEntropyValues?.(["model"]);
  const { model } = (await ask?.catch(() => null)) ?? {};
  return phoneMaker(navigator.userAgent, model);
}
