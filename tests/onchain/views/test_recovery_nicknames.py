"""The nickname by which an account is found on /recover/ (security.md R10)."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onchain.models import Chain, RecoveryLookup, RecoveryNickname
from onchain.protocol.types import Address, checksum_address
from onchain.services import recovery_nicknames
from tests import claims
from tests.factories import the_chain
from tests.pages import Page
from tests.wallets import Wallet

pytestmark = pytest.mark.django_db

NAME = "grandmas-cottage"
# A token, the row of the question, and its seconds.
CHANGING = re.compile(
    r'csrfmiddlewaretoken" value="[^"]+"|"X-CSRFToken": "[^"]+"|recover-\d+'
)
BAD = ("ab", "a" * 33, "anna_b", "-anna", "anna-", "änna", "an na", "0xanna", "o-x12")
LIKE_DIGITS = ("deadbeefcafe", "0123456789ab", "a1b2-c3d4-e5f6")


@pytest.fixture(autouse=True)
def chain(db: None) -> Chain:
    return the_chain()


def choose(alice: Wallet, name: str) -> int:
    return alice.post("recovery-nickname-choose", {"name": name}).status_code


def look_up(typed: str) -> str:
    """Return the page of what was typed, without what differs from answer to answer."""
    answer = Client().get(reverse("onchain:recover"), {"account": typed})
    assert answer.status_code == 200
    return CHANGING.sub("", answer.content.decode()).replace(typed, "typed")


def read(status: str, **fields: object) -> None:
    """Let the worker have read whatever was asked."""
    RecoveryLookup.objects.update(status=status, asked_at=timezone.now(), **fields)


def test_an_owner_chooses_changes_and_removes_a_nickname(alice: Wallet):
    words = Page(alice.client.get(alice.url("recovery-nickname"))).words
    assert "Anybody who knows the nickname learns the address" in words
    assert choose(alice, " Grandmas-Cottage ") == 302
    page = Page(alice.client.get(alice.url("recovery-nickname")))
    assert f"/recover/{NAME}/" in page.words

    led = Client().get(reverse("onchain:recover-nickname", args=[NAME]))
    assert led["Location"] == f"{reverse('onchain:recover')}?account={NAME}"
    assert recovery_nicknames.address_of(name=NAME) == alice.safe.address
    assert choose(alice, "other-name") == 302
    assert recovery_nicknames.address_of(name=NAME) != alice.safe.address
    assert recovery_nicknames.address_of(name="other-name") == alice.safe.address
    assert choose(alice, NAME) == 302  # its own again
    assert RecoveryNickname.objects.filter(removed_at=None).get().name == NAME
    assert alice.post("recovery-nickname-remove", {}).status_code == 302
    assert recovery_nicknames.address_of(name=NAME) != alice.safe.address


def test_what_is_no_nickname_is_refused_in_words(
    alice: Wallet, bob: Wallet, subtests: pytest.Subtests
):
    for name in (*BAD, *LIKE_DIGITS, ""):
        with subtests.test(name):
            assert choose(alice, name) == 422
    assert not RecoveryNickname.objects.exists()
    choose(bob, NAME)
    recovery_nicknames.remove(safe=bob.safe)
    refused = alice.post("recovery-nickname-choose", {"name": NAME})
    assert "This nickname is taken" in Page(refused).words
    for number in range(recovery_nicknames.MOST):
        assert choose(alice, f"name-{number}") == 302
    assert choose(alice, "one-too-many") == 422
    assert choose(alice, "name-0") == 302
    assert RecoveryNickname.objects.filter(removed_at=None).count() == 1


def test_a_nickname_leads_to_what_the_address_leads_to(alice: Wallet):
    choose(alice, NAME)
    look_up(NAME)
    setup = {
        "module": checksum_address(claims.MODULE),
        "delay": 180,
        "threshold": 1,
        "guardians": [checksum_address(Address(claims.GUARDIAN))],
        "has_begun": False,
    }
    owners = [checksum_address(Address(b"\x09" * 20))]
    read("found", owners=owners, threshold=1, setups=[setup])

    for typed in (NAME, NAME.upper(), alice.safe.address_text):
        answer = Client().get(reverse("onchain:recover"), {"account": typed})
        page = Page(answer)
        assert "1 of 1 guardian, after a delay of 3 minutes" in page.words
        assert alice.safe.address_text[-4:] in page.words
    assert RecoveryLookup.objects.count() == 1


def test_a_nickname_that_nobody_chose_answers_as_an_unknown_account(alice: Wallet):
    """Until the chain has an account at its address, a chosen one does so too."""
    choose(alice, NAME)
    nobodys = "grandpas-cottage"
    assert look_up(NAME) == look_up(nobodys)
    card = reverse("onchain:recover-card")
    for name in (NAME, nobodys):
        assert Client().get(card, {"account": name}).status_code == 200
    read("refused", failure_code="no-account")
    assert look_up(NAME) == look_up(nobodys)
    assert "There is no account here" in look_up(nobodys)
    assert checksum_address(recovery_nicknames.address_of(name=nobodys)) not in (
        look_up(nobodys)
    )

    # Signed out, and with nothing found, "begin" leads back to what was typed.
    begin = reverse("onchain:recover-begin")
    found = {
        Client().post(begin, {"account": name})["Location"].replace(name, "typed")
        for name in (NAME, nobodys)
    }
    assert len(found) == 1
