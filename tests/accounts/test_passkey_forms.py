"""The ceremonies in a real browser: the forms, the words, what is posted, R17."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts import enrolments
from accounts.models import Ceremony, Credential, User
from tests.live_server import serving
from tests.soft_authenticator import base64url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Playwright's own plugin, under pytest 9.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance"),
]

# What a page does that brings its options along: begun by the server, in a json_script.
OPTIONS_IN_THE_PAGE = """async (kind) => {
  const form = document.querySelector(`[data-passkey=${kind}]`);
  const answer = await fetch(form.dataset.begin, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
  });
  const script = document.createElement("script");
  script.type = "application/json";
  script.id = "passkey-options";
  script.textContent = await answer.text();
  document.body.append(script);
  delete form.dataset.begin;
  form.dataset.options = "passkey-options";
}"""
COUNT_CALLS = """
window.calls = { create: [], get: [] };
for (const name of ["create", "get"]) {
  const real = CredentialsContainer.prototype[name];
  CredentialsContainer.prototype[name] = function (options) {
    window.calls[name].push(options.publicKey.challenge.length);
    return real.call(this, options);
  };
}
"""

FAILURES = {
    "InvalidStateError": "already has a passkey here",
    "NotSupportedError": "ES256",
    "SecurityError": "Check the address bar",
    "AbortError": "interrupted",
    "ConstraintError": "screen lock",
    "UnknownError": "did not work",
}
REPLIES = {
    "could not begin": {"status": 500, "body": "no"},
    "Too many attempts": {"status": 429, "body": "no"},
    "Reload it": {"status": 403, "body": "no"},
    "The site's own words.": {
        "status": 409,
        "json": {"error": {"code": "a", "message": "The site's own words."}},
    },
    "could not be read": {"status": 200, "json": {"challenge": "!"}},
}


@pytest.fixture
def origin(settings):
    """Return the origin of a web server with the real views and static files."""
    with serving(settings) as origin:
        yield origin


@pytest.fixture
def errors(page):
    """Return what the browser complains about."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(COUNT_CALLS)
    return complaints


class Authenticator:
    """Chromium's virtual authenticator in one page."""

    def __init__(self, page, **options):
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        defaults = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.cdp.send(
            "WebAuthn.addVirtualAuthenticator", {"options": defaults | options}
        )
        self.id = added["authenticatorId"]

    def send(self, method, **arguments):
        return self.cdp.send(
            f"WebAuthn.{method}", {"authenticatorId": self.id, **arguments}
        )

    def credentials(self):
        return self.send("getCredentials")["credentials"]


def press(page, name):
    page.get_by_role("button", name=name).click()


def alert(page):
    element = page.locator("[data-passkey-error]:visible")
    element.wait_for()
    return element.inner_text()


def test_a_person_registers_and_signs_in_again_elsewhere(
    page, origin, errors, new_context
):
    authenticator = Authenticator(page)
    page.goto(origin)
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")

    user = User.objects.get()
    other = new_context().new_page()
    twin = Authenticator(other)
    twin.send("addCredential", credential=authenticator.credentials()[0])
    other.goto(origin)
    press(other, "Sign in with passkey")
    other.get_by_role("button", name="Sign out").first.wait_for()

    assert Credential.objects.get().user == user
    assert Credential.objects.get().last_used_at is not None
    assert Credential.objects.get().transports == ["internal"]
    assert not Ceremony.objects.exists()
    assert errors == []


def test_a_cancelled_ceremony_says_so_and_can_be_repeated(page, origin, errors):
    authenticator = Authenticator(page, isUserVerified=False)
    page.goto(origin)

    press(page, "Create a wallet")

    assert "cancelled or took too long. Nothing was changed" in alert(page)
    assert not User.objects.exists()
    assert page.locator("[aria-busy]").count() == 0
    authenticator.send("setUserVerified", isUserVerified=True)
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")
    assert User.objects.count() == 1


