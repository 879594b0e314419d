"""Rules that hold for every address of the site, taken from the urlconf itself.

A new address fails here until it has a rule of its own in one of the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from onchain.models import (
    AccountLookup,
    JournalEntry,
    KeyProof,
    RelayerTransaction,
    UserOperation,
)
from tests.factories import make_operator
from tests.processes import PRODUCTION, run
from tests.wallets import Status, Wallet, make_operation, make_wallet

pytestmark = pytest.mark.django_db

# Pages of an account or an operation, by URL name, with the one method they take.
PAGES = {
    "safe-detail": "GET",
    "activity": "GET",
    "settings": "GET",
    "send": "GET",
    "receive": "GET",
    "operation": "GET",
    "faucet": "POST",
    "configuration-acknowledge": "POST",
    "account-lookup": "GET",
    "withdraw": "POST",
    "prepare-again": "POST",
    "only-key-later": "POST",
    "only-key-acknowledge": "POST",
    "only-key-undo": "POST",
    "passkey-rename": "POST",
    "passkey-remove": "GET",
    "passkey-removal-finish": "POST",
    "passkey-accounts": "GET",
    "add-to-accounts": "POST",
}
FRAGMENTS = {
    "safe-overview": "GET",
    "safe-activity": "GET",
    "safe-deploy-yourself": "GET",
    "receive-card": "GET",
    "prove": "POST",
    "operation-card": "GET",
    "sign": "POST",
    "passkey-accounts-card": "GET",
    "prove-passkey": "POST",
    "account-lookup-card": "GET",
    "account-lookup-prove": "POST",
}
OWNED = PAGES | FRAGMENTS
OF_OPERATION = {
    *("operation", "operation-card", "sign", "withdraw", "prepare-again"),
}
OF_PASSKEY = {
    *("passkey-rename", "passkey-remove", "passkey-removal-finish"),
    *("passkey-accounts", "passkey-accounts-card", "prove-passkey", "add-to-accounts"),
}
OF_LOOKUP = {"account-lookup", "account-lookup-card", "account-lookup-prove"}
# Pages of the signed-in person: the address names nobody, so there is no stranger.
PERSONAL = {
    "passkeys": "GET",
    "passkeys-export": "GET",
    "security-events": "GET",
    "email-change": "POST",
    "email-link": "POST",
    "email-cancel": "POST",
    "email-remove": "POST",
    "email-keep": "POST",
    "onchain:account-new": "GET",
    "onchain:account-add": "GET",
}
# Everybody may ask for these: name to method and to what a stranger gets.
PUBLIC = {
    "home": ("GET", 200),
    "help": ("GET", 200),
    "health": ("GET", 500),  # its threads see no row of a test's transaction
    "metrics": ("GET", 404),  # for operators and a monitor: tests/test_metrics.py
    "enrolment": ("GET", 200),
    "registration-begin": ("POST", 200),
    "registration-finish": ("POST", 400),
    "authentication-begin": ("POST", 200),
    "authentication-finish": ("POST", 400),
    "step-up-begin": ("POST", 401),
    "enrolment-begin": ("POST", 410),
    "enrolment-finish": ("POST", 400),
    "email-verify": ("GET", 200),
    "email-confirm": ("POST", 410),
    "sign-out": ("POST", 303),
    "passkey-add": ("POST", 302),
    "addition-finish": ("POST", 302),
    "session": ("GET", 401),
    "session-extend": ("POST", 401),
    "session-end": ("POST", 302),
    "session-end-others": ("POST", 302),
}
OTHER_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
# A new token for each answer, and a second that may pass between two of them.
CHANGING = re.compile(
    r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": |data-(?:seconds-left|ends-in)=)"[^"]+"'
)


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return every pattern with its name, namespaces included."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from patterns(entry, inner)
        elif isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", str(entry.pattern)


NAMES = {name for name, _pattern in patterns(get_resolver())}
ADMIN_NAMES = sorted(name for name in NAMES if name.startswith("admin:"))


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


@pytest.fixture
def bob() -> Wallet:
    return make_wallet()


def passkey_url(name: str, pk: int) -> str:
    """Return an address about one passkey; accounts and onchain share them."""
    prefix = "onchain:" if f"onchain:{name}" in NAMES else ""
    return reverse(f"{prefix}{name}", args=[pk])


def lookup_url(name: str, pk: int) -> str:
    """Return an address about one question."""
    return reverse(f"onchain:{name}", args=[pk])


def make_lookup(wallet: Wallet) -> AccountLookup:
    """Return a person's question about an account."""
    lookup, _created = AccountLookup.objects.get_or_create(
        user=wallet.user,
        chain=wallet.safe.chain,
        address=b"\xac" * 20,
        defaults={
            "asked_at": timezone.now(),
            "status": AccountLookup.Status.REFUSED,
            "failure_code": "no-code",
        },
    )
    return lookup


