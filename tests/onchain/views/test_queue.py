"""What waits for approvals, on the pages: home, the list, review and progress."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import SecurityEvent
from onchain.models import Chain, OperationSignature, Owner, Role, Safe, UserOperation
from onchain.protocol.types import Address, checksum_address
from onchain.templatetags.display import short_address
from tests.factories import make_credential
from tests.pages import Page
from tests.several import ask_for, make_co_owner
from tests.wallets import (
    Status,
    Wallet,
    join,
    make_history,
    make_operation,
    make_review,
    operation_url,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(alice: Wallet) -> Wallet:
    """Who owns Alice's account with her; both must approve."""
    wallet = make_co_owner(alice.safe)
    ask_for(alice.safe, 2)
    return wallet


def approve(op: UserOperation, who: Wallet) -> None:
    """Approve as the browser does: read the review, touch, post."""
    page = Page(who.client.get(operation_url(op)))
    answer = who.answer(page.json["signing-request"])
    response = who.client.post(operation_url(op, "sign"), {"credential": answer})
    assert response.status_code == 302


def words(who: Wallet, op: UserOperation) -> str:
    return Page(who.client.get(operation_url(op))).words


def card_trigger(who: Wallet, op: UserOperation) -> str | None:
    """Return when the card asks for itself again, from its page and as a fragment."""
    cards = [
        Page(who.client.get(operation_url(op, name))).with_attribute("data-announce")
        for name in ("operation", "operation-card")
    ]
    page, fragment = (card[0].get("hx-trigger") for card in cards)
    assert page == fragment
    return page


# --- Review and progress ----------------------------------------------------------------


