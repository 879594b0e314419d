"""Pausing and resuming from the console."""

from __future__ import annotations

import pytest
from django.test import Client

from onchain.models import Chain, JournalEntry
from onchain.services.pauses import Switch
from tests.onchain.console import url_of
from tests.pages import Page

pytestmark = pytest.mark.django_db


def press(client: Client, action: str) -> Page:
    """Choose the chain and an action; return the list as it is then."""
    chosen = {"action": action, "_selected_action": Chain.objects.get().pk}
    return Page(client.post(url_of(Chain, "changelist"), chosen, follow=True))


@pytest.mark.parametrize("switch", Switch)
def test_an_operator_pauses_and_resumes(switch: Switch, operator, everything):
    paused = press(operator, f"pause_{switch.label}")
    again = press(operator, f"pause_{switch.label}")
    resumed = press(operator, f"resume_{switch.label}")

    assert f"Paused {switch.label}: 1." in paused.words
    assert switch.label.capitalize() in paused.words
    assert "It was so before." in again.words
    assert f"Resumed {switch.label}: 1." in resumed.words
    assert JournalEntry.objects.filter(action__endswith=switch.label).count() == 2


@pytest.mark.parametrize("switch", Switch)
def test_a_person_pauses_nothing(switch: Switch, everything):
    press(everything.client, f"pause_{switch.label}")

    assert not getattr(Chain.objects.get(), switch.value)