def own_url(wallet: Wallet, name: str) -> str:
    """Return an address that this person may use, with the rows it needs."""
    if name in OF_PASSKEY:
        return passkey_url(name, wallet.user.credentials.get().pk)
    if name in OF_LOOKUP:
        return lookup_url(name, make_lookup(wallet).pk)
    if name not in OF_OPERATION:
        return wallet.url(name)
    state = Status.REJECTED if name == "prepare-again" else Status.AWAITING_SIGNATURES
    op = make_operation(wallet, state, failure_code="bundler-refused")
    return reverse(f"onchain:{name}", args=[op.pk])


def unknown_urls(name: str, wallet: Wallet) -> list[str]:
    """Return addresses of nothing: no such account, chain or operation."""
    if name in OF_PASSKEY:
        return [passkey_url(name, pk) for pk in (10**6, 0, 10**40)]
    if name in OF_OPERATION | OF_LOOKUP:
        return [reverse(f"onchain:{name}", args=[pk]) for pk in (10**6, 0, 10**40)]
    address = wallet.safe.address_text
    nobody = "0x000000000000000000000000000000000000dEaD"
    places = [(31337, nobody), (1, address), (10**40, address), (0, address)]
    return [reverse(f"onchain:{name}", args=place) for place in places]


def effects() -> list[int]:
    """Count what an address may have changed."""
    models = (UserOperation, RelayerTransaction, KeyProof, JournalEntry)
    unchanged = UserOperation.objects.filter(
        status__in=[Status.AWAITING_SIGNATURES, Status.REJECTED]
    )
    return [*(model.objects.count() for model in models), unchanged.count()]


def without_what_changes(response) -> str:
    return CHANGING.sub("", response.content.decode())


# --- Every address has a rule ----------------------------------------------------------


def test_every_address_of_the_urlconf_has_a_rule():
    ours = {name.removeprefix("onchain:") for name in NAMES - set(ADMIN_NAMES)}

    personal = {name.removeprefix("onchain:") for name in PERSONAL}
    assert ours == OWNED.keys() | personal | PUBLIC.keys()


def test_every_path_with_an_account_or_an_operation_is_an_owned_one():
    owned = {
        name for name, pattern in patterns(get_resolver()) if "<" in pattern
    } - set(ADMIN_NAMES)

    assert {name.removeprefix("onchain:") for name in owned} == OWNED.keys()


# --- Owner, stranger, nobody -----------------------------------------------------------


@pytest.mark.parametrize("name", OWNED)
def test_the_owner_gets_an_answer(name, alice):
    response = alice.client.generic(OWNED[name], own_url(alice, name))

    assert response.status_code in {200, 302, 400, 422}


@pytest.mark.parametrize("name", OWNED)
def test_a_stranger_sees_404_as_for_what_does_not_exist(name, alice, bob):
    theirs = own_url(alice, name)
    before = effects()

    foreign = bob.client.generic(OWNED[name], theirs)
    missing = [
        bob.client.generic(OWNED[name], url) for url in unknown_urls(name, alice)
    ]

    assert foreign.status_code == 404
    for response in missing:
        assert response.status_code == 404
        assert without_what_changes(response) == without_what_changes(foreign)
    assert effects() == before