def test_the_review_says_who_approved_and_who_is_missing(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    seen = words(other, op)

    assert "1 of 2 approved" in seen
    assert f"{alice.user.name} Approved" in seen
    assert "Has not approved" in seen
    assert "Authorize with passkey" in seen
    assert "once 2 owners approved it" in seen


def test_an_owner_that_nobody_knows_is_named_by_its_address(
    alice: Wallet, other: Wallet
):
    address = Address(b"\x5a" * 20)
    alice.safe.owners.create(address=address, kind=Owner.Kind.UNKNOWN, position=2)
    op = make_review(alice)

    seen = words(other, op)

    assert f"Unknown owner {short_address(address)}" in seen
    assert checksum_address(address) in seen


def test_who_approved_sees_that_and_has_nothing_to_touch(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    page = Page(alice.client.get(operation_url(op)))

    assert "You approved this payment." in page.words
    assert "Authorize with passkey" not in page.words
    assert page.json == {}


def test_the_card_looks_for_the_others_once_mine_is_given(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    mine = card_trigger(alice, op)
    theirs = card_trigger(other, op)

    assert mine == "every 5s"
    assert theirs is None  # a ceremony would lose its form


def test_the_card_does_not_poll_while_another_key_of_mine_may_sign(
    alice: Wallet, other: Wallet
):
    ask_for(alice.safe, 3)
    credential = make_credential(user=alice.user)
    Owner.objects.create(
        safe=alice.safe, credential=credential, address=b"\x77" * 20, position=2
    )
    op = make_review(alice)
    approve(op, alice)

    assert card_trigger(alice, op) is None


@pytest.mark.parametrize("first", ["alice", "other"])
def test_approvals_come_in_any_order_and_the_last_one_sends(
    alice: Wallet, other: Wallet, first
):
    op = make_review(alice)
    order = [alice, other] if first == "alice" else [other, alice]

    approve(op, order[0])
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES
    approve(op, order[1])

    op.refresh_from_db()
    assert op.status == Status.SIGNED
    assert "Approved by" in words(alice, op)


def test_two_payments_wait_beside_each_other(alice: Wallet, other: Wallet):
    first, second = make_review(alice), make_review(alice, lane=1)

    approve(second, other)
    approve(first, alice)
    approve(second, alice)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.AWAITING_SIGNATURES, Status.SIGNED)


# R67
def test_a_removed_owners_approval_is_shown_as_void(alice: Wallet, other: Wallet):
    third = make_co_owner(alice.safe)
    op = make_review(alice)
    approve(op, third)
    OperationSignature.objects.update(voided_at=timezone.now())
    Owner.objects.filter(credential__user=third.user).update(is_current=False)

    seen = words(alice, op)

    assert "0 of 2 approved" in seen
    assert "this approval no longer counts" in seen


def test_one_owner_alone_sees_nothing_of_approvals(alice: Wallet):
    seen = words(alice, make_review(alice))

    assert "approved" not in seen
    assert "Ask the others" not in seen


def test_the_six_steps_count_the_approvals(alice: Wallet, other: Wallet):
    op = make_review(alice)
    assert "in progress 0 of 2 approved" in words(alice, op)

    approve(op, alice)

    assert "Signed in progress 1 of 2 approved" in words(alice, op)


def test_the_operations_page_costs_no_more_with_several(
    alice: Wallet, other: Wallet, django_assert_max_num_queries
):
    make_history(alice, 20)
    op = make_review(alice, lane=30)
    approve(op, alice)

    with django_assert_max_num_queries(17):
        alice.client.get(operation_url(op))


# --- The share link ---------------------------------------------------------------------


def test_the_share_link_opens_for_the_accounts_people_and_nobody_else(
    alice: Wallet, bob: Wallet, other: Wallet, settings
):
    op = make_review(alice)
    link = f"{settings.SITE_ORIGIN}{operation_url(op)}"

    page = Page(alice.client.get(operation_url(op)))

    assert {"data-copy": link}.items() <= next(
        item for item in page.with_attribute("data-copy") if item["data-copy"] == link
    ).items()
    assert other.client.get(operation_url(op)).status_code == 200
    assert bob.client.get(operation_url(op)).status_code == 404


# --- Home and the list ------------------------------------------------------------------


def test_home_says_what_waits_and_leads_to_its_review(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    page = Page(other.get("safe-detail"))

    assert "Waits for approval" in page.words
    assert "1 of 2 approved" in page.words
    assert "Approve : 0.25 ETH" in page.words
    hrefs = [item["href"] for item in page.with_attribute("href")]
    assert operation_url(op) in hrefs


def test_home_says_nothing_where_nothing_waits(alice: Wallet, other: Wallet):
    assert "Waits for approval" not in Page(alice.get("safe-detail")).words


def test_the_list_tells_mine_from_what_waits_for_others(alice: Wallet, other: Wallet):
    approve(make_review(alice), alice)
    make_review(alice, lane=1, value_wei=1)

    seen = Page(alice.get("queue")).words

    mine, others = seen.split("Waits for others")
    assert "0.000000000000000001 ETH" in mine.split("Waits for you")[1]
    assert "0.25 ETH" in others
    assert "Look at it" in others


def test_an_empty_list_says_what_it_is_for(alice: Wallet, other: Wallet):
    assert "Nothing waits for approval" in Page(alice.get("queue")).words


def test_there_is_no_approving_all_at_once(alice: Wallet, other: Wallet):
    make_review(alice)
    make_review(alice, lane=1)

    page = Page(alice.get("queue"))

    assert not [
        action
        for tag, action in page.elements
        if tag == "form" and "queue" in str(action)
    ]
    assert page.words.count("Approve :") == 2


@pytest.mark.parametrize("count", [1, 8])
def test_home_and_list_cost_the_same_however_much_waits(
    alice: Wallet, other: Wallet, count, django_assert_max_num_queries
):
    for lane in range(count):
        make_review(alice, lane=lane)

    for name in ("safe-detail", "queue"):
        with django_assert_max_num_queries(10):
            assert alice.get(name).status_code == 200


def test_a_viewer_reads_the_list_and_is_asked_for_nothing(alice: Wallet, other: Wallet):
    viewer = join(alice, Role.VIEWER)
    op = make_review(alice)

    assert "Approve" not in Page(viewer.get("queue")).words.replace("approved", "")
    assert "Remind who is missing" not in words(viewer, op)


# --- Reminding --------------------------------------------------------------------------


def test_reminding_tells_who_is_missing_once_a_day(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    first = alice.client.post(operation_url(op, "remind"), follow=True)
    second = alice.client.post(operation_url(op, "remind"), follow=True)

    assert "Reminded 1 person." in Page(first).words
    assert "was reminded today already" in Page(second).words
    event = SecurityEvent.objects.get(kind=SecurityEvent.Kind.APPROVAL_ASKED)
    assert event.user == other.user
    assert alice.safe.name in event.detail


# --- Sending what has enough. R67 -------------------------------------------------------


def test_a_dropped_threshold_offers_to_send_and_sends_nothing_by_itself(
    alice: Wallet, other: Wallet
):
    op = make_review(alice)
    approve(op, alice)
    ask_for(alice.safe, 1)

    page = Page(other.client.get(operation_url(op)))
    assert "Enough owners approved this" in page.words
    assert "Authorize with passkey" not in page.words
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES
    assert "Send now" in Page(other.get("safe-detail")).words

    response = other.client.post(operation_url(op, "send-now"))

    op.refresh_from_db()
    assert (response.status_code, op.status) == (302, Status.SIGNED)


def test_sending_early_is_refused_in_words(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, alice)

    response = alice.client.post(operation_url(op, "send-now"), follow=True)

    assert "Not enough owners approved this payment yet." in Page(response).words


# --- Outgrown. R21 ----------------------------------------------------------------------


def test_what_the_chain_outgrew_is_said_and_can_be_prepared_again(
    alice: Wallet, other: Wallet
):
    op = make_review(alice)
    approve(op, alice)
    Chain.objects.update(base_fee_wei=op.max_fee_per_gas + 1)

    seen = words(alice, op)
    response = alice.client.post(
        operation_url(op, "prepare-again"), {"idempotency_key": str(uuid.uuid4())}
    )

    assert "The network asks for more than this may pay" in seen
    assert "Approvals must be given again." in seen
    again = UserOperation.objects.latest("pk")
    assert response["Location"] == reverse("onchain:operation", args=[again.pk])
    assert again.predecessor == op
    op.refresh_from_db()
    assert op.status == Status.WITHDRAWN


def test_within_the_cap_the_review_says_what_it_holds_for(alice: Wallet, other: Wallet):
    seen = words(alice, make_review(alice))

    assert "no more than 2000000007 wei for each unit of gas" in seen
    assert "Now it asks for 1000000000" in seen
    assert "Prepare again" not in seen


def test_an_expired_proposal_says_so_and_offers_to_prepare_it_again(
    alice: Wallet, other: Wallet
):
    op = make_operation(alice, Status.EXPIRED, failure_code="expired")

    assert "Prepare again" in words(alice, op)
    assert Safe.objects.get(pk=alice.safe.pk).threshold == 2
