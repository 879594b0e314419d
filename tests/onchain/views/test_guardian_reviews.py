"""The review and the progress of each change of guardians, in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from onchain.change_words import STAGES, line_of
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import checksum_address
from onchain.templatetags.display import short_address
from tests.factories import World, make_world
from tests.onchain.services.guarding import (
    ASKS,
    NEW,
    add,
    guard,
    prove_guardians,
    set_up,
)
from tests.onchain.services.recoveries import GUARDIANS
from tests.pages import Page
from tests.tampering import tamper
from tests.wallets import operation_url

pytestmark = pytest.mark.django_db
Kind = UserOperation.Kind
SENTENCES = {
    "set up": "2 of 3 guardians can give this account new owners. Its owners then have "
    "3 minutes to cancel that.",
    "set up anew": "The recovery that has begun ends with it.",
    "add": "is a guardian, and 2 of 4 guardians must approve a recovery.",
    "revoke": "is no guardian any more, and 2 of 2 guardians must approve a recovery.",
    "change": "After this, 3 of 3 guardians must approve a recovery.",
    "cancel": "After this, the recovery that has begun is over",
    "end": "nobody can give this account new owners but its owners.",
}
LINES = {
    "set up": "2 of 3 guardians",
    "add": short_address(NEW),
    "revoke": short_address(GUARDIANS[1]),
    "change": "3 of 3 guardians",
    "cancel": "3 minutes",
    "end": "3 minutes",
}
SHOWN = {
    "set up": ("guardian-1", "guardian-2", "guardian-3", "guardian-threshold"),
    "set up anew": ("revoked-1", "revoked-2", "guardian-3", "cancels-recovery"),
    "add": ("guardian-1", "guardian-threshold"),
    "revoke": ("removed", "guardian-threshold"),
    "change": ("guardian-threshold",),
    "cancel": (),
    "end": ("revoked-1", "revoked-2", "revoked-3"),
}


def page_of(world: World, op: UserOperation) -> Page:
    client = Client()
    client.force_login(world.wallet.user)
    return Page(client.get(operation_url(op)))


def test_the_review_says_first_what_is_so_afterwards(subtests: Any):
    for name, sentence in SENTENCES.items():
        with subtests.test(name):
            world = make_world()
            op = world.prepare(ASKS[name](world))

            page = page_of(world, op)

            assert sentence in page.words
            assert page.signed["change"]["value"] == op.kind
            assert page.signed["delay"] == {"text": "3 minutes", "value": "180"}
            assert set(SHOWN[name]) <= set(page.signed)
            assert "Authorize with passkey" in page.words
            if name in LINES:
                assert line_of(op) == (STAGES[op.kind].line, LINES[name])
            for status, words in {
                Status.DRAFT: "line",
                Status.SIGNED: "doing",
                Status.INCLUDED: "done",
                Status.REJECTED: "not_done",
            }.items():
                block = 1 if status == Status.INCLUDED else None
                tamper(op, status=status, block_number=block)
                assert getattr(STAGES[op.kind], words) in page_of(world, op).words


def test_guardians_are_named_whole_and_by_what_is_known_of_them(subtests: Any):
    world = make_world()
    prove_guardians(world, *GUARDIANS)

    page = page_of(world, world.prepare(set_up(world)))

    for place, guardian in enumerate(GUARDIANS, 1):
        assert page.shown(f"guardian-{place}") == checksum_address(guardian)
    assert world.wallet.user.name in page.words
    assert "One owner alone can cancel every recovery" in page.words


def test_red_stands_where_an_account_can_be_lost(subtests: Any):
    for threshold, count, warning in (
        (1, 1, "One guardian alone can then give this account new owners"),
        (1, 2, "Each guardian alone can then give this account new owners"),
        (3, 3, "All 3 guardians must then approve."),
        (2, 3, ""),
    ):
        with subtests.test(f"{threshold} of {count}"):
            world = make_world()
            prove_guardians(world, *GUARDIANS)
            op = set_up(world, guardians=GUARDIANS[:count], threshold=threshold)

            page = page_of(world, world.prepare(op))

            assert warning in page.words
            if not warning:
                assert "Each guardian alone" not in page.words
                assert "must then approve" not in page.words


def test_turning_it_off_says_what_is_lost():
    world = make_world()

    page = page_of(world, world.prepare(ASKS["end"](world)))

    assert "the money stays where it is for ever" in page.words


def test_a_contract_that_nobody_proved_is_said_to_be_one():
    world = make_world()
    guard(world)
    world.node.account_codes[NEW] = b"\x60"
    page = page_of(world, world.prepare(add(world, is_proof_waived=True)))

    assert "Nobody has shown that this contract can approve." in page.words
    assert "Address that has proven nothing here" in page.words
