"""The review page in a real browser: what is shown is signed, anything else is not.

The page here is the tests' own, made of the site's static files, script tags and content
policy, and served by a small server, so that a test can lie to the browser as a broken
or malicious server would.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from eth_utils.crypto import keccak
from playwright.sync_api import expect

from tests import signing_requests
from tests.e2e.signing_site import Passkey, Site

pytestmark = [
    pytest.mark.browser,
    # The browser plugin's own fixtures, under the newest pytest.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance"),
]

REVIEW = """
<form method="post" action="/authorize" data-passkey="sign" data-request="request">
  <input type="hidden" name="credential">
  <p data-signed="recipient">{recipient}</p> <p data-signed="amount">{amount}</p>
  <p data-signed="account">{account}</p>
  <p data-signed="chain" data-value="31337">Local chain</p>
  <p data-signed="max-fee">{max-fee}</p>
  <p data-signed="payer" data-value="account">You pay</p>
  <time data-signed="valid-until" datetime="2030-03-17T17:46:40Z">in some years</time>
  <button>Authorize with passkey</button>
  <p role="alert" data-passkey-error hidden></p>
</form>
<script type="application/json" id="request">{request}</script>"""
ADDITION = """
<form method="post" action="/authorize" data-passkey="sign" data-request="request">
  <input type="hidden" name="credential">
  <p data-signed="change" data-value="add-passkey">Add a passkey</p>
  <p data-signed="new-owner">{new-owner}</p> <p data-signed="new-key">{new-key}</p>
  <p data-signed="threshold" data-value="1">{threshold}</p>
  <p data-signed="account">{account}</p>
  <p data-signed="chain" data-value="31337">Local chain</p>
  <p data-signed="max-fee">{max-fee}</p>
  <p data-signed="payer" data-value="account">You pay</p>
  <time data-signed="valid-until" datetime="2030-03-17T17:46:40Z">in some years</time>
  <button>Authorize with passkey</button>
  <p role="alert" data-passkey-error hidden></p>
</form>
<script type="application/json" id="request">{request}</script>"""
SET_UP = REVIEW.replace(
    """<p data-signed="account">""",
    """<p data-signed="set-up" data-value="create">Sets your account up</p>
  <p data-signed="set-up-key">{set-up-key}</p>
  <p data-signed="set-up-signer">{set-up-signer}</p>
  <p data-signed="account">""",
)
SIGN_IN = """
<form method="post" action="/authorize" data-passkey="get" data-begin="/begin">
  <input type="hidden" name="credential">
  <button>Sign in with passkey</button>
  <p role="alert" data-passkey-error hidden></p>
</form>"""
# Notes what passkeys are asked for, and what the content policy stops.
WATCH = """
window.asked = [];
window.violations = [];
const get = navigator.credentials.get.bind(navigator.credentials);
navigator.credentials.get = (options) => {
  window.asked.push(options.publicKey.challenge.byteLength);
  return get(options);
};
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});"""
OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24"


@pytest.fixture(scope="module")
def running_site(tmp_path_factory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("collected")
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "wallet_site.storage.ModuleStaticFilesStorage"},
    }
    with override_settings(STATIC_ROOT=root, STORAGES=storages):
        call_command("collectstatic", verbosity=0, interactive=False)
        site = Site(root)
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield site
        site.shutdown()
        site.server_close()
        thread.join()


@pytest.fixture
def site(running_site) -> Site:
    running_site.start()
    return running_site


@pytest.fixture(scope="module")
def page(browser) -> Iterator[Any]:
    """One tab for all tests here: each opens its page anew, nothing is cached."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(60_000)  # milliseconds; a busy machine is no failure
    yield page
    context.close()


@pytest.fixture(scope="module")
def passkey(page, running_site) -> Passkey:
    return Passkey(page, running_site)


