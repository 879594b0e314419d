"""The account's own pages: state, balance, activity, facts, test ETH."""

from __future__ import annotations

import secrets
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from onchain.context_processors import AWAY
from onchain.models import Chain, Heartbeat, Owner, RelayerTransaction, Safe, Transfer
from onchain.protocol.deployments import CONTRACTS
from onchain.protocol.types import checksum_address
from onchain.templatetags.display import short_address
from tests.pages import Page
from tests.wallets import ETH, Status, make_history, make_operation, make_wallet, prove

pytestmark = pytest.mark.django_db

MOST_QUERIES = 8
MANY = 200
PAGES = {
    *("safe-detail", "activity", "settings", "send", "receive"),
    *("safe-overview", "safe-activity", "receive-card"),
}


# --- Home ------------------------------------------------------------------------------


def test_a_stranger_sees_the_landing_page():
    page = Page(Client().get("/"))

    assert "Create a wallet" in page.words
    assert "Sign in with passkey" in page.words
    assert "Sign out" not in page.words


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/safes/1/0x/", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("javascript:alert(1)", False),
        ('/"><script>', True),
    ],
)
def test_the_landing_page_remembers_where_one_wanted_to_go(path, kept):
    page = Page(Client().get("/", {"next": path}))

    assert (page.inputs().get("next") == path) is kept
    assert ("to open the page you asked for" in page.words) is kept
    assert "<script>" not in page.html


def test_home_leads_to_the_only_account(alice):
    response = alice.client.get("/")

    assert response.status_code == 302
    assert response["Location"] == alice.url("safe-detail")


def test_home_lists_several_accounts_of_the_person_only(alice, bob):
    other = make_wallet()
    Owner.objects.filter(safe=other.safe).update(
        credential=alice.user.credentials.get()
    )

    response = alice.client.get("/")

    links = {element["href"] for element in Page(response).with_attribute("href")}
    assert response.status_code == 200
    assert {alice.url("safe-detail"), other.url("safe-detail")} <= links
    assert bob.url("safe-detail") not in links


def test_home_says_so_when_there_is_no_account(alice):
    Owner.objects.update(credential=None)

    assert "No account yet" in Page(alice.client.get("/")).words


# --- The account -----------------------------------------------------------------------

STATES = {
    Safe.Status.QUEUED: ("Setting up", "Waiting for its turn", "every 1s"),
    Safe.Status.BROADCAST: ("Setting up", "Sent to the chain", "every 1s"),
    Safe.Status.DEPLOYED: ("Live", "10 ETH", "every 5s"),
    Safe.Status.FAILED: ("Needs attention", "The operator can start it again", None),
}


@pytest.mark.parametrize("name", ["safe-detail", "safe-overview"])
@pytest.mark.parametrize("status", STATES)
def test_the_card_says_how_the_account_is(status, name, alice):
    Safe.objects.update(status=status)

    page = Page(alice.get(name))

    badge, words, trigger = STATES[status]
    assert badge in page.words
    assert words in page.words
    (card,) = [
        element
        for element in page.with_attribute("hx-get")
        if element["id"] == f"safe-{alice.safe.pk}"
    ]
    assert card["hx-get"] == alice.url("safe-overview")
    if trigger is not None:
        assert card["hx-trigger"] == trigger


@pytest.mark.parametrize("name", ["safe-detail", "safe-overview", "send"])
def test_an_account_that_waits_for_a_deposit_promises_no_seconds(name, settings, db):
    settings.DEPLOYMENT_POLICY = "on-demand"
    wallet = make_wallet(is_live=False)

    words = Page(wallet.get(name)).words

    assert "is put on the chain with its first deposit or payment" in words
    assert "a few seconds" not in words


@pytest.mark.parametrize("name", ["safe-detail", "safe-overview", "send"])
def test_an_account_that_is_being_deployed_says_how_long_it_takes(name, db):
    words = Page(make_wallet(is_live=False).get(name)).words

    assert "a few seconds" in words
    assert "first deposit" not in words


def test_an_account_in_the_queue_knows_its_place():
    first, second = make_wallet(is_live=False), make_wallet(is_live=False)

    assert "place 1 in the queue" in Page(first.get("safe-overview")).words
    assert "place 2 in the queue" in Page(second.get("safe-overview")).words


