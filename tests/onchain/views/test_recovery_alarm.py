"""What the pages of owners and of others say of a recovery that has begun (R58)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from onchain.models import Chain, Membership, RecoveryRequest, RecoverySetup, Role
from onchain.protocol.abi import selector
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.recovery import owners_hash
from onchain.protocol.types import checksum_address
from tests.pages import Page
from tests.wallets import CHAIN_TIME, Wallet

pytestmark = pytest.mark.django_db

MODULE = RECOVERY_MODULES[7 * DAY]
THIEF = b"\xb1" * 20
PAGES = ("safe-detail", "send", "receive", "activity", "owners", "settings", "recovery")


@pytest.fixture
def begun(alice: Wallet) -> RecoveryRequest:
    """A recovery of Alice's account that waits for six more days."""
    setup = RecoverySetup.objects.create(
        safe=alice.safe, module=MODULE, is_enabled=True, threshold=2, read_block=100
    )
    return RecoveryRequest.objects.create(
        setup=setup,
        nonce=0,
        new_owners_hash=owners_hash([THIEF]),
        new_owners=[checksum_address(THIEF)],
        new_threshold=1,
        approvals=2,
        execute_after=CHAIN_TIME + 6 * DAY,
        started_block=100,
    )


def words_of(wallet: Wallet, url: str) -> str:
    return Page(wallet.client.get(url)).words


@pytest.mark.thorough
def test_every_page_of_every_owner_says_it(alice: Wallet, bob: Wallet, begun, subtests):
    own = [alice.url(name) for name in PAGES]
    others = [reverse(name) for name in ("passkeys", "help", "home")]
    for url in [*own, *others]:
        with subtests.test(url):
            response = alice.client.get(url, follow=True)
            page = Page(response)
            assert "A recovery of" in page.words
            assert "Cancel it by" in page.words
            assert checksum_address(THIEF) in page.words
            link = f"{alice.url('recovery')}#recovery-{begun.pk}"
            assert f'href="{link}"' in response.content.decode()
    assert "A recovery of" not in words_of(bob, bob.url("safe-detail"))


def test_who_only_looks_or_owned_it_once_sees_no_banner(
    alice: Wallet, bob: Wallet, begun
):
    Membership.objects.create(
        safe=alice.safe, user=bob.user, role=Role.VIEWER, created_by=alice.user
    )
    assert "A recovery of" not in words_of(bob, bob.url("safe-detail"))

    alice.safe.owners.update(is_current=False)
    assert "A recovery of" not in words_of(alice, reverse("passkeys"))


@pytest.mark.parametrize("status", ["finalized", "canceled", "replaced"])
def test_it_ends_with_the_recovery(alice: Wallet, begun, status):
    RecoveryRequest.objects.update(status=status, ended_block=101)

    assert "A recovery of" not in words_of(alice, alice.url("safe-detail"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (6 * DAY - 3_601, "if you did not ask for it"),
        (6 * DAY - 3_600, "Hardly any time is left"),
        (6 * DAY, "anybody can finish it at any moment"),
    ],
)
def test_how_much_time_is_left_is_the_chains(alice: Wallet, begun, seconds, words):
    Chain.objects.update(head_timestamp=CHAIN_TIME + seconds)

    assert words in words_of(alice, alice.url("safe-detail"))


def test_the_card_says_who_comes_and_who_goes(alice: Wallet, begun):
    owner = alice.safe.owners.get()
    words = words_of(alice, alice.url("recovery"))

    assert "Nobody that this site knows" in words
    assert checksum_address(THIEF)[:6] in words
    assert "Who would lose it You" in words

    RecoveryRequest.objects.update(
        new_owners=[owner.address_text, checksum_address(THIEF)]
    )
    words = words_of(alice, alice.url("recovery"))
    assert "You · an owner already" in words
    assert "Who would lose it" not in words


def test_owners_that_were_not_read_yet_are_said_to_be_read(alice: Wallet, begun):
    RecoveryRequest.objects.update(new_owners=None)

    words = words_of(alice, alice.url("recovery"))

    assert "They are being read from the chain" in words
    assert "owners that are being read" in words


def test_the_cancel_kit_has_both_calls_on_the_card_and_in_a_file(alice: Wallet, begun):
    card = words_of(alice, alice.url("recovery"))
    response = alice.get("recovery-kit")
    text = response.content.decode()

    for function in ("cancelRecovery()", "invalidateNonce()"):
        data = f"0x{selector(function).hex()}"
        assert f"data:  {data}\n" in text
        assert data in card
    assert checksum_address(MODULE) in text
    assert alice.safe.address_text in text
    assert "attachment" in response["Content-Disposition"]


def test_an_account_without_guardians_says_so(alice: Wallet):
    assert "No recovery has begun" in words_of(alice, alice.url("recovery"))
    assert "No recovery module was ever set up" in alice.get("recovery-kit").text


def test_a_hostile_name_is_text_in_the_banner(alice: Wallet, begun):
    type(alice.safe).objects.update(name="<b>\u202eevil</b>")

    body = alice.get("safe-detail").content.decode()

    assert "<b>\u202e" not in body
    assert "\u202e" not in body[body.index("A recovery of") :][:200]


def test_what_ended_is_history(alice: Wallet, begun):
    RecoveryRequest.objects.update(status="canceled", ended_block=4_321)

    words = words_of(alice, alice.url("recovery"))

    assert "Earlier recoveries Cancelled Block 100 to 4321" in words


def test_a_chain_without_a_confirmed_module_says_why_nothing_is_offered(
    alice: Wallet, settings
):
    assert "a stand-in for the recovery module" in words_of(
        alice, alice.url("recovery")
    )
    settings.LOCAL_CHAIN = False

    page = alice.get("recovery").text

    assert "has not confirmed the recovery module’s code there" in page
    assert "stand-in" not in page
    assert alice.url("recovery-set-up") not in page
