"""Changes of accounts in lists, in words."""

from __future__ import annotations

from django import template

from onchain import guardian_words
from onchain.change_words import line_of
from onchain.models import UserOperation

register = template.Library()


@register.filter
def change_line(op: UserOperation) -> tuple[str, str]:
    """Return what a change is called, and who or what it is about."""
    return line_of(op)


@register.filter
def delay_words(seconds: int | None) -> str:
    """Return how long owners can cancel a recovery, in days or minutes."""
    return "no known time" if seconds is None else guardian_words.delay_words(seconds)
