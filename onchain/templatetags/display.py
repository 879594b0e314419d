"""Filters that turn chain values into text: exact, and the same on every page.

Amounts are integers in wei from the database to the last digit on the page: no float
and no rounding happens here. ``static/js/signing.js`` compares the text these filters
print with what a passkey is about to sign, so their output is part of a contract.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Credential
from accounts.providers import UNKNOWN, provider_name
from accounts.visible_text import visible
from onchain import allowance_words
from onchain.amounts import ether_text
from onchain.models.owner import Owner, public_key_of
from onchain.protocol import p256
from onchain.protocol.types import Address, checksum_address

LEAD_DIGITS = 6  # decimals that stay large in a balance
GROUP = 4  # characters
NAME_LIMIT = 64  # characters of a passkey's name, with what is hidden spelt out
YEAR_10000 = 253_402_300_800  # seconds; a chain's clock has no such end

register = template.Library()


@register.filter
def eth(value_wei: int | None) -> str:
    """Return ``0.25 ETH``; empty when there is no amount."""
    return "" if value_wei is None else f"{ether_text(value_wei)} ETH"


@register.filter
def eth_parts(value_wei: int) -> dict[str, str]:
    """Return an amount as ``lead`` and ``tail``, which together are the whole text.

    A balance is one big number; decimals beyond the sixth are printed smaller, so
    that even the longest amount stays exact and fits a phone.
    """
    whole, point, decimals = ether_text(value_wei).partition(".")
    return {
        "lead": f"{whole}{point}{decimals[:LEAD_DIGITS]}",
        "tail": decimals[LEAD_DIGITS:],
    }


@register.filter
def short_address(address: Address | str) -> str:
    """Return the first six and the last four characters: ``0x7E5F…5Bdf``."""
    text = address_text(address)
    return f"{text[:6]}…{text[-4:]}"


@register.filter
def grouped_address(address: Address | str) -> SafeString:
    """Return the whole address in groups of four, spaced by style only.

    There is no white space between the spans: copied, searched or read by a script
    it is one string. ``wbr`` lets it break between groups on a narrow screen.
    """
    text = address_text(address)
    groups = [text[:2]]
    groups += [text[start : start + GROUP] for start in range(2, len(text), GROUP)]
    return format_html_join(
        mark_safe("<wbr>"),
        '<span class="me-[0.4em] last:me-0">{}</span>',
        ((group,) for group in groups),
    )


@register.filter
def key_fingerprint(passkey: Credential | None) -> str:
    """Return what a person tells a passkey's key by: ``1a2b 3c4d 5e6f 7081``."""
    return "" if passkey is None else p256.key_fingerprint(public_key_of(passkey))


@register.filter
def passkey_label(passkey: Credential | None) -> str:
    """Return the person's own name for it with its provider's, or only whose it is."""
    if passkey is None:
        return "Passkey that is not known here"
    provider = provider_name(passkey.aaguid)
    if not passkey.name:
        known = "an unknown provider" if provider == UNKNOWN else provider
        return f"Passkey from {known}"
    return f"{visible(passkey.name, limit=NAME_LIMIT)} ({provider})"


@register.filter
def passkey_phrase(passkey: Credential | None) -> str:
    """Return ``passkey_label`` as the middle of a sentence has it."""
    label = passkey_label(passkey)
    if passkey is not None and passkey.name:
        return label
    return f"the passkey{label.removeprefix('Passkey')}"


@register.filter
def owner_kind(owner: Owner) -> str:
    """Return what an owner is, for the beginning of a line."""
    is_unknown = owner.kind == Owner.Kind.UNKNOWN
    return "Unknown owner" if is_unknown else owner.get_kind_display()


@register.filter
def owner_label(owner: Owner) -> str:
    """Return what to call an owner that has no name: ``Unknown owner 0x7E5F…5Bdf``."""
    return f"{owner_kind(owner)} {short_address(owner.address_text)}"


@register.filter(name="hex")
def hex_text(value: bytes | memoryview | None) -> str:
    """Return ``0x`` and lower-case hex; empty when there is no value."""
    return "" if value is None else f"0x{bytes(value).hex()}"


@register.filter
def unix_time(seconds: int | None) -> datetime | None:
    """Return the moment in UTC of a chain timestamp; None where no calendar has it."""
    if seconds is None or not 0 <= seconds < YEAR_10000:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC)


@register.filter
def ago(moment: datetime | None) -> str:
    """Return how long ago a moment was, in the one unit a person would say."""
    if moment is None:
        return ""
    words = _one_unit(int((timezone.now() - moment).total_seconds()))
    return f"{words} ago" if words else "just now"


@register.filter
def time_left(seconds: int) -> str:
    """Return how long something still holds, in the one unit a person would say."""
    if words := _one_unit(seconds):
        return f"{words} left"
    return "less than a minute left" if seconds > 0 else "its time is over"


@register.filter
def took(span: timedelta) -> str:
    """Return how long somebody took, in the one unit a person would say."""
    words = _one_unit(int(span.total_seconds()))
    return f"after {words}" if words else "within a minute"


def _one_unit(seconds: int) -> str:
    """Return whole days, hours or minutes; empty: less than a minute."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = seconds // length
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return ""


@register.filter
def visible_text(text: str) -> str:
    """Return words of somebody else on one line, with what is hidden spelt out."""
    return visible(text, limit=NAME_LIMIT)


@register.filter
def is_allowance_module(address: str) -> bool:
    """Whether a module only lets named people spend named amounts."""
    return allowance_words.is_allowance_module(address)


@register.filter
def address_text(address: Address | str) -> str:
    """Return the checksummed text of 20 bytes; text is passed through."""
    return address if isinstance(address, str) else checksum_address(address)