@pytest.mark.parametrize("name", PAGES)
def test_signed_out_a_page_leads_home_whether_or_not_it_exists(name, alice):
    before = effects()

    for url in [own_url(alice, name), *unknown_urls(name, alice)]:
        response = Client().generic(PAGES[name], url)

        assert response.status_code == 302
        assert response["Location"].startswith(f"{reverse('home')}?next=/")
        assert response.cookies == {}
    assert effects()[1:-1] == before[1:-1]


@pytest.mark.parametrize("name", PAGES)
def test_after_signing_in_one_lands_on_a_page_that_opens(name, alice):
    location = Client().generic(PAGES[name], own_url(alice, name))["Location"]

    after = parse_qs(urlsplit(location).query)["next"][0]
    assert alice.client.get(after).status_code == 200


@pytest.mark.parametrize("name", FRAGMENTS)
def test_signed_out_a_fragment_says_401_whether_or_not_it_exists(name, alice):
    for url in [own_url(alice, name), *unknown_urls(name, alice)]:
        response = Client().generic(FRAGMENTS[name], url)

        assert response.status_code == 401
        assert response["HX-Redirect"] == reverse("home")
        assert response.content == b""
        assert response.cookies == {}


@pytest.mark.parametrize("name", OWNED)
def test_an_operator_sees_no_more_than_a_stranger(name, alice):
    client = Client()
    client.force_login(make_operator())

    response = client.generic(OWNED[name], own_url(alice, name))

    assert response.status_code == 404


@pytest.mark.parametrize("name", PERSONAL)
def test_everybody_signed_in_gets_their_own_page(name, alice):
    operator = Client()
    operator.force_login(make_operator())

    for client in (alice.client, operator):
        response = client.generic(PERSONAL[name], reverse(name))

        assert response.status_code in {200, 302, 303, 400, 403, 422}


@pytest.mark.parametrize("name", PERSONAL)
def test_signed_out_a_page_of_ones_own_leads_home(name):
    response = Client().generic(PERSONAL[name], reverse(name))

    assert response.status_code == 302
    assert response["Location"].startswith(f"{reverse('home')}?next=/")
    assert response.cookies == {}


# --- Methods and tokens ----------------------------------------------------------------


@pytest.mark.parametrize("name", OWNED)
def test_any_other_method_is_refused_and_does_nothing(name, alice):
    url = own_url(alice, name)
    before = effects()
    allowed = {OWNED[name]} | ({"POST"} if name == "send" else set())

    for method in set(OTHER_METHODS) - allowed:
        assert alice.client.generic(method, url).status_code == 405, method
    assert effects() == before


@pytest.mark.parametrize("name", PERSONAL)
def test_any_other_method_of_a_page_of_ones_own_is_refused(name, alice):
    has_form = name.startswith("onchain:")
    for method in set(OTHER_METHODS) - {PERSONAL[name], "POST" if has_form else ""}:
        assert alice.client.generic(method, reverse(name)).status_code == 405, method


@pytest.mark.parametrize("name", PUBLIC)
def test_any_other_method_of_a_public_address_is_refused(name, alice):
    method, _status = PUBLIC[name]

    for other in set(OTHER_METHODS) - {method}:
        assert Client().generic(other, reverse(name)).status_code == 405, other


@pytest.mark.parametrize("name", ["home", "help", "health", "metrics", "enrolment"])
def test_a_monitor_may_ask_for_the_head_of_a_public_page(name, alice):
    response = Client().head(reverse(name))

    assert response.status_code == PUBLIC[name][1]


@pytest.mark.parametrize(
    "name", [name for name, method in OWNED.items() if method == "POST"] + ["send"]
)
def test_a_post_without_its_csrf_token_is_forbidden(name, alice):
    client = Client(enforce_csrf_checks=True)
    client.cookies = alice.client.cookies
    url = own_url(alice, name)
    before = effects()

    response = client.post(url, {"credential": "{}"})

    assert response.status_code == 403
    assert effects() == before


