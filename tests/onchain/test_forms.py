"""What people type: accepted exactly, or refused with words."""

from __future__ import annotations

import secrets
import uuid

import pytest

from onchain.forms import AssertionForm, IdempotencyForm, SendForm
from onchain.models import Safe
from onchain.protocol.types import checksum_address, to_address
from tests.wallets import ETH, RECIPIENT, Status, make_operation

pytestmark = pytest.mark.django_db

TYPO = RECIPIENT[:20] + RECIPIENT[20].swapcase() + RECIPIENT[21:]


def form_of(wallet, **changes) -> SendForm:
    fields = {
        "recipient": RECIPIENT,
        "amount": "0.25",
        "idempotency_key": str(uuid.uuid4()),
    }
    return SendForm(fields | changes, safe=wallet.safe, user=wallet.user)


def words_of(form: SendForm) -> str:
    return " ".join(error for errors in form.errors.values() for error in errors)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(RECIPIENT, id="checksummed"),
        pytest.param(f"  {RECIPIENT}\n", id="white-space-around"),
        pytest.param("0x" + RECIPIENT[2:].lower(), id="lower"),
        pytest.param("0x" + RECIPIENT[2:].upper(), id="upper"),
        pytest.param("0X" + RECIPIENT[2:], id="0X"),
    ],
)
def test_an_address_cleans_to_its_bytes(typed, alice):
    form = form_of(alice, recipient=typed)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["recipient"] == to_address(RECIPIENT)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param("", "Enter the recipient's address", id="nothing"),
        pytest.param("   ", "Enter the recipient's address", id="spaces"),
        pytest.param(RECIPIENT[2:], "starts with 0x", id="no-0x"),
        pytest.param("vitalik.eth", "starts with 0x", id="a-name"),
        pytest.param(RECIPIENT[:-1], "this has 39", id="39-digits"),
        pytest.param(RECIPIENT + "0", "this has 41", id="41-digits"),
        pytest.param("0x", "this has 0", id="only-0x"),
        pytest.param(TYPO, "first at character 21", id="checksum"),
        pytest.param(RECIPIENT[:-1] + "G", "Character 42", id="not-hex"),
        pytest.param("0xZ" + RECIPIENT[3:], "Character 3 ", id="first-digit"),
        pytest.param(RECIPIENT[:9] + "\0" + RECIPIENT[10:], "Character 10", id="nul"),
        pytest.param(
            RECIPIENT[:9] + "\u200b" + RECIPIENT[10:], "Character 10", id="zero-width"
        ),
        pytest.param(
            RECIPIENT[:9] + "\u0665" + RECIPIENT[10:], "Character 10", id="arabic-digit"
        ),
        pytest.param(
            "0x" + RECIPIENT[2:10] + " " + RECIPIENT[11:], "Character 11", id="a-space"
        ),
        pytest.param("0x" + "0" * 40, "zero address", id="zero-address"),
        pytest.param("0x" * 100_000, "too long", id="100,000-characters"),
    ],
)
def test_a_bad_address_is_refused_in_words(typed, words, alice):
    form = form_of(alice, recipient=typed)

    assert not form.is_valid()
    assert words in " ".join(form.errors["recipient"])


def test_any_letter_of_the_wrong_case_is_named(alice):
    letters = [place for place in range(2, 42) if RECIPIENT[place].isalpha()]

    for place in letters:
        typed = RECIPIENT[:place] + RECIPIENT[place].swapcase() + RECIPIENT[place + 1 :]
        form = form_of(alice, recipient=typed)
        assert f"character {place + 1}." in words_of(form)


def test_a_wrong_digit_never_passes_a_checksum(alice):
    for _ in range(50):
        text = checksum_address(to_address("0x" + secrets.token_hex(20)))
        place = 2 + secrets.randbelow(40)
        wrong = next(digit for digit in "0123456789" if digit != text[place])
        typed = text[:place] + wrong + text[place + 1 :]
        digits = typed[2:]
        if digits == digits.lower() or digits == digits.upper():
            continue  # no checksum left
        if checksum_address(to_address(typed.lower())) == typed:
            continue  # one in a few thousand checksums fits by chance

        assert "checksum" in words_of(form_of(alice, recipient=typed))


def test_the_account_itself_is_no_recipient(alice):
    form = form_of(alice, recipient=alice.safe.address_text)

    assert "the account itself" in words_of(form)


