"""Ways in: other devices, what stands in the way, a sign-in that waits behind a field.

Chromium's virtual finger (virtual_passkeys.py) touches at once whatever waits behind a
field, unless it holds still, and answers a second request with an error while one waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
)

from accounts.models import Ceremony, Credential, User
from onchain.models import Safe
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.live_server import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance"),
]

# Tells each request for a passkey, and how the ones behind the field end.
WATCH = """
const notice = (kind, words) => console.debug("door", kind, words);
const { create, get } = CredentialsContainer.prototype;
CredentialsContainer.prototype.create = function (options) {
  const { hints, authenticatorSelection } = options.publicKey;
  notice("create", [...hints, authenticatorSelection.authenticatorAttachment].join(" "));
  return create.call(this, options);
};
CredentialsContainer.prototype.get = function (options) {
  const challenge = new Uint8Array(options.publicKey.challenge).join();
  const waits = options.mediation === "conditional";
  notice(waits ? "waits" : "get", challenge);
  const answer = get.call(this, options);
  if (waits) {
    answer.then(() => notice("chosen", challenge), ({ name }) => notice(name, challenge));
  }
  return answer;
};
"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
XIAOMI = (
    "Mozilla/5.0 (Linux; Android 12; Redmi Note 11) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)
INSTAGRAM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Instagram 337.0.3.23.54 (iPhone14,5; iOS 17_5_1)"
)
WAYS = {
    "This device": ("client-device", "platform", "internal"),
    "Another phone (QR)": ("hybrid", "cross-platform", "cable"),
    "Security key": ("security-key", "cross-platform", "usb"),
}
PATIENCE = 60_000  # milliseconds; a busy machine is no failure
NewContext = Callable[..., BrowserContext]