def test_no_passkey_here_is_said_in_words(page, origin, errors):
    Authenticator(page)
    page.goto(origin)

    press(page, "Sign in with passkey")

    assert "Nothing was changed" in alert(page)


def test_each_failure_of_the_browser_has_words(page, origin):
    page.goto(origin)
    page.evaluate(
        """() => {
          const fail = () => Promise.reject(new DOMException("technical", window.reason));
          CredentialsContainer.prototype.create = fail;
        }"""
    )

    for name, words in FAILURES.items():
        page.evaluate("name => { window.reason = name; }", name)
        press(page, "Create a wallet")
        page.get_by_text(words).wait_for()
        assert "Nothing was changed" in alert(page)
        assert "technical" not in alert(page)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("delete window.PublicKeyCredential", "This browser has no passkeys"),
        (
            "Object.defineProperty(window, 'isSecureContext', {value: false})",
            "only over a secure connection",
        ),
    ],
    ids=["no-passkeys", "not-secure"],
)
def test_a_browser_that_cannot_is_told_what_to_do(script, words, page, origin):
    page.goto(origin)
    page.evaluate(script)

    press(page, "Create a wallet")

    assert words in alert(page)
    assert not Ceremony.objects.exists()


def test_options_may_come_with_the_page(page, origin, errors):
    Authenticator(page)
    page.goto(origin)
    page.evaluate(OPTIONS_IN_THE_PAGE, "create")
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")
    page.context.clear_cookies()
    page.goto(origin)
    page.evaluate(OPTIONS_IN_THE_PAGE, "get")
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url))

    press(page, "Sign in with passkey")

    page.get_by_role("button", name="Sign out").first.wait_for()
    assert not any(url.endswith("/begin") for url in begun)
    assert not Ceremony.objects.exists()
    assert errors == []


def test_a_cancelled_ceremony_of_the_pages_options_can_be_repeated(page, origin):
    authenticator = Authenticator(page, isUserVerified=False)
    page.goto(origin)
    page.evaluate(OPTIONS_IN_THE_PAGE, "create")

    press(page, "Create a wallet")
    assert "Nothing was changed" in alert(page)
    authenticator.send("setUserVerified", isUserVerified=True)
    press(page, "Create a wallet")

    page.wait_for_url("**/opened/**")
    assert User.objects.count() == 1


def test_a_page_without_its_options_says_so(page, origin):
    page.goto(origin)
    page.evaluate(OPTIONS_IN_THE_PAGE, "create")
    page.evaluate("document.getElementById('passkey-options').remove()")

    press(page, "Create a wallet")

    assert "This page is incomplete. Reload it" in alert(page)


def test_the_button_that_was_pressed_goes_along_to_where_the_ceremony_begins(
    page, origin
):
    Authenticator(page)
    page.goto(origin)
    page.evaluate(
        """() => {
          const button = document.querySelector("[data-passkey=create] button");
          button.name = "hint";
          button.value = "client-device";
        }"""
    )

    with page.expect_request("**/registration/begin") as caught:
        press(page, "Create a wallet")

    fields = parse_qs(caught.value.post_data or "")
    page.wait_for_url("**/opened/**")
    assert fields["hint"] == ["client-device"]


def test_a_form_that_may_not_be_submitted_any_more_can_be_tried_again(page, origin):
    Authenticator(page)
    page.goto(origin)
    page.evaluate(
        """() => {
          const form = document.querySelector("[data-passkey=create]");
          const real = CredentialsContainer.prototype.create;
          CredentialsContainer.prototype.create = function (options) {
            CredentialsContainer.prototype.create = real;
            form.insertAdjacentHTML("beforeend", "<input name=wanted required>");
            return real.call(this, options);
          };
        }"""
    )
    with page.expect_response("**/registration/begin"):
        press(page, "Create a wallet")
    page.locator("[name=wanted]").wait_for()
    expect(page.locator("[aria-busy]")).to_have_count(0)

    assert page.locator("[name=credential]").first.input_value() == ""
    page.locator("[name=wanted]").evaluate(
        "(input) => input.removeAttribute('required')"
    )
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")


