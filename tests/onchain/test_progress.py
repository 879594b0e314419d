"""The six steps that a person sees, in every state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.models import UserOperation
from onchain.models.operation_states import Carrier, Status
from onchain.progress import NAMES, another_way, steps_of, still_trying
from tests.factories import in_each_status, make_operation, make_wallet

MARKS = {"done": "x", "current": ">", "todo": ".", "failed": "!"}


@pytest.fixture(autouse=True)
def two_confirmations(settings):
    settings.CONFIRMATIONS = 2


def operation(status: Status, **changes) -> UserOperation:
    fields = in_each_status()[status] | changes
    return make_operation(make_wallet(), status=status, **fields)


def picture(op: UserOperation) -> str:
    """The six steps as one letter each."""
    return "".join(MARKS[step.state] for step in steps_of(op))


def test_the_steps_have_their_names(db):
    assert [step.name for step in steps_of(operation(Status.DRAFT))] == list(NAMES)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.DRAFT, ">....."),
        (Status.AWAITING_SIGNATURES, "x>...."),
        (Status.SIGNED, "xxx>.."),
        (Status.SUBMITTED, "xxxx>."),
        (Status.REVERTED, "xxxx!."),
        (Status.REJECTED, "xxx!.."),
        (Status.EXPIRED, "x!...."),
        (Status.WITHDRAWN, "x....."),
        (Status.REPLACED, "xxxx!."),
    ],
)
def test_each_state_has_its_picture(db, status: Status, expected: str):
    assert picture(operation(status)) == expected


@pytest.mark.parametrize(
    ("block", "expected"), [(100, "xxxxx>"), (99, "xxxxxx"), (50, "xxxxxx")]
)
def test_an_included_one_is_done_once_confirmed(db, block: int, expected: str):
    assert picture(operation(Status.INCLUDED, block_number=block)) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"prepared_at": None}, "!....."),
        ({}, "x!...."),
        ({"signed_at": "now"}, "xxx!.."),
        ({"signed_at": "now", "submitted_at": "now"}, "xxxx!."),
    ],
)
def test_an_expired_one_failed_where_it_stood(db, times, expected: str):
    now = operation(Status.EXPIRED).prepared_at
    times = {name: now if value == "now" else value for name, value in times.items()}

    assert picture(operation(Status.EXPIRED, **times)) == expected


def test_a_waiting_step_says_what_it_waits_for(db):
    for status in (Status.DRAFT, Status.AWAITING_SIGNATURES, Status.SIGNED):
        (current,) = [
            step for step in steps_of(operation(status)) if step.state == "current"
        ]
        assert current.hint


def test_the_last_step_counts_the_blocks(db):
    steps = steps_of(operation(Status.INCLUDED, block_number=100))

    assert steps[-1].hint == "1 of 2 blocks"


@pytest.mark.parametrize("status", [Status.REJECTED, Status.WITHDRAWN, Status.EXPIRED])
def test_an_ended_one_waits_for_nothing(db, status: Status):
    assert all(not step.hint for step in steps_of(operation(status)))


# --- Still trying -----------------------------------------------------------------------


def trouble(status: Status, problem: str) -> str:
    return still_trying(operation(status, last_problem=problem))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("the account is not live yet", "being set up first"),
        ("another payment took the nonce", "goes first"),
        ("ConnectionError", "does not answer"),
        ("ReadTimeout", "too long"),
        ("HTTP 429", "slow down"),
        ("node error -32005", "slow down"),
        ("the bundler answers with another hash", "Asking again"),
    ],
)
@pytest.mark.parametrize("status", [Status.DRAFT, Status.SIGNED])
def test_what_holds_a_worker_up_is_said_in_words(db, status, problem, words):
    assert words in trouble(status, problem)


@pytest.mark.parametrize(
    "status", [s for s in Status if s not in (Status.DRAFT, Status.SIGNED)]
)
def test_an_old_problem_is_not_told_any_more(db, status: Status):
    assert trouble(status, "ConnectTimeout") == ""


def test_while_all_is_well_nothing_is_said(db):
    assert trouble(Status.SIGNED, "") == ""


# --- Who has it -------------------------------------------------------------------------


def carried_by(carrier: str, seconds: int = 12) -> UserOperation:
    handed_at = timezone.now() - timedelta(seconds=seconds, milliseconds=100)
    return operation(Status.SUBMITTED, carrier=carrier, handed_at=handed_at)


@pytest.mark.parametrize(
    ("carrier", "seconds", "words"),
    [
        ("", 12, "Waiting for the next block"),
        (Carrier.BUNDLER, 12, "Handed to the bundler 12 s ago"),
        (Carrier.BUNDLER, 0, "Handed to the bundler 0 s ago"),
        (Carrier.BUNDLER, -3, "Handed to the bundler 0 s ago"),
        (Carrier.SECOND_BUNDLER, 59, "Handed to the second bundler 59 s ago"),
        (Carrier.SECOND_BUNDLER, 60, "Handed to the second bundler 1 min ago"),
        (Carrier.RELAYER, 12, "Sent by this site's own relayer"),
    ],
)
def test_a_sent_one_says_who_has_it(db, carrier: str, seconds: int, words: str):
    (current,) = [
        step
        for step in steps_of(carried_by(carrier, seconds))
        if step.state == "current"
    ]

    assert (current.name, current.hint) == ("Included", words)


@pytest.mark.parametrize("carrier", ["", *Carrier])
def test_only_after_the_first_turn_it_says_that_another_way_is_tried(db, carrier):
    words = another_way(carried_by(carrier))

    assert ("another way" in words) == (carrier not in ("", Carrier.BUNDLER))


@pytest.mark.parametrize("status", [s for s in Status if s != Status.SUBMITTED])
def test_once_it_is_in_a_block_nothing_else_is_tried(db, status: Status):
    assert another_way(operation(status, carrier=Carrier.RELAYER)) == ""