def open_review(
    page,
    site: Site,
    passkey: Passkey,
    kind: str = "payment",
    body: str = REVIEW,
    installed: Any = None,
) -> bytes:
    """Show a good request for review; return the hash that is to be signed."""
    case = signing_requests.good_requests(installed or passkey.public_key)[kind]
    request = case["request"]
    request["rpId"] = "localhost"
    request["allowCredentials"] = [{"id": passkey.id, "transports": ["internal"]}]
    texts = {name: item["text"] for name, item in case["shown"].items()}
    site.body = body
    for name, text in (texts | {"request": json.dumps(request)}).items():
        site.body = site.body.replace(f"{{{name}}}", text)
    page.goto(site.url)
    return bytes.fromhex(request["hash"][2:])


def authorize(page) -> None:
    page.get_by_role("button", name="Authorize with passkey").click()


def test_what_the_page_shows_is_signed_and_nothing_else_is_asked(page, site, passkey):
    digest = open_review(page, site, passkey)
    before = passkey.sign_count

    authorize(page)
    page.get_by_text("Received").wait_for()

    (form,) = site.posted
    credential = json.loads(form["credential"][0])
    assert credential["id"] == credential["rawId"] == passkey.id
    assert passkey.has_signed(credential, digest)
    assert not passkey.has_signed(credential, keccak(digest))
    assert passkey.sign_count == before + 1


def test_one_touch_asks_for_exactly_32_bytes_under_the_content_policy(
    page, site, passkey
):
    open_review(page, site, passkey)
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")

    authorize(page)
    expect(page.locator("[name=credential]")).not_to_have_value("")

    assert page.evaluate("window.asked") == [32]
    assert page.evaluate("window.violations") == []


TAMPERING = {
    "another recipient": f"""shown("recipient").textContent = "{OTHER}" """,
    "another amount": """shown("amount").textContent = "0.26 ETH" """,
    "another account": f"""shown("account").textContent = "{OTHER}" """,
    "another chain": """shown("chain").dataset.value = "1" """,
    "a lower fee": """shown("max-fee").textContent = "0 ETH" """,
    "another payer": """shown("payer").dataset.value = "sponsor" """,
    "another end": """shown("valid-until").dateTime = "2030-03-17T17:46:41Z" """,
    "no recipient": """shown("recipient").remove()""",
    "an empty amount": """shown("amount").textContent = "" """,
    "the amount twice": """document.querySelector("form").append(
        Object.assign(shown("amount").cloneNode(), { textContent: "9 ETH" }))""",
    "a field too many": """shown("chain").insertAdjacentHTML(
        "afterend", "<p data-signed=memo>Rent</p>")""",
    "a call to another address": f"""edit((r) => (r.calls[0].to = "{OTHER}"))""",
    "a call of another value": """edit((r) => (r.calls[0].valueWei = "1"))""",
    "other call data": """edit((r) => (r.message.callData += "00"))""",
    "another nonce": """edit((r) => (r.message.nonce = "0"))""",
    "a sponsor": f"""edit((r) => (r.message.paymasterAndData =
        "{OTHER}{"00" * 32}"))""",
    "another module": f"""edit((r) => (r.message.module = "{OTHER}"))""",
    "another hash": f"""edit((r) => (r.hash = "0x{"11" * 32}"))""",
    "another kind": """edit((r) => (r.kind = "SafeMessage"))""",
    "another site's passkey": """edit((r) => (r.rpId = "example.com"))""",
    "no request": """document.getElementById("request").remove()""",
}


ADDITION_TAMPERING = {
    "another owner": f"""shown("new-owner").textContent = "{OTHER}" """,
    "another key": """shown("new-key").textContent = "0123 4567 89ab cdef" """,
    "another threshold": """shown("threshold").textContent = "2 of 2 must approve" """,
    "another number": """shown("threshold").dataset.value = "2" """,
    "no owner": """shown("new-owner").remove()""",
    "a payment beside it": """shown("chain").insertAdjacentHTML(
        "afterend", "<p data-signed=amount>1 ETH</p>")""",
    "another x": """edit((r) => (r.newOwner.x = "7"))""",
    "another signer": f"""edit((r) => (r.newOwner.signer = "{OTHER}"))""",
    "other code": """edit((r) => (r.newOwner.proxyCode = "0x00"))""",
    "other verifiers": """edit((r) => (r.newOwner.verifiers = "1"))""",
    "no new owner": """edit((r) => delete r.newOwner)""",
    "one call more": """edit((r) => r.calls.push(r.calls[1]))""",
}

