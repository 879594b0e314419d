"""How the console prints values: whole and exact, short in lists, never as repr.

Nothing here knows a chain; onchain.admin_display adds addresses, amounts and gas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Field
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

SHORT_HEX = (10, 6)  # characters of a hash that a list shows, at its two ends
EMPTY = "–"
AGES = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How one kind of value is printed in a list, and on its row's own page."""

    short: Callable[[Any], object]
    full: Callable[[Any], object]
    unit: str = ""  # that ends the field's name, and that the printed value states
    help: str | None = None  # instead of the field's own, which is about storage


def badge(text: object, tone: str) -> SafeString:
    """Return a state in words; the tone is good, busy, bad or quiet."""
    return format_html('<span class="state state-{}">{}</span>', tone, text)


def age(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or how soon it is, in its largest unit."""
    seconds = int(((now or timezone.now()) - moment).total_seconds())
    for unit, length in AGES:
        if abs(seconds) >= length:
            count = f"{abs(seconds) // length} {unit}"
            return f"{count} ago" if seconds > 0 else f"in {count}"
    return "now"


def moment_text(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def short_moment(moment: datetime) -> SafeString:
    """Return the age of a moment; pointing at it shows the moment."""
    return format_html(
        '<time class="age" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        moment_text(moment),
        age(moment),
    )


def full_moment(moment: datetime) -> SafeString:
    """Return a moment with its age."""
    return format_html(
        '<time datetime="{}">{}</time> <span class="quiet">({})</span>',
        moment.isoformat(),
        moment_text(moment),
        age(moment),
    )


def hex_text(value: bytes | memoryview) -> str:
    """Return ``0x`` and lower-case hex."""
    return f"0x{bytes(value).hex()}"


def short_code(text: str, *, ends: tuple[int, int]) -> SafeString:
    """Return the two ends of a long word; pointing at it shows the whole."""
    head, tail = ends
    if len(text) <= head + tail + 1:
        return format_html('<code class="hex">{}</code>', text)
    return format_html(
        '<code class="hex" title="{}">{}…{}</code>', text, text[:head], text[-tail:]
    )


def full_code(text: str) -> SafeString:
    """Return a whole word that one click selects."""
    return format_html('<code class="hex whole">{}</code>', text)


def yes_or_no(value: bool) -> str:
    """Return a word: whether yes is good depends on the question."""
    return "Yes" if value else "No"


MOMENT = Format(short=short_moment, full=full_moment)
WORD = Format(short=yes_or_no, full=yes_or_no)
HEX = Format(
    short=lambda value: short_code(hex_text(value), ends=SHORT_HEX),
    full=lambda value: full_code(hex_text(value)),
)


class Column:
    """One model field as Django's admin takes it from a callable, under its own name.

    The field's label, help text and order stay; how its values are printed changes.
    """

    def __init__(
        self, field: Field[Any, Any], show: Callable[[Any], object], *, unit: str = ""
    ) -> None:
        self.__name__ = field.name
        label = str(field.verbose_name).removesuffix(f" {unit}")
        self.short_description = capfirst(label)
        self.admin_order_field = field.name
        self.show = show

    def __call__(self, row: Any) -> object:
        value = getattr(row, self.__name__)
        return EMPTY if value is None or value in ("", b"") else self.show(value)
