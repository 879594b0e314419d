"""Rules that hold for every address of the site, taken from the urlconf itself.

A new address fails here until it has a rule of its own in one of the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from onchain.models import (
    AccountLookup,
    JournalEntry,
    KeyProof,
    Membership,
    RelayerTransaction,
    Role,
    UserOperation,
)
from tests import claims, drills
from tests.factories import make_operator
from tests.processes import PRODUCTION, run
from tests.undoing import undone
from tests.wallets import (
    Status,
    Wallet,
    join,
    make_formation,
    make_invitation,
    make_operation,
    make_wallet,
)

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
    "queue": "GET",
    "remind": "POST",
    "send-now": "POST",
    "cancel": "POST",
    "contacts": "GET",
    "second-way": "GET",
    "contact-add": "POST",
    "contact-rename": "POST",
    "contact-remove": "POST",
    "contacts-import": "POST",
    "contacts-export": "GET",
    "account-rename": "POST",
    "only-key-later": "POST",
    "only-key-acknowledge": "POST",
    "only-key-undo": "POST",
    "passkey-rename": "POST",
    "passkey-remove": "GET",
    "passkey-removal-finish": "POST",
    "passkey-accounts": "GET",
    "add-to-accounts": "POST",
    "wallet-owner": "GET",
    "wallet-owner-add": "POST",
}
FRAGMENTS = {
    "safe-overview": "GET",
    "safe-activity": "GET",
    "safe-deploy-yourself": "GET",
    "receive-card": "GET",
    "prove": "POST",
    "operation-card": "GET",
    "sign": "POST",
    "sign-with-wallet": "POST",
    "wallet-owner-card": "GET",
    "wallet-owner-prove": "POST",
    "passkey-accounts-card": "GET",
    "prove-passkey": "POST",
    "account-lookup-card": "GET",
    "account-lookup-prove": "POST",
}
PAGES |= {
    "owners": "GET",
    "owner-remove": "GET",
    "owner-replace": "GET",
    "owner-threshold": "GET",
    "configuration-remove": "POST",
    "invite": "GET",
    "invited": "GET",
    "invited-confirm": "POST",
    "invited-add": "POST",
    "invited-revoke": "POST",
    "membership-end": "POST",
    "membership-leave": "POST",
    "invitation": "GET",
    "invitation-wallet": "GET",
    "invitation-wallet-accept": "POST",
    "formation": "GET",
    "formation-change": "POST",
    "formation-cancel": "POST",
    "formation-link": "POST",
    "recovery": "GET",
    "recovery-kit": "GET",
    "loss-plan": "GET",
    "alert-contacts": "GET",
    "alert-contact-add": "POST",
    "alert-contact-remove": "POST",
    "recovered": "GET",
    "recovered-done": "POST",
    "recovery-nickname": "GET",
    "recovery-nickname-choose": "POST",
    "recovery-nickname-remove": "POST",
    "recovery-set-up": "GET",
    "recovery-end": "POST",
    "recovery-cancel": "POST",
    "guardian-add": "GET",
    "guardian-revoke": "GET",
    "guardian-threshold": "GET",
    "guardian-wallet": "GET",
    "guardian-passkey": "GET",
    "guardian-passkey-prove": "POST",
    "guardian-wallet-prove": "POST",
}
FRAGMENTS |= {
    "loss-plan-card": "GET",
    "invited-card": "GET",
    "invitation-card": "GET",
    "invitation-accept": "POST",
    "formation-card": "GET",
    "formation-confirm": "POST",
    "formation-prove": "POST",
}
PAGES |= {
    "recovery-claim": "GET",
    "recovery-claim-prove": "POST",
    "recovery-claim-prove-wallet": "POST",
    "recovery-claim-ask": "POST",
    "recovery-claim-add": "POST",
    "recovery-claim-link": "POST",
    "recovery-claim-finish": "POST",
    "recovery-claim-withdraw": "POST",
    "guardian-claim": "GET",
    "guardian-approve": "POST",
    "guardian-approve-wallet": "POST",
    "drill-start": "POST",
    "drill-end": "POST",
    "drill-link": "POST",
    "guardian-drill": "GET",
    "guardian-drill-answer": "POST",
    "guardian-drill-answer-wallet": "POST",
}
FRAGMENTS |= {"guardian-checks": "GET"}
FRAGMENTS |= {"recovery-claim-card": "GET", "guardian-claim-card": "GET"}
FRAGMENTS |= {"drill-card": "GET", "guardian-drill-card": "GET"}
OWNED = PAGES | FRAGMENTS
OF_OPERATION = {
    *("operation", "operation-card", "sign", "withdraw", "prepare-again"),
    *("remind", "send-now", "cancel", "sign-with-wallet"),
}
OF_PASSKEY = {
    *("passkey-rename", "passkey-remove", "passkey-removal-finish"),
    *("passkey-accounts", "passkey-accounts-card", "prove-passkey", "add-to-accounts"),
}
OF_LOOKUP = {"account-lookup", "account-lookup-card", "account-lookup-prove"}
# An invitation as its guest sees it, and, below an account, as its owners do.
OF_INVITATION = {
    *("invitation", "invitation-card", "invitation-accept"),
    *("invitation-wallet", "invitation-wallet-accept"),
}
OF_INVITED = {
    *("invited", "invited-card", "invited-confirm", "invited-add", "invited-revoke"),
}
OF_FORMATION = {
    *("formation", "formation-card", "formation-confirm", "formation-prove"),
    *("formation-change", "formation-cancel", "formation-link"),
}
OF_CLAIM = {
    *("recovery-claim", "recovery-claim-card", "recovery-claim-prove"),
    *("recovery-claim-ask", "recovery-claim-link", "recovery-claim-finish"),
    *("recovery-claim-withdraw", "recovery-claim-prove-wallet", "recovery-claim-add"),
}
OF_GUARDIAN = {
    *("guardian-claim", "guardian-claim-card"),
    *("guardian-approve", "guardian-approve-wallet"),
}
OF_DRILL = {
    *("guardian-drill", "guardian-drill-card"),
    *("guardian-drill-answer", "guardian-drill-answer-wallet"),
}
OF_RECOVERED = {"recovered", "recovered-done"}
OF_PERSON = OF_PASSKEY | OF_LOOKUP | OF_INVITATION | OF_FORMATION | OF_CLAIM
OF_PERSON |= OF_GUARDIAN | OF_DRILL
WITHIN_ACCOUNT = OF_INVITED | {"membership-end"}
# Which take POST as well.
HAVE_FORM = {"send", "invite", "owner-remove", "owner-replace", "owner-threshold"}
HAVE_FORM |= {"recovery-set-up", "guardian-add", "guardian-revoke"}
HAVE_FORM |= {"guardian-threshold"}
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
    "onchain:account-first": "POST",
    "onchain:account-shared": "GET",
    "onchain:account-new": "GET",
    "onchain:account-add": "GET",
    "onchain:guardian-inbox": "GET",
    "onchain:recover-wallet": "GET",
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
    "alert-link": ("GET", 200),
    "alert-agree": ("POST", 410),
    "alert-decline": ("POST", 410),
    "onchain:invitation-link": ("GET", 200),
    "onchain:invitation-open": ("POST", 410),
    "onchain:recover": ("GET", 200),
    "onchain:recover-card": ("GET", 422),
    "onchain:recover-nickname": ("GET", 302),
    "onchain:recover-begin": ("POST", 302),
    "onchain:guardian-link": ("GET", 200),
    "onchain:guardian-open": ("POST", 410),
    "onchain:guardian-drill-link": ("GET", 200),
    "onchain:guardian-drill-open": ("POST", 410),
    "sign-out": ("POST", 303),
    "passkey-add": ("POST", 302),
    "addition-finish": ("POST", 302),
    "session": ("GET", 401),
    "session-extend": ("POST", 401),
    "session-end": ("POST", 302),
    "session-end-others": ("POST", 302),
}
# Of these the address names something, and says nothing of it: whoever asks is led on.
NAMING = {"onchain:recover-nickname": ("anybody",)}
# What the other people of an account may ask for, by URL name; owners may everything.
# Somebody's own passkeys and questions are nobody else's, whatever they are here.
FOR_EVERYBODY = {
    *("safe-detail", "safe-overview", "safe-activity", "safe-deploy-yourself"),
    *("activity", "settings", "receive", "receive-card", "configuration-acknowledge"),
    *("operation", "operation-card", "queue", "contacts", "contacts-export"),
    *("owners", "membership-leave", "recovery", "recovery-kit", "drill-card"),
    *("loss-plan", "loss-plan-card"),
}
FOR_SIGNERS = {"prove", "sign", "remind", "send-now"}  # owners and approvers
FOR_OWNERS = {
    *("send", "faucet", "withdraw", "prepare-again", "cancel"),
    *("contact-add", "contact-rename", "contact-remove", "contacts-import"),
    *("account-rename", "second-way"),
    *("only-key-later", "only-key-acknowledge", "only-key-undo"),
    *("wallet-owner", "wallet-owner-card", "wallet-owner-prove", "wallet-owner-add"),
    *("invite", "invited", "invited-card", "invited-confirm", "invited-revoke"),
    *("owner-remove", "owner-replace", "owner-threshold", "configuration-remove"),
    *("alert-contacts", "alert-contact-add", "alert-contact-remove"),
    *("invited-add", "membership-end", "recovery-set-up", "recovery-end"),
    *("guardian-add", "guardian-revoke", "guardian-threshold"),
    *("guardian-wallet", "guardian-wallet-prove", "recovery-nickname"),
    *("recovery-nickname-choose", "recovery-nickname-remove"),
    *("drill-start", "drill-end", "drill-link"),
    *("guardian-passkey", "guardian-passkey-prove", "guardian-checks"),
    *("recovered", "recovered-done"),
}
OTHER_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
# A new token for each answer, and a second that may pass between two of them.
CHANGING = re.compile(
    r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": |data-(?:seconds-left|ends-in)=)"[^"]+"'
)
FOR_SIGNERS |= {"sign-with-wallet", "recovery-cancel"}


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


@pytest.fixture
def viewer(alice) -> Wallet:
    return join(alice, Role.VIEWER)


@pytest.fixture
def approver(alice) -> Wallet:
    return join(alice, Role.APPROVER)


def passkey_url(name: str, pk: int) -> str:
    """Return an address about one passkey; accounts and onchain share them."""
    prefix = "onchain:" if f"onchain:{name}" in NAMES else ""
    return reverse(f"{prefix}{name}", args=[pk])


def lookup_url(name: str, pk: int) -> str:
    """Return an address about one question."""
    return reverse(f"onchain:{name}", args=[pk])


def end_of(wallet: Wallet) -> int:
    """Return the number of a role that somebody was given on the account."""
    viewer = join(wallet, Role.VIEWER)
    return Membership.objects.get(user=viewer.user).pk


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
    if name in OF_INVITATION:
        return lookup_url(name, make_invitation(make_wallet(), guest=wallet).pk)
    if name in OF_FORMATION:
        return lookup_url(name, make_formation(wallet, people=["Bob"]).pk)
    if name in OF_CLAIM:
        # One for all of them: a person begins ten a day.
        claim = wallet.user.recovery_claims.first()
        claim = claim or claims.begun(user=wallet.user, safe=make_wallet().safe)
        return lookup_url(name, claim.pk)
    if name in OF_RECOVERED:
        claims.account_claim(wallet.safe, user=wallet.user, status="done")
        return wallet.url(name)
    if name in OF_GUARDIAN:
        approval = claims.approved_by(wallet.user, safe=make_wallet().safe)
        return lookup_url(name, approval.account_claim_id)
    if name in OF_DRILL:
        answer = drills.drill_answer(make_wallet().safe, user=wallet.user)
        return lookup_url(name, answer.drill_id)
    if name in WITHIN_ACCOUNT:
        pk = make_invitation(wallet).pk if name in OF_INVITED else end_of(wallet)
        place = [wallet.safe.chain.chain_id, wallet.safe.address_text, pk]
        return reverse(f"onchain:{name}", args=place)
    if name not in OF_OPERATION:
        return wallet.url(name)
    state = Status.REJECTED if name == "prepare-again" else Status.AWAITING_SIGNATURES
    op = make_operation(wallet, state, failure_code="bundler-refused")
    return reverse(f"onchain:{name}", args=[op.pk])


def unknown_urls(name: str, wallet: Wallet) -> list[str]:
    """Return addresses of nothing: no such account, chain or operation."""
    if name in OF_PASSKEY:
        return [passkey_url(name, pk) for pk in (10**6, 0, 10**40)]
    if name in OF_OPERATION | OF_PERSON:
        return [reverse(f"onchain:{name}", args=[pk]) for pk in (10**6, 0, 10**40)]
    address = wallet.safe.address_text
    nobody = "0x000000000000000000000000000000000000dEaD"
    places = [(31337, nobody), (1, address), (10**40, address), (0, address)]
    if name in WITHIN_ACCOUNT:
        foreign = make_invitation(make_wallet()).pk
        places = [(*place, foreign) for place in places]
    return [reverse(f"onchain:{name}", args=place) for place in places]


def effects() -> list[int]:
    """Count what an address may have changed."""
    models = (UserOperation, RelayerTransaction, KeyProof, JournalEntry)
    unchanged = UserOperation.objects.filter(
        status__in=[Status.AWAITING_SIGNATURES, Status.REJECTED]
    )
    return [*(model.objects.count() for model in models), unchanged.count()]


def first_of(urls: list[str]) -> list[str]:
    """Return one address of nothing; every one of them is tried in `make check`."""
    return urls[:1]


EVERY = pytest.mark.parametrize(
    "choose",
    [
        pytest.param(first_of, id="one-of-each"),
        pytest.param(list, id="every", marks=pytest.mark.thorough),
    ],
)


def without_what_changes(response) -> str:
    return CHANGING.sub("", response.content.decode())


# --- Every address has a rule ----------------------------------------------------------


def test_every_address_of_the_urlconf_has_a_rule():
    ours = {name.removeprefix("onchain:") for name in NAMES - set(ADMIN_NAMES)}

    personal = {name.removeprefix("onchain:") for name in PERSONAL}
    public = {name.removeprefix("onchain:") for name in PUBLIC}
    assert ours == OWNED.keys() | personal | public


def test_every_path_with_an_account_or_an_operation_is_an_owned_one():
    owned = {
        name for name, pattern in patterns(get_resolver()) if "<" in pattern
    } - set(ADMIN_NAMES)

    owned -= NAMING.keys()
    assert {name.removeprefix("onchain:") for name in owned} == OWNED.keys()


# --- Owner, stranger, nobody -----------------------------------------------------------


def test_the_owner_gets_an_answer(alice):
    wrong = {}
    for name in OWNED:
        with undone():
            response = alice.client.generic(OWNED[name], own_url(alice, name))
        if response.status_code not in {200, 302, 400, 422}:
            wrong[name] = response.status_code

    assert not wrong, wrong


@EVERY
def test_a_stranger_sees_404_as_for_what_does_not_exist(
    choose, alice, bob, subtests, settings
):
    # No page shall say, while this goes on, that a part was not heard of for long.
    settings.COMPONENT_STALE_SECONDS = 3_600
    for name in OWNED:
        with subtests.test(name), undone():
            theirs = own_url(alice, name)
            nothing = choose(unknown_urls(name, alice))
            before = effects()

            foreign = bob.client.generic(OWNED[name], theirs)
            missing = [bob.client.generic(OWNED[name], url) for url in nothing]

            assert foreign.status_code == 404
            for response in missing:
                assert response.status_code == 404
                assert without_what_changes(response) == without_what_changes(foreign)
            assert effects() == before


def test_every_address_of_an_account_says_which_of_its_people_it_is_for():
    tables = [FOR_EVERYBODY, FOR_SIGNERS, FOR_OWNERS, OF_PERSON]

    assert sorted(name for table in tables for name in table) == sorted(OWNED)


@pytest.mark.thorough
def test_a_viewer_gets_what_is_for_everybody_and_words_elsewhere(
    alice, viewer, subtests
):
    for name in OWNED:
        with subtests.test(name):
            url = own_url(alice, name)
            before = effects()

            response = viewer.client.generic(OWNED[name], url)

            if name in FOR_EVERYBODY:
                assert response.status_code in {200, 302, 400, 422}
                assert b"signing-request" not in response.content
            elif name in OF_PERSON:
                assert response.status_code == 404
            else:
                assert response.status_code == 403
                assert "You may look at this account." in response.content.decode()
            assert effects() == before


@pytest.mark.thorough
def test_an_approver_gets_what_is_for_signers_and_words_elsewhere(
    alice, approver, subtests
):
    for name in OWNED:
        with subtests.test(name), undone():
            response = approver.client.generic(OWNED[name], own_url(alice, name))

            if name in FOR_OWNERS:
                assert response.status_code == 403
                assert "You approve what the owners" in response.content.decode()
            elif name in OF_PERSON:
                assert response.status_code == 404
            else:
                assert response.status_code in {200, 302, 400, 422}


@EVERY
def test_signed_out_a_page_leads_home_whether_or_not_it_exists(choose, alice, subtests):
    for name in PAGES:
        with subtests.test(name):
            before = effects()

            nothing = choose(unknown_urls(name, alice))
            for url in [own_url(alice, name), *nothing]:
                response = Client().generic(PAGES[name], url)

                assert response.status_code == 302
                assert response["Location"].startswith(f"{reverse('home')}?next=/")
                assert response.cookies == {}
            assert effects()[1:-1] == before[1:-1]


@pytest.mark.thorough
def test_after_signing_in_one_lands_on_a_page_that_opens(alice):
    wrong = {}
    for name in PAGES:
        with undone():
            location = Client().generic(PAGES[name], own_url(alice, name))["Location"]
            after = parse_qs(urlsplit(location).query)["next"][0]
            if alice.client.get(after).status_code != 200:
                wrong[name] = after

    assert not wrong, wrong


@EVERY
def test_signed_out_a_fragment_says_401_whether_or_not_it_exists(
    choose, alice, subtests
):
    for name in FRAGMENTS:
        with subtests.test(name):
            nothing = choose(unknown_urls(name, alice))
            for url in [own_url(alice, name), *nothing]:
                response = Client().generic(FRAGMENTS[name], url)

                assert response.status_code == 401
                assert response["HX-Redirect"] == reverse("home")
                assert response.content == b""
                assert response.cookies == {}


@pytest.mark.thorough
def test_an_operator_sees_no_more_than_a_stranger(alice, subtests):
    client = Client()
    client.force_login(make_operator())
    for name in OWNED:
        with subtests.test(name), undone():
            response = client.generic(OWNED[name], own_url(alice, name))

            assert response.status_code == 404


def test_everybody_signed_in_gets_their_own_page(alice, subtests):
    operator = Client()
    operator.force_login(make_operator())
    for name in PERSONAL:
        for client in (alice.client, operator):
            with subtests.test(name), undone():
                response = client.generic(PERSONAL[name], reverse(name))

                assert response.status_code in {200, 302, 303, 400, 403, 422}


def test_signed_out_a_page_of_ones_own_leads_home(subtests):
    for name in PERSONAL:
        with subtests.test(name):
            response = Client().generic(PERSONAL[name], reverse(name))

            assert response.status_code == 302
            assert response["Location"].startswith(f"{reverse('home')}?next=/")
            assert response.cookies == {}


# --- Methods and tokens ----------------------------------------------------------------


@pytest.mark.parametrize(
    "methods",
    [
        pytest.param({"GET", "POST", "DELETE"}, id="usual"),
        pytest.param(set(OTHER_METHODS), id="every", marks=pytest.mark.thorough),
    ],
)
def test_any_other_method_is_refused_and_does_nothing(methods, alice, subtests):
    for name in OWNED:
        with subtests.test(name), undone():
            url = own_url(alice, name)
            before = effects()
            allowed = {OWNED[name]} | ({"POST"} if name in HAVE_FORM else set())

            for method in methods - allowed:
                assert alice.client.generic(method, url).status_code == 405, method
            assert effects() == before


def test_any_other_method_of_a_page_of_ones_own_is_refused(alice):
    wrong = {}
    for name, own in PERSONAL.items():
        has_form = name.startswith("onchain:")
        for method in set(OTHER_METHODS) - {own, "POST" if has_form else ""}:
            status = alice.client.generic(method, reverse(name)).status_code
            if status != 405:
                wrong[name, method] = status

    assert not wrong, wrong


def test_any_other_method_of_a_public_address_is_refused(alice, subtests):
    for name in PUBLIC:
        with subtests.test(name):
            method, _status = PUBLIC[name]

            for other in set(OTHER_METHODS) - {method}:
                url = reverse(name, args=NAMING.get(name))
                assert Client().generic(other, url).status_code == 405, other


def test_a_monitor_may_ask_for_the_head_of_a_public_page(alice, subtests):
    for name in ("home", "help", "health", "metrics", "enrolment"):
        with subtests.test(name):
            response = Client().head(reverse(name))

            assert response.status_code == PUBLIC[name][1]


def test_a_post_without_its_csrf_token_is_forbidden(alice, subtests):
    client = Client(enforce_csrf_checks=True)
    client.cookies = alice.client.cookies
    for name in [*(name for name in OWNED if OWNED[name] == "POST"), "send"]:
        with subtests.test(name), undone():
            url = own_url(alice, name)
            before = effects()

            response = client.post(url, {"credential": "{}"})

            assert response.status_code == 403
            assert effects() == before


# --- What may stand in an address ------------------------------------------------------


BAD_ADDRESSES = {
    "short": lambda text: text[:-1],
    "long": lambda text: text + "0",
    "no-0x": lambda text: text[2:],
    "checksum": lambda text: "0x" + text[2:].swapcase(),
    "not-hex": lambda text: text[:-1] + "g",
    "nul": lambda text: text[:-1] + "%00",
    "line-feed": lambda text: text[:-1] + "%0a",
    "full-width-digit": lambda text: text[:-3] + "%EF%BC%90",
    "not-utf-8": lambda text: text[:-1] + "%ff",
    "dots": lambda text: "%2e%2e%2f" + text,
    "sql": lambda text: "'%20OR%201=1--",
    "nothing": lambda text: "0x",
    "5,000-characters": lambda text: "0x" + "a" * 5_000,
}
ACCOUNT_NAMES = OWNED.keys() - OF_OPERATION - OF_PERSON


def found(wallet: Wallet, names: Iterable[str], bad: Iterable[str]) -> dict:
    """Return what is not 404 although the address in it is a bad one."""
    text = wallet.safe.address_text
    wrong = {}
    for name in sorted(names):
        good = own_url(wallet, name)
        for kind in bad:
            url = good.replace(text, BAD_ADDRESSES[kind](text))
            status = wallet.client.generic(OWNED[name], url).status_code
            if status != 404:
                wrong[name, kind] = status
    return wrong


def test_a_bad_address_is_404(alice):
    wrong = found(alice, ["safe-detail"], BAD_ADDRESSES)
    wrong |= found(alice, ACCOUNT_NAMES, ["checksum"])

    assert not wrong, wrong


@pytest.mark.thorough
def test_every_bad_address_is_404_everywhere(alice):
    wrong = found(alice, ACCOUNT_NAMES, BAD_ADDRESSES)

    assert not wrong, wrong


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


@pytest.mark.thorough
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
