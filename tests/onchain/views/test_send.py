"""Asking for a payment: what becomes a draft, and what changes nothing."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse

from onchain.models import Contact, RelayerTransaction, Safe, UserOperation
from onchain.protocol.types import checksum_address, to_address
from tests.onchain.test_forms import TYPO
from tests.pages import Page
from tests.wallets import (
    ETH,
    RECIPIENT,
    Status,
    make_operation,
    make_wallet,
    operation_url,
)

pytestmark = pytest.mark.django_db

THREADS = 20
OTHER = checksum_address(b"\x0a" * 20)


def payment(**changes: str) -> dict[str, str]:
    """Return a good form, changed."""
    fields = {
        "recipient": RECIPIENT,
        "amount": "0.25",
        "idempotency_key": str(uuid.uuid4()),
    }
    return fields | changes


def rows() -> list[dict]:
    """Return all that a refused payment must leave as it was."""
    return [
        *UserOperation.objects.order_by("pk").values(),
        *Safe.objects.order_by("pk").values(),
        *RelayerTransaction.objects.order_by("pk").values(),
    ]


def key_of(response) -> str:
    return Page(response).inputs()["idempotency_key"]


# --- The form --------------------------------------------------------------------------


def test_the_form_has_its_labels_and_a_new_key_each_time(alice):
    first, second = alice.get("send"), alice.get("send")

    words = Page(first).words
    assert "Recipient" in words
    assert "Amount" in words
    assert "You have 10 ETH" in words
    assert uuid.UUID(key_of(first)) != uuid.UUID(key_of(second))


def test_the_form_says_when_the_account_is_not_live():
    wallet = make_wallet(is_live=False)

    assert "still setting up" in Page(wallet.get("send")).words


def test_a_payment_that_is_changed_comes_back_into_the_form(alice):
    op = make_operation(alice, Status.EXPIRED)

    response = alice.client.get(f"{alice.url('send')}?from={op.pk}")

    inputs = Page(response).inputs()
    assert inputs["recipient"] == RECIPIENT
    assert inputs["amount"] == "0.25"
    assert inputs["idempotency_key"] != str(op.idempotency_key)


def paid(wallet, recipient: str, block: int, status: str = Status.INCLUDED, **fields):
    """Say that a payment to this address was carried out in this block."""
    fields = {"recipient": to_address(recipient)} | fields
    return make_operation(wallet, status, block_number=block, **fields)


def offered(wallet) -> list[str]:
    """Return the recipients that the form offers as links, in their order."""
    links = re.findall(
        r'href="[^"]*[?]to=(0x\w+)#id_amount"', Page(wallet.get("send")).html
    )
    assert all(link in Page(wallet.get("send")).words for link in links)  # whole
    return links


def test_the_last_recipients_are_offered_newest_first_each_once_and_named(alice):
    texts = [checksum_address(bytes([number]) * 20) for number in range(1, 8)]
    for block, text in enumerate([texts[6], *texts], start=90):
        paid(alice, text, block)
    Contact.objects.create(
        safe=alice.safe,
        created_by=alice.user,
        address=to_address(texts[6]),
        name="Aunt Ada",
    )

    assert offered(alice) == texts[:1:-1]
    assert f"Aunt Ada {texts[6]}" in Page(alice.get("send")).words


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (Status.INCLUDED, {"block_number": 99}),
        (Status.REVERTED, {}),
        (Status.SUBMITTED, {"block_number": None}),
        (Status.INCLUDED, {"kind": UserOperation.Kind.CANCEL}),
    ],
    ids=["not confirmed", "reverted", "sent", "no payment"],
)
def test_nobody_is_offered_whom_no_confirmed_payment_went_to(
    alice, status, fields, settings
):
    settings.CONFIRMATIONS = 3  # so 98 is the last one below a head at 100
    paid(alice, OTHER, 98)
    make_operation(alice, status, **({"block_number": 98} | fields))

    assert offered(alice) == [OTHER]


def test_others_payments_and_links_from_elsewhere_choose_nobody(alice, bob):
    paid(bob, RECIPIENT, 90)
    url = f"{alice.url('send')}?to={RECIPIENT}"

    assert offered(alice) == []
    assert Page(alice.client.get(url)).inputs()["recipient"] == ""


def test_a_recent_recipient_comes_into_the_form_by_its_link(alice):
    paid(alice, RECIPIENT, 90)
    url = f"{alice.url('send')}?to={RECIPIENT}"

    assert Page(alice.client.get(url)).inputs()["recipient"] == RECIPIENT


def test_somebody_elses_payment_never_comes_into_the_form(alice, bob):
    op = make_operation(bob, Status.EXPIRED)

    response = alice.client.get(f"{alice.url('send')}?from={op.pk}")

    assert Page(response).inputs()["recipient"] == ""


# --- A good payment --------------------------------------------------------------------


def test_a_good_payment_becomes_a_draft_and_its_page(
    alice, django_capture_on_commit_callbacks
):
    form = payment(recipient=f" {RECIPIENT.lower()} ", amount="1.5")

    with django_capture_on_commit_callbacks() as nudges:
        response = alice.post("send", form)

    op = UserOperation.objects.get()
    assert response.status_code == 302
    assert response["Location"] == operation_url(op)
    assert op.status == Status.DRAFT
    assert op.safe == alice.safe
    assert op.created_by == alice.user
    assert op.recipient == to_address(RECIPIENT)
    assert op.value_wei == 3 * ETH // 2
    assert str(op.idempotency_key) == form["idempotency_key"]
    assert len(nudges) == 1


def test_the_page_of_a_draft_says_what_it_waits_for(alice):
    response = alice.client.post(alice.url("send"), payment(), follow=True)

    words = Page(response).words
    assert "Preparing 0.25 ETH" in words
    assert "Prepared in progress" in words


# --- What is refused -------------------------------------------------------------------

REFUSED = {
    "checksum": ({"recipient": TYPO}, "first at character 21"),
    "short": ({"recipient": RECIPIENT[:-1]}, "this has 39"),
    "long": ({"recipient": RECIPIENT + "0"}, "this has 41"),
    "a-name": ({"recipient": "alice.eth"}, "starts with 0x"),
    "zero-address": ({"recipient": "0x" + "0" * 40}, "zero address"),
    "nul": ({"recipient": RECIPIENT[:-1] + "\0"}, "Character 42"),
    "bidi": ({"recipient": RECIPIENT[:-1] + "\u202e"}, "Character 42"),
    "markup": ({"recipient": "<script>alert(1)</script>"}, "starts with 0x"),
    "negative": ({"amount": "-1"}, "negative"),
    "zero": ({"amount": "0.0"}, "more than zero"),
    "too-precise": ({"amount": "0.0000000000000000001"}, "18 decimal places"),
    "over-uint256": ({"amount": str(2**256)}, "can exist"),
    "words": ({"amount": "all of it"}, "plain number"),
    "amount-nul": ({"amount": "1\0"}, "plain number"),
    "balance": ({"amount": "10.000000000000000001"}, "more than the account has"),
    "no-recipient": ({"recipient": ""}, "Enter the recipient"),
    "no-amount": ({"amount": ""}, "Enter an amount"),
    "no-key": ({"idempotency_key": ""}, "Load the page again"),
    "bad-key": ({"idempotency_key": "1234"}, "Load the page again"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_payment_changes_nothing_and_keeps_what_was_typed(name, alice):
    changes, words = REFUSED[name]
    form = payment(**changes)
    before = rows()

    response = alice.post("send", form)

    page = Page(response)
    assert response.status_code == 422
    assert words in page.words
    assert page.inputs()["recipient"] == form["recipient"]
    assert page.inputs()["amount"] == form["amount"]
    assert "Error: Send" in page.html
    assert rows() == before


@pytest.mark.parametrize("name", REFUSED)
def test_the_words_stand_beside_the_field_and_in_the_summary(name, alice):
    changes, words = REFUSED[name]
    ((field, _value),) = changes.items()

    page = Page(alice.post("send", payment(**changes)))

    assert page.with_attribute("role")
    assert "This payment was not prepared" in page.words
    if field != "idempotency_key":
        assert page.words.count(words) == 2
        (element,) = [
            element
            for element in page.with_attribute("aria-invalid")
            if element["name"] == field
        ]
        assert f"{element['id']}_error" in element["aria-describedby"]


def test_an_empty_post_is_refused_with_words_for_each_field(alice):
    response = alice.post("send", {})

    words = Page(response).words
    assert response.status_code == 422
    assert "Enter the recipient" in words
    assert "Enter an amount" in words


def test_what_was_typed_comes_back_as_text_never_as_markup(alice):
    response = alice.post(
        "send", payment(recipient='"><script>x</script>', amount="<b>1")
    )

    assert b"<script>x" not in response.content
    assert b"<b>1" not in response.content


@pytest.mark.parametrize("is_live", [False])
def test_an_account_that_is_not_live_sends_nothing(is_live, db):
    wallet = make_wallet(is_live=is_live)
    Safe.objects.update(balance_wei=ETH)
    before = rows()

    response = wallet.post("send", payment())

    page = Page(response)
    assert response.status_code == 422
    assert "not live yet" in page.words
    assert page.inputs()["recipient"] == RECIPIENT
    assert rows() == before


def test_a_payment_asks_for_deployment_where_that_waits_for_it(db, settings):
    settings.DEPLOYMENT_POLICY = "on-demand"
    wallet = make_wallet(is_live=False)
    Safe.objects.update(balance_wei=ETH)

    response = wallet.post("send", payment())

    wallet.safe.refresh_from_db()
    assert response.status_code == 422
    assert wallet.safe.deployment_requested_at is not None
    assert not UserOperation.objects.exists()


# R68: strangers cannot spend the relayer's gas with dust.
def test_dust_does_not_ask_for_deployment(db, settings):
    settings.DEPLOYMENT_POLICY = "on-demand"
    settings.DEPLOYMENT_FLOOR_WEI = 2 * ETH
    wallet = make_wallet(is_live=False)
    Safe.objects.update(balance_wei=ETH)

    response = wallet.post("send", payment())

    wallet.safe.refresh_from_db()
    assert response.status_code == 422
    assert "received 2 ETH or more" in Page(response).words
    assert wallet.safe.deployment_requested_at is None


def test_a_body_of_a_megabyte_is_refused_quickly(alice):
    before = rows()

    response = alice.post("send", payment(recipient="0x" + "a" * 2**20))

    assert response.status_code == 413
    assert "256 KiB" in response.content.decode()
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"\xff\xfe\x00", "application/x-www-form-urlencoded", id="bytes"),
        pytest.param(b'{"amount": 1}', "application/json", id="json"),
        pytest.param(b"--x\r\n", "multipart/form-data; boundary=x", id="multipart"),
        pytest.param(b"x", "multipart/form-data", id="no-boundary"),
        pytest.param(b"a=1", "text/plain", id="plain"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(
            b"&".join(b"a%d=1" % number for number in range(2_000)),
            "application/x-www-form-urlencoded",
            id="2,000-fields",
        ),
        pytest.param(
            b"recipient=0x&recipient=%00&amount=1&amount=%ff",
            "application/x-www-form-urlencoded",
            id="twice",
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(body, content_type, alice):
    before = rows()

    response = alice.client.post(alice.url("send"), body, content_type=content_type)

    assert 400 <= response.status_code < 500
    assert rows() == before


def test_the_links_between_pages_exist(alice):
    page = Page(alice.get("send"))

    links = {element.get("href") for element in page.with_attribute("href")}
    assert alice.url("receive") in links
    assert reverse("help") in links
    assert not re.search(r'href="[^"]*//', page.html.replace("http://www.w3.org", ""))