def test_a_challenge_that_is_not_a_sign_in_is_never_signed(page, origin, errors):
    Authenticator(page)
    page.goto(origin)
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")
    page.context.clear_cookies()

    for size in (0, 16, 32, 63, 65):
        options = {"challenge": base64url(b"\x01" * size), "rpId": "localhost"}
        page.goto(origin)
        page.route("**/begin", lambda route, *, json=options: route.fulfill(json=json))
        press(page, "Sign in with passkey")
        assert "not a sign-in" in alert(page)
        assert page.evaluate("window.calls.get") == []


def test_a_begin_that_fails_is_said_in_words(page, origin):
    page.goto(origin)

    for words, answer in REPLIES.items():
        page.route("**/begin", lambda route, *, answer=answer: route.fulfill(**answer))
        press(page, "Sign in with passkey")
        page.get_by_text(words).wait_for()


def test_a_site_that_is_gone_is_said_in_words(page, origin):
    page.goto(origin)
    page.route("**/passkeys/*/begin", lambda route: route.abort())

    press(page, "Sign in with passkey")

    assert "does not answer" in alert(page)


def test_two_quick_clicks_are_one_ceremony(page, origin, errors):
    Authenticator(page)
    page.goto(origin)

    page.evaluate(
        """() => {
          const form = document.querySelector("[data-passkey=create]");
          form.requestSubmit();
          form.requestSubmit();
          form.requestSubmit();
        }"""
    )
    page.wait_for_url("**/opened/**")

    assert User.objects.count() == 1
    assert not Ceremony.objects.exists()


def test_the_button_is_busy_while_the_passkey_is_asked(page, origin):
    page.goto(origin)
    page.evaluate(
        "() => { CredentialsContainer.prototype.get = () => new Promise(() => {}); }"
    )

    press(page, "Sign in with passkey")

    busy = page.locator("button[aria-busy=true]")
    busy.wait_for()
    assert "Sign in with passkey" in busy.inner_text()
    assert busy.count() == 1


def test_a_refused_answer_shows_the_page_with_a_way_back(page, origin, errors):
    Authenticator(page)
    page.goto(origin)
    press(page, "Create a wallet")
    page.wait_for_url("**/opened/**")
    Credential.objects.all().delete()
    page.context.clear_cookies()
    page.goto(origin)

    press(page, "Sign in with passkey")
    page.get_by_role("heading", name="That did not work").wait_for()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Create a wallet").wait_for()

    assert errors == []


def test_an_operator_enrols_through_the_link_and_signs_in(page, origin, errors):
    authenticator = Authenticator(page)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    token = enrolments.issue(name="ops", replace=False)

    page.goto(f"{origin}{reverse('enrolment')}#{token}")
    press(page, "Create passkey")
    page.wait_for_url("**/admin/")

    operator = User.objects.get()
    assert (operator.name, operator.is_staff) == ("ops", True)
    assert len(authenticator.credentials()) == 1
    paths = [url.split("#")[0] for url in requested]
    assert not any(token in path for path in paths)

    page.context.clear_cookies()
    page.goto(f"{origin}/admin/accounts/user/")
    press(page, "Sign in with passkey")
    page.wait_for_url(f"{origin}/admin/accounts/user/")
    assert errors == []


def test_what_is_sent_holds_only_what_the_server_reads(page, origin):
    Authenticator(page)
    page.goto(origin)
    with page.expect_request("**/registration/finish") as caught:
        press(page, "Create a wallet")

    fields = dict(
        part.split("=", 1) for part in (caught.value.post_data or "").split("&")
    )
    page.wait_for_url("**/opened/**")
    assert set(fields) == {"csrfmiddlewaretoken", "credential"}