# Consistent lies: call data and hash fit what was changed.
SET_UP_TAMPERING = {
    "another byte of what makes the account": """fit((r) =>
        (r.message.initCode = r.message.initCode.replace(/.{2}$/, "01")))""",
    "another factory": f"""fit((r) => (r.message.initCode =
        "{OTHER}" + r.message.initCode.slice(42)))""",
    "nothing that makes the account": """fit((r) => (r.message.initCode = "0x"))""",
    "another key in the signer's creation": """fit((r) => (r.calls[0].data =
        r.calls[0].data.replace(/^0x.{9}/, (head) =>
          head.slice(0, -1) + (head.endsWith("f") ? "0" : "f"))))""",
    "another owner": f"""fit((r) => (r.calls[1].data =
        r.calls[1].data.slice(0, -40) + "{OTHER[2:].lower()}"))""",
    "another call to the account": """fit((r) => (r.calls[1].data =
        r.calls[1].data.replace("0xe318b52b", "0x0d582f13")))""",
    "a signer that stays away": """fit((r) => r.calls.shift())""",
    "another salt": """fit((r) => (r.creation.saltNonce = "7"))""",
    "another signer on the page": f"""shown("set-up-signer").textContent = "{OTHER}" """,
    "no word of it on the page": """shown("set-up").remove()""",
}


@pytest.mark.parametrize("change", TAMPERING.values(), ids=TAMPERING)
def test_a_tampered_page_never_reaches_the_passkey(page, site, passkey, change):
    open_review(page, site, passkey)

    refused_after(change, page, site, passkey)


def test_a_new_passkey_is_signed_for_as_it_is_shown(page, site, passkey):
    digest = open_review(page, site, passkey, "addition", ADDITION)

    authorize(page)
    page.get_by_text("Received").wait_for()

    (form,) = site.posted
    assert passkey.has_signed(json.loads(form["credential"][0]), digest)


@pytest.mark.parametrize("change", ADDITION_TAMPERING.values(), ids=ADDITION_TAMPERING)
def test_a_tampered_addition_never_reaches_the_passkey(page, site, passkey, change):
    open_review(page, site, passkey, "addition", ADDITION)

    refused_after(change, page, site, passkey)


def test_a_set_up_is_signed_for_as_it_is_shown(page, site, passkey):
    digest = open_review(page, site, passkey, "creation", SET_UP)

    authorize(page)
    page.get_by_text("Received").wait_for()

    (form,) = site.posted
    assert passkey.has_signed(json.loads(form["credential"][0]), digest)


def test_the_answer_for_a_set_up_with_another_key_never_leaves_the_page(
    page, site, passkey
):
    stranger = signing_requests.KEYS[1].public_key()
    open_review(page, site, passkey, "creation", SET_UP, stranger)
    before = passkey.sign_count

    authorize(page)
    page.get_by_text("given to another passkey than yours").wait_for()

    assert passkey.sign_count == before + 1
    assert site.posted == []


@pytest.mark.parametrize("change", SET_UP_TAMPERING.values(), ids=SET_UP_TAMPERING)
def test_a_tampered_set_up_never_reaches_the_passkey(page, site, passkey, change):
    open_review(page, site, passkey, "creation", SET_UP)

    refused_after(change, page, site, passkey)


def refused_after(change: str, page, site: Site, passkey: Passkey) -> None:
    """Change the open page, ask for a signature, and see that nobody was asked."""
    before = passkey.sign_count
    page.evaluate(
        """async (url) => {
          const { callData, safeOperationHash } = await import(url);
          const shown = (name) => document.querySelector(`[data-signed="${name}"]`);
          const edit = (how) => {
            const element = document.getElementById("request");
            const request = JSON.parse(element.textContent);
            how(request);
            element.textContent = JSON.stringify(request);
          };
          const fit = (how) => edit((request) => {
            how(request);
            request.message.callData = callData(request.calls);
            request.hash = safeOperationHash(request.message);
          });
          eval(change);
        }""".replace("eval(change)", change),
        site.module("js/signing.js"),
    )
    authorize(page)

    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "othing was signed." in alert.inner_text()
    assert page.evaluate("window.asked") == []
    assert passkey.sign_count == before
    assert site.posted == []


