"""The operators' switches: what they stop is written down (R26)."""

from __future__ import annotations

import pytest

from onchain.models import Chain, JournalEntry
from onchain.services import pauses
from onchain.services.pauses import Switch
from tests.factories import make_chain, make_operator

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("switch", Switch)
def test_each_press_that_changes_something_is_in_the_journal(switch: Switch):
    chain, operator = make_chain(), make_operator()

    changed = [
        pauses.set_paused(
            chain=chain, switch=switch, is_paused=is_paused, actor=operator
        )
        for is_paused in (True, True, False, False)
    ]

    assert changed == [True, False, True, False]
    lines = JournalEntry.objects.order_by("pk").values_list("actor", "action", "target")
    assert list(lines) == [
        (operator.pk, f"{verb}-{switch.label}", str(chain))
        for verb in ("pause", "resume")
    ]
    assert not getattr(Chain.objects.get(), switch.value)