class Door:
    """Somebody before the front door, and what their browser was asked."""

    def __init__(self, page: Page, origin: str, **options: Any) -> None:
        self.page = page
        self.origin = origin
        self.passkeys = VirtualPasskeys(page, **options)
        self.noticed: list[tuple[str, str]] = []
        self.begun: list[Request] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.add_init_script(WATCH)
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        mark, _space, rest = message.text.partition(" ")
        if mark == "door":
            kind, _space, words = rest.partition(" ")
            self.noticed.append((kind, words))

    def _see(self, request: Request) -> None:
        if request.url.endswith("/begin"):
            self.begun.append(request)

    def come(self, path: str = "/") -> None:
        self.page.goto(f"{self.origin}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def freeze(self) -> None:
        """Let no timer of the page run by itself."""
        self.page.clock.install(time=0)
        self.page.clock.pause_at(1)

    def kinds(self) -> list[str]:
        return [kind for kind, _words in self.noticed]

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Let the browser go on until this is true, or until patience ends."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not is_true() and time.monotonic() < deadline:
            self.page.evaluate("0")

    def wait_for(self, *kinds: str) -> None:
        """Wait until the browser was asked exactly this, in this order."""
        self.wait_until(lambda: self.kinds() == list(kinds))
        assert self.kinds() == list(kinds)

    @property
    def field(self) -> Any:
        return self.page.get_by_label("Or pick a passkey here")

    def focus_field(self) -> None:
        expect(self.field).to_be_visible()
        self.field.focus()

    @property
    def sign_out(self) -> Any:
        return self.page.get_by_role("button", name="Sign out").first


@pytest.fixture
def origin(settings: Any) -> Iterator[str]:
    settings.REGISTRATION_HOOK = "tests.accounts.hooks.open_wallet"
    settings.WEBAUTHN_RP_ID = "localhost"
    settings.CEREMONY_SECONDS = 300
    with serving(settings) as origin:
        yield origin


@pytest.fixture
def door(page: Page, origin: str) -> Door:
    return Door(page, origin)


@pytest.fixture
def returning(door: Door, new_context: NewContext) -> Door:
    """Somebody with a passkey, signed out, whose finger holds still."""
    other = Door(new_context().new_page(), door.origin)
    other.come()
    other.press("Create a wallet")
    other.page.wait_for_url("**/opened/**")
    door.passkeys.bring(other.passkeys.all())
    door.passkeys.hold_still()
    return door


def rows() -> tuple[int, int, int]:
    return User.objects.count(), Credential.objects.count(), Safe.objects.count()


# --- Other devices -----------------------------------------------------------------------


@pytest.mark.parametrize("name", WAYS)
def test_a_wallet_is_created_with_the_device_that_was_named(
    name: str, page: Page, origin: str
) -> None:
    hint, attachment, transport = WAYS[name]
    door = Door(page, origin, transport=transport)
    door.come()
    if transport == "internal":  # else the page has unfolded them by itself
        page.get_by_text("Use another device").click()
    ways = page.get_by_role("group", name="Create a wallet with")

    ways.get_by_role("button", name=name, exact=True).click()

    page.wait_for_url("**/opened/**")
    assert door.noticed == [("create", f"{hint} {attachment}")]
    assert parse_qs(door.begun[0].post_data or "")["hint"] == [hint]
    assert Credential.objects.count() == 1


@pytest.mark.thorough
@pytest.mark.parametrize("name", WAYS)
def test_one_signs_in_with_the_device_that_was_named(
    name: str, returning: Door
) -> None:
    hint, _attachment, _transport = WAYS[name]
    returning.freeze()
    returning.come()
    returning.page.get_by_text("Use another device").click()
    ways = returning.page.get_by_role("group", name="Sign in with")

    with returning.page.expect_response("**/begin") as caught:
        ways.get_by_role("button", name=name, exact=True).click()

    assert caught.value.json()["hints"] == [hint]
    assert parse_qs(returning.begun[0].post_data or "")["hint"] == [hint]


def test_the_two_buttons_ask_for_no_kind_of_device(door: Door) -> None:
    door.come()
    door.press("Create a wallet")
    door.page.wait_for_url("**/opened/**")

    assert door.noticed == [("create", "")]
    assert "hint" not in parse_qs(door.begun[0].post_data or "")


@pytest.mark.parametrize("size", [(390, 844), (360, 640), (1280, 800)], ids=str)
def test_both_buttons_are_there_without_scrolling(
    size: tuple[int, int], door: Door
) -> None:
    door.page.set_viewport_size({"width": size[0], "height": size[1]})
    door.come()

    for name in ("Create a wallet", "Sign in with passkey"):
        button = door.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_in_viewport(ratio=1)
    expect(door.page.get_by_role("button", name="Security key").first).to_be_hidden()


# --- What stands in the way --------------------------------------------------------------


def test_inside_an_app_without_passkeys_nothing_is_begun(
    new_context: NewContext, origin: str
) -> None:
    page = new_context(user_agent=INSTAGRAM).new_page()
    page.add_init_script("delete window.PublicKeyCredential;")
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url))

    page.goto(f"{origin}/?next=/passkeys/")

    expect(page.locator("[data-advice]")).to_contain_text(
        "This page is open inside Instagram, which has no passkeys. Open this page in "
        "your browser"
    )
    copy = page.get_by_role("button", name="Copy the address")
    expect(copy).to_have_attribute("data-copy", f"{origin}/?next=/passkeys/")
    page.get_by_role("button", name="Create a wallet").click()
    expect(page.get_by_role("alert")).to_contain_text("open inside Instagram")
    assert not any(url.endswith("/begin") for url in begun)


def test_inside_an_app_that_may_have_passkeys_one_is_warned_and_may_try(
    new_context: NewContext, origin: str
) -> None:
    door = Door(new_context(user_agent=INSTAGRAM).new_page(), origin)
    door.come()
    expect(door.page.locator("[data-advice]")).to_contain_text("often do not work")

    door.press("Create a wallet")

    door.page.wait_for_url("**/opened/**")


def test_an_ordinary_browser_is_told_nothing(door: Door) -> None:
    door.come()
    expect(door.field).to_be_visible()  # the page's scripts have run

    assert door.page.evaluate(
        "PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()"
    )
    expect(door.page.locator("[data-advice]")).to_be_hidden()
    expect(door.page.locator("[data-other-ways]")).not_to_have_attribute("open", "")