def test_a_sign_in_that_asks_for_32_bytes_never_reaches_the_passkey(
    page, site, passkey
):
    """R17"""
    site.body = SIGN_IN
    site.challenge = keccak(b"an operation")
    page.goto(site.url)
    before = passkey.sign_count

    page.get_by_role("button", name="Sign in with passkey").click()

    page.get_by_role("alert").wait_for()
    assert page.evaluate("window.asked") == []
    assert passkey.sign_count == before
    assert site.posted == []


def test_a_sign_in_that_asks_for_64_bytes_is_signed(page, site, passkey):
    site.body = SIGN_IN
    site.challenge = hashlib.sha512(b"a sign-in").digest()
    page.goto(site.url)

    page.get_by_role("button", name="Sign in with passkey").click()
    page.get_by_text("Received").wait_for()

    credential = json.loads(site.posted[0]["credential"][0])
    assert passkey.has_signed(credential, site.challenge)


@pytest.mark.parametrize("name", ["signing", "signing_forms", "wallets"])
def test_without_the_script_that_signs_a_form_stays_and_says_so(
    page, site, passkey, name
):
    site.suffix[site.module(f"js/{name}.js")] = b"\n// one harmless line\n"
    before = passkey.sign_count
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    open_review(page, site, passkey)

    authorize(page)

    page.get_by_role("alert").filter(has_text="nothing was signed").wait_for()
    assert any("integrity" in message for message in messages)
    assert site.posted == []
    assert passkey.sign_count == before


@pytest.mark.parametrize("name", ["webauthn", "preflight", "passkey_forms"])
def test_a_changed_script_does_not_run_and_neither_does_what_imports_it(
    page, site, passkey, name
):
    url = site.module(f"js/{name}.js")
    site.suffix[url] = b"\n// one harmless line\n"
    before = passkey.sign_count
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    open_review(page, site, passkey)

    authorize(page)
    page.get_by_text("Received").wait_for()

    assert any("integrity" in message for message in messages)
    assert site.posted == [{"credential": [""]}]
    assert passkey.sign_count == before


def test_a_wrong_hash_in_the_preload_link_stops_the_import(page, site, passkey):
    link = f'<link rel="modulepreload" href="{site.module("js/signing.js")}" integrity='
    assert site.head.count(link) == 1
    before, after = site.head.split(link)
    site.page_head = f'{before}{link}"sha384-{"A" * 64}">{after.partition(">")[2]}'
    open_review(page, site, passkey)
    before = passkey.sign_count

    authorize(page)

    page.get_by_role("alert").filter(has_text="nothing was signed").wait_for()
    assert site.posted == []
    assert passkey.sign_count == before


def test_every_script_of_a_page_loads_under_both_policies(page, site):
    messages = []
    page.on("console", lambda message: messages.append(message.text))

    page.goto(site.url)

    assert page.evaluate("window.htmx.version") == "4.0.1"
    assert page.evaluate("window.violations") == []
    assert [text for text in messages if "ntegrity" in text] == []


def test_the_browser_computes_keccak_as_python_does(page, site):
    source = random.Random(7)  # noqa: S311 - reproducible, not secret
    inputs = [source.randbytes(source.randrange(600)) for _ in range(200)]
    page.goto(site.url)

    hashes = page.evaluate(
        """async ([url, inputs]) => {
          const { keccak256 } = await import(url);
          return inputs.map((bytes) => [...keccak256(Uint8Array.from(bytes))]);
        }""",
        [site.module("js/signing.js"), [list(data) for data in inputs]],
    )

    assert [bytes(digest) for digest in hashes] == [keccak(data) for data in inputs]