@pytest.mark.parametrize(
    ("typed", "wei"),
    [
        ("1", ETH),
        ("0.25", ETH // 4),
        (".5", ETH // 2),
        ("00001.50", ETH * 3 // 2),
        (" 2 ETH ", 2 * ETH),
        ("0.000000000000000001", 1),
        ("0.0000000000000000010000", 1),
        ("9.999999999999999999", 10 * ETH - 1),
        ("10", 10 * ETH),
    ],
)
def test_an_amount_cleans_to_exact_wei(typed, wei, alice):
    form = form_of(alice, amount=typed)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount"] == wei


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter an amount"),
        ("-1", "negative"),
        ("\u22121", "negative"),
        ("-0", "negative"),
        ("0", "more than zero"),
        ("0.000", "more than zero"),
        ("0.0000000000000000001", "18 decimal places"),
        ("0.1234567890123456789", "18 decimal places"),
        ("1,5", "decimal mark"),
        ("1,000.5", "decimal mark"),
        ("1e18", "plain number"),
        ("1_000", "plain number"),
        ("0x10", "plain number"),
        ("NaN", "plain number"),
        ("Infinity", "plain number"),
        ("1.2.3", "plain number"),
        ("1.", "plain number"),
        ("\u0661", "plain number"),
        ("\uff11", "plain number"),
        ("1\0", "plain number"),
        ("1\u200b", "plain number"),
        ("ETH", "plain number"),
        (str(2**256), "can exist"),
        (str(2**256 // ETH + 1), "can exist"),
        ("9" * 80, "can exist"),
        ("1" * 100_000, "too long"),
        ("10.000000000000000001", "more than the account has"),
        (str(2**256 // ETH), "more than the account has"),
    ],
)
def test_a_bad_amount_is_refused_in_words(typed, words, alice):
    form = form_of(alice, amount=typed)

    assert not form.is_valid()
    assert words in " ".join(form.errors["amount"])


def test_the_largest_amount_of_all_is_exact(alice):
    most = 2**256 - 1
    Safe.objects.filter(pk=alice.safe.pk).update(balance_wei=most)
    alice.safe.refresh_from_db()
    whole, rest = divmod(most, ETH)

    form = form_of(alice, amount=f"{whole}.{rest:018d}")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount"] == most


@pytest.mark.parametrize("field", ["recipient", "amount", "idempotency_key"])
def test_every_field_is_needed(field, alice):
    assert field in form_of(alice, **{field: ""}).errors


@pytest.mark.parametrize("key", ["x", "0", "\0", "g" * 36, "1" * 10_000])
def test_a_key_that_is_no_uuid_is_refused(key, alice):
    form = form_of(alice, idempotency_key=key)

    assert "Load the page again" in words_of(form)


@pytest.mark.parametrize(
    "status", ["draft", "awaiting_signatures", "signed", "submitted", "included"]
)
def test_the_same_payment_again_is_asked_about(status, alice):
    make_operation(alice, status)

    form = form_of(alice)

    assert not form.is_valid()
    assert form.asks_to_repeat
    assert "Send it a second time?" in words_of(form)
    assert form_of(alice, confirm_repeat="on").is_valid()


@pytest.mark.parametrize(
    "status", [Status.WITHDRAWN, Status.EXPIRED, Status.REJECTED, Status.REVERTED]
)
def test_a_payment_that_was_not_made_is_no_twin(status, alice):
    make_operation(alice, status)

    form = form_of(alice)

    assert form.is_valid(), form.errors
    assert not form.asks_to_repeat


@pytest.mark.parametrize(
    "change", [{"amount": "0.26"}, {"recipient": "0x" + "b0" * 20}]
)
def test_another_payment_is_no_twin(change, alice):
    make_operation(alice, Status.INCLUDED)

    assert form_of(alice, **change).is_valid()


def test_another_account_has_no_twin(alice, bob):
    make_operation(bob, Status.INCLUDED)

    assert form_of(alice).is_valid()


def test_an_old_payment_is_no_twin(alice):
    op = make_operation(alice, Status.INCLUDED)
    type(op).objects.filter(pk=op.pk).update(created_at="2020-01-01T00:00:00Z")

    assert form_of(alice).is_valid()


def test_a_form_that_was_taken_passes_although_the_money_left(alice):
    op = make_operation(alice, Status.SIGNED)
    Safe.objects.filter(pk=alice.safe.pk).update(balance_wei=0)
    alice.safe.refresh_from_db()

    form = form_of(alice, idempotency_key=str(op.idempotency_key))

    assert form.is_valid(), form.errors


@pytest.mark.parametrize("text", ["", "x" * 16_385, "a\0b"])
def test_an_answer_that_is_missing_too_long_or_holds_nul_is_refused(text):
    assert not AssertionForm({"credential": text}).is_valid()


def test_an_answer_is_kept_as_it_came():
    form = AssertionForm({"credential": ' {"id": 1} '})

    assert form.is_valid()
    assert form.cleaned_data["credential"] == ' {"id": 1} '


def test_a_button_needs_its_key():
    assert not IdempotencyForm({}).is_valid()
    assert IdempotencyForm({"idempotency_key": str(uuid.uuid4())}).is_valid()