def test_a_balance_is_shown_to_the_last_wei(alice):
    Safe.objects.update(balance_wei=ETH + 1)

    assert "1.000000000000000001" in "".join(
        Page(alice.get("safe-overview")).text.split()
    )


def test_a_viewed_account_asks_for_its_balance_at_most_every_five_seconds(
    alice, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as nudges:
        for _ in range(3):
            alice.get("safe-overview")

    assert len(nudges) == 1


def test_one_key_is_pointed_out(alice):
    assert "One passkey is the only key" in Page(alice.get("safe-detail")).words

    Safe.objects.update(threshold=2)
    assert "One passkey is the only key" not in Page(alice.get("safe-detail")).words


def test_an_account_with_another_owner_has_more_than_one_key(alice, bob):
    Owner.objects.create(
        safe=alice.safe,
        credential=bob.user.credentials.get(),
        address=bytes(19) + b"1",
        position=1,
    )

    assert "One passkey is the only key" not in Page(alice.get("safe-detail")).words


@pytest.mark.parametrize("component", AWAY)
def test_a_banner_says_what_is_away(component, alice, settings):
    settings.SECOND_NODE_URL = "http://127.0.0.1:8546"
    assert "does not answer." not in Page(alice.get("safe-detail")).words

    Heartbeat.objects.filter(component=component).update(seen_at=None)

    words = Page(alice.get("safe-detail")).words
    away = ("does not answer.", "not being read", "no worker runs", "accounts have to")
    assert any(text in words for text in away)


def test_a_banner_says_why_payments_are_stopped(alice):
    Chain.objects.update(problem="SafeL2 has <other> code than the pinned one.")

    page = Page(alice.get("safe-detail"))

    assert "Payments are stopped. SafeL2 has <other> code" in page.words
    assert "<other>" not in page.html


# --- Activity --------------------------------------------------------------------------


@pytest.mark.parametrize(("balance_wei", "step"), [(0, "receive"), (ETH, "send")])
@pytest.mark.parametrize("name", ["safe-detail", "safe-activity"])
def test_an_empty_history_has_one_next_step(name, balance_wei, step, alice):
    Safe.objects.update(balance_wei=balance_wei)

    html = alice.get(name).content.decode()

    html = html[html.index(f'id="operations-{alice.safe.pk}"') :]
    empty = html[: html.index("</div>")]
    assert empty.count("<a ") == 1
    assert f'href="{alice.url(step)}"' in empty


@pytest.mark.parametrize(
    ("status", "polls"),
    [
        (Status.DRAFT, True),
        (Status.AWAITING_SIGNATURES, False),
        (Status.SIGNED, True),
        (Status.SUBMITTED, True),
        (Status.INCLUDED, True),
        (Status.REJECTED, False),
        (Status.WITHDRAWN, False),
    ],
)
@pytest.mark.parametrize("name", ["safe-detail", "safe-activity"])
def test_the_list_polls_often_exactly_while_a_payment_waits(name, status, polls, alice):
    make_operation(alice, status)

    page = Page(alice.get(name))

    (element,) = [
        element
        for element in page.with_attribute("hx-get")
        if element["id"] == f"operations-{alice.safe.pk}"
    ]
    assert element["hx-trigger"] == ("every 1s" if polls else "every 5s")
    assert element["hx-get"] == alice.url("safe-activity")


def test_the_list_polls_seldom_when_all_is_confirmed(alice):
    make_operation(alice, Status.INCLUDED)
    Chain.objects.update(head_number=150)

    html = Page(alice.get("safe-activity")).html

    # Ether can arrive at any time, and nobody here knows when.
    assert 'hx-trigger="every 5s"' in html
    assert "every 1s" not in html


@pytest.mark.parametrize("name", ["safe-detail", "safe-activity", "activity"])
def test_what_was_received_stands_beside_what_was_sent(name, alice, bob):
    make_transfer(bob, value_wei=3)
    old = make_operation(alice, Status.INCLUDED)
    transfer = make_transfer(alice)

    page = Page(alice.get(name))

    words = page.words
    assert f"Received 0.5 ETH from {short_address(transfer.sender)}" in words
    assert words.index("Received") < words.index(short_address(old.recipient))
    assert "0.000000000000000003" not in words


@pytest.mark.parametrize(
    ("agreed", "head", "word"),
    [(None, 100, "Included"), (None, 150, "Confirmed"), (99, 150, "Included")],
)
def test_a_receipt_says_whether_it_is_confirmed(agreed, head, word, alice):
    make_transfer(alice)
    Chain.objects.update(head_number=head, agreed_number=agreed)

    page = Page(alice.get("safe-activity"))

    (other,) = {"Included", "Confirmed"} - {word}
    assert word in page.words
    assert other not in page.words


def make_transfer(wallet, value_wei=ETH // 2):
    return Transfer.objects.create(
        chain=wallet.safe.chain,
        safe=wallet.safe,
        sender=b"\x57" * 20,
        value_wei=value_wei,
        transaction_hash=secrets.token_bytes(32),
        block_number=100,
        received_at=timezone.now(),
    )


def test_activity_goes_page_by_page(alice):
    make_history(alice, 41)

    counts = [
        len(
            alice.client.get(f"{alice.url('activity')}?page={page}").context["page_obj"]
        )
        for page in (1, 2, 3)
    ]

    assert counts == [20, 20, 1]
    assert "Page 1 of 3" in Page(alice.get("activity")).words


# --- Settings --------------------------------------------------------------------------


def test_settings_say_how_many_must_sign_and_what_the_account_stands_on(alice):
    page = Page(alice.get("settings"))

    joined = "".join(page.text.split())
    assert "1 of 1 owner must sign" in page.words
    for contract in CONTRACTS:
        assert checksum_address(contract.address) in joined
    assert "Sign out" in page.words


def test_settings_lead_to_the_owners_and_list_none(alice):
    page = Page(alice.get("settings"))

    owner = alice.safe.owners.get()
    assert alice.url("owners") in {a["href"] for a in page.with_attribute("href")}
    assert owner.address_text not in "".join(page.text.split())


def test_a_signers_address_is_not_mistaken_for_the_accounts(alice):
    words = Page(alice.get("owners")).words

    assert "Signer contract, not for receiving 0x" in words


def test_the_owners_page_says_that_the_key_is_proven(alice):
    assert "Not proven yet" in Page(alice.get("owners")).words

    prove(alice)

    assert "Not proven yet" not in Page(alice.get("owners")).words


# --- Test ETH --------------------------------------------------------------------------


def test_test_eth_comes_once_for_each_key(alice, django_capture_on_commit_callbacks):
    key = str(uuid.uuid4())

    with django_capture_on_commit_callbacks() as nudges:
        answers = [alice.post("faucet", {"idempotency_key": key}) for _ in range(3)]

    row = RelayerTransaction.objects.get()
    assert {answer["Location"] for answer in answers} == {alice.url("safe-detail")}
    assert row.purpose == RelayerTransaction.Purpose.FAUCET
    assert row.to == alice.safe.address
    assert row.value_wei == ETH
    assert row.requested_by == alice.user
    assert nudges


def test_the_header_counts_as_the_key_of_test_eth(alice):
    key = str(uuid.uuid4())

    response = alice.client.post(alice.url("faucet"), headers={"Idempotency-Key": key})

    assert response.status_code == 302
    assert str(RelayerTransaction.objects.get().idempotency_key) == key


def test_somebody_elses_key_gives_nothing_and_says_so(alice, bob):
    key = str(uuid.uuid4())
    alice.post("faucet", {"idempotency_key": key})

    response = bob.post("faucet", {"idempotency_key": key})

    assert response.status_code == 422  # R50
    page = Page(response)
    assert "already used" in page.words
    assert bob.safe.name in page.words
    assert page.inputs()["idempotency_key"] != key
    assert RelayerTransaction.objects.get().to == alice.safe.address


@pytest.mark.parametrize("key", ["", "x"])
def test_test_eth_needs_its_key(key, alice):
    response = alice.post("faucet", {"idempotency_key": key})

    assert response.status_code == 400
    assert not RelayerTransaction.objects.exists()


def test_test_eth_on_its_way_replaces_the_button(alice):
    assert "Get test ETH" in Page(alice.get("safe-overview")).words
    alice.post("faucet", {"idempotency_key": str(uuid.uuid4())})

    page = Page(alice.get("safe-overview"))

    assert "Test ETH is on its way" in page.words
    assert "Get test ETH" not in page.words
    assert 'hx-trigger="every 1s"' in page.html