# --- What may stand in an address ------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [name for name in OWNED if name not in OF_OPERATION | OF_PASSKEY | OF_LOOKUP],
)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[:-1], id="short"),
        pytest.param(lambda text: text + "0", id="long"),
        pytest.param(lambda text: text[2:], id="no-0x"),
        pytest.param(lambda text: "0x" + text[2:].swapcase(), id="checksum"),
        pytest.param(lambda text: text[:-1] + "g", id="not-hex"),
        pytest.param(lambda text: text[:-1] + "%00", id="nul"),
        pytest.param(lambda text: text[:-1] + "%0a", id="line-feed"),
        pytest.param(lambda text: text[:-3] + "%EF%BC%90", id="full-width-digit"),
        pytest.param(lambda text: text[:-1] + "%ff", id="not-utf-8"),
        pytest.param(lambda text: "%2e%2e%2f" + text, id="dots"),
        pytest.param(lambda text: "'%20OR%201=1--", id="sql"),
        pytest.param(lambda text: "0x", id="nothing"),
        pytest.param(lambda text: "0x" + "a" * 5_000, id="5,000-characters"),
    ],
)
def test_a_bad_address_is_404(name, change, alice):
    url = alice.url(name)
    text = alice.safe.address_text

    response = alice.client.generic(OWNED[name], url.replace(text, change(text)))

    assert response.status_code == 404


@pytest.mark.parametrize(
    "chain", ["-1", "31337.0", "0x7a69", "%D9%A3", "9" * 5_000, "31337%00"]
)
def test_a_bad_chain_is_404(chain, alice):
    url = alice.url("safe-detail").replace("/31337/", f"/{chain}/")

    assert alice.client.get(url).status_code == 404


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_an_address_without_a_checksum_is_the_same_account(spelling, alice):
    text = alice.safe.address_text
    url = alice.url("safe-detail").replace(text, "0x" + spelling(text[2:]))

    response = alice.client.get(url)

    assert response.status_code == 200
    assert response.context["safe"] == alice.safe


@pytest.mark.parametrize("query", ["page=%00", "page=9" * 60, "page=-1", "page=1e9"])
def test_a_bad_page_number_shows_some_page(query, alice):
    assert alice.client.get(f"{alice.url('activity')}?{query}").status_code == 200


@pytest.mark.parametrize("source", ["", "0", "x", "%00", "9" * 18, "9" * 99, "-1"])
def test_a_bad_source_of_a_payment_prefills_nothing(source, alice):
    response = alice.client.get(f"{alice.url('send')}?from={source}")

    assert response.status_code == 200
    assert response.context["form"]["recipient"].value() is None


# --- What only the local chain has (R70) -----------------------------------------------

WHERE_IS_THE_FAUCET = """
import django; django.setup()
from django.conf import settings
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
address = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
try:
    print(settings.LOCAL_CHAIN, reverse("onchain:faucet", args=[1, address]))
except NoReverseMatch:
    print(settings.LOCAL_CHAIN, "no name")
try:
    resolve(f"/safes/{settings.CHAIN_ID}/{address}/test-eth")
    print("routed")
except Resolver404:
    print("not routed")
"""


@pytest.mark.parametrize(
    ("environment", "is_there"),
    [
        pytest.param({"SITE_MODE": "local", "CHAIN_ID": "31337"}, True, id="local"),
        pytest.param(
            PRODUCTION | {"SITE_MODE": "local", "NODE_URL": "http://127.0.0.1:8545"},
            False,
            id="public-chain",
        ),
        pytest.param(
            {"SITE_MODE": "local", "NODE_URL": "http://192.0.2.1:8545"},
            False,
            id="another-machines-node",
        ),
        pytest.param(PRODUCTION, False, id="production"),
        pytest.param(
            PRODUCTION | {"CHAIN_ID": "31337", "NODE_URL": "http://127.0.0.1:8545"},
            False,
            id="production-with-a-local-chain",
        ),
    ],
)
def test_test_eth_has_an_address_on_the_local_chain_only(
    environment, is_there, tmp_path
):
    output = run(WHERE_IS_THE_FAUCET, VAR_DIR=str(tmp_path), **environment).stdout

    is_local, address, routed = output.replace("no name", "nowhere").split(maxsplit=2)
    assert is_local == str(is_there)
    assert ("/test-eth" in address) is is_there
    assert routed.strip() == ("routed" if is_there else "not routed")