def test_a_device_without_passkeys_of_its_own_offers_others_first(
    page: Page, origin: str
) -> None:
    door = Door(page, origin, transport="usb")
    door.come()

    expect(page.locator("[data-advice]")).to_contain_text(
        "Use another phone by QR code"
    )
    expect(page.get_by_role("button", name="Copy the address")).to_be_hidden()
    ways = page.get_by_role("group", name="Create a wallet with")
    expect(ways.get_by_role("button")).to_have_text(
        ["Another phone (QR)", "Security key", "This device"]
    )
    door.press("Create a wallet")
    page.wait_for_url("**/opened/**")


@pytest.mark.parametrize(
    "failure", ["NotAllowedError", "NotSupportedError", "ConstraintError"]
)
def test_a_phone_that_cannot_make_it_is_told_why_and_nothing_is_half_made(
    failure: str, new_context: NewContext, origin: str
) -> None:
    door = Door(new_context(user_agent=XIAOMI).new_page(), origin)
    before = rows()
    door.come()
    door.page.evaluate(
        """(name) => {
          CredentialsContainer.prototype.create = () =>
            Promise.reject(new DOMException("technical", name));
        }""",
        failure,
    )

    door.press("Create a wallet")

    alert = door.page.get_by_role("alert")
    expect(alert).to_contain_text(
        "Some phones of Xiaomi cannot make the kind of passkey"
    )
    expect(alert).to_contain_text("another phone by QR code, or a security key")
    expect(door.page.get_by_role("button", name="Security key").first).to_be_visible()
    assert rows() == before == (0, 0, 0)


def test_a_key_of_another_kind_is_not_sent_and_nothing_is_half_made(door: Door) -> None:
    """C-02"""
    # Else the passkey made in vain would be picked by itself in the field.
    door.page.add_init_script(
        "delete window.PublicKeyCredential.isConditionalMediationAvailable"
    )
    door.come()
    door.page.evaluate(
        "() => { AuthenticatorAttestationResponse.prototype.getPublicKeyAlgorithm"
        " = () => -257; }"
    )
    posted: list[str] = []
    door.page.on("request", lambda request: posted.append(request.url))

    door.press("Create a wallet")

    expect(door.page.get_by_role("alert")).to_contain_text(
        "(ES256). Nothing was changed"
    )
    assert not any(url.endswith("/finish") for url in posted)
    assert rows() == (0, 0, 0)


# --- A sign-in that waits ----------------------------------------------------------------


def test_picking_a_passkey_in_the_field_signs_in(returning: Door) -> None:
    returning.passkeys.hold_still(False)
    returning.come("/?next=/help/")

    returning.focus_field()

    returning.page.wait_for_url(f"{returning.origin}/help/")
    assert returning.kinds()[:1] == ["waits"]
    assert len(returning.begun) == 1
    assert not Ceremony.objects.exists()
    assert Credential.objects.get().last_used_at is not None


def test_it_begins_by_itself_after_a_moment(returning: Door) -> None:
    returning.freeze()
    returning.come()
    expect(returning.field).to_be_visible()
    assert returning.begun == []

    returning.page.clock.fast_forward(2_000)

    returning.wait_for("waits")
    assert len(returning.begun) == 1


def test_whoever_presses_a_button_at_once_begins_one_ceremony(returning: Door) -> None:
    returning.passkeys.hold_still(False)
    returning.freeze()
    returning.come()
    expect(returning.field).to_be_visible()

    returning.press("Sign in with passkey")

    expect(returning.sign_out).to_be_visible()
    assert len(returning.begun) == 1


@pytest.mark.thorough
def test_it_ends_before_a_wallet_is_created(returning: Door) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")
    returning.passkeys.hold_still(False)

    returning.press("Create a wallet")

    returning.page.wait_for_url("**/opened/**")
    assert returning.kinds() == ["waits", "AbortError", "create"]


@pytest.mark.thorough
def test_it_ends_before_the_button_signs_in(returning: Door) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")
    returning.passkeys.hold_still(False)

    returning.press("Sign in with passkey")

    expect(returning.sign_out).to_be_visible()
    assert returning.kinds() == ["waits", "AbortError", "get"]


