"""The six steps that a person sees, in every state."""

from __future__ import annotations

import pytest

from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.progress import NAMES, steps_of, still_trying
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
        ("ConnectTimeout", "does not answer"),
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