@pytest.mark.thorough
def test_without_that_end_the_browser_would_refuse_the_form(returning: Door) -> None:
    """What the tests above would see if nothing ended."""
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")

    refused = returning.page.evaluate(
        """() => navigator.credentials.get({ publicKey: { challenge: new Uint8Array(64) } })
          .catch((error) => error.name)"""
    )

    assert refused == "OperationError"


@pytest.mark.thorough
def test_after_a_failure_it_begins_again_and_nothing_is_said_of_it(
    returning: Door,
) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")
    returning.page.route("**/begin", lambda route: route.fulfill(status=500), times=1)

    returning.press("Sign in with passkey")

    expect(returning.page.get_by_role("alert")).to_contain_text("could not begin")
    returning.wait_for("waits", "AbortError", "waits")
    assert returning.page.get_by_role("alert").count() == 1


@pytest.mark.thorough
def test_a_form_that_asks_waits_for_a_begin_that_is_under_way(returning: Door) -> None:
    """Two begins at once would each open a session, and one of them would be lost."""
    held: list[Any] = []
    returning.page.route("**/begin", lambda route: held.append(route), times=1)
    returning.come()
    with returning.page.expect_request("**/begin"):
        returning.focus_field()
    returning.passkeys.hold_still(False)

    returning.press("Sign in with passkey")
    assert len(returning.begun) == 1
    held[0].continue_()

    expect(returning.sign_out).to_be_visible()
    assert returning.kinds() == ["get"]


@pytest.mark.thorough
def test_it_is_renewed_before_its_challenge_expires(returning: Door) -> None:
    returning.freeze()
    returning.come()
    expect(returning.field).to_be_visible()
    returning.page.clock.fast_forward(2_000)
    returning.wait_for("waits")

    returning.page.clock.fast_forward(269_000)
    assert returning.kinds() == ["waits"]
    returning.page.clock.fast_forward(1_000)

    returning.wait_for("waits", "AbortError", "waits")
    first, _end, second = (challenge for _kind, challenge in returning.noticed)
    assert first != second


@pytest.mark.thorough
def test_it_stops_while_nobody_looks(returning: Door) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")

    returning.page.evaluate(HIDE, True)
    returning.wait_for("waits", "AbortError")
    returning.page.evaluate(HIDE, False)

    returning.wait_for("waits", "AbortError", "waits")


def test_it_never_runs_twice(returning: Door) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")

    for _ in range(5):
        returning.page.evaluate(HIDE, True)
        returning.page.evaluate(HIDE, False)
        returning.field.blur()
        returning.field.focus()
    returning.page.evaluate(HIDE, True)
    returning.wait_until(lambda: returning.kinds()[-1] == "AbortError")

    kinds = returning.kinds()
    assert len(kinds) >= 2
    assert kinds == ["waits", "AbortError"] * (len(kinds) // 2)


def test_enter_in_the_field_signs_in_as_the_button_does(returning: Door) -> None:
    returning.come()
    returning.focus_field()
    returning.wait_for("waits")
    returning.passkeys.hold_still(False)

    returning.page.keyboard.press("Enter")

    expect(returning.sign_out).to_be_visible()
    assert returning.kinds() == ["waits", "AbortError", "get"]


def test_a_browser_without_autofill_shows_no_field(door: Door) -> None:
    door.page.add_init_script(
        "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
    )
    door.freeze()
    door.come()
    door.page.clock.fast_forward(10_000)

    expect(door.page.locator("[data-passkey-field]")).to_be_hidden()
    assert door.begun == []


@pytest.mark.thorough
def test_it_waits_on_the_operators_page_but_not_for_who_is_signed_in(
    returning: Door,
) -> None:
    returning.come("/admin/login/")
    returning.focus_field()
    returning.wait_for("waits")
    returning.passkeys.hold_still(False)
    returning.press("Sign in with passkey")
    expect(returning.sign_out).to_be_visible()
    returning.come("/admin/login/")

    expect(returning.page.get_by_text("who is not an operator")).to_be_visible()
    expect(returning.page.locator("[data-passkey-field]")).to_have_count(0)
    assert len(returning.begun) == 2
