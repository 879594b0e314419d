"""System checks of the sponsor: settings that no start accepts (see ``checks``)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from onchain.amounts import COUNTED_MAX_WEI
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import to_address

LIMITS = (
    "SPONSOR_DAILY_OPERATIONS",
    "SPONSOR_DAILY_WEI",
    "SPONSOR_DAILY_TOTAL",
    "SPONSOR_DAILY_TOTAL_WEI",
    "SPONSOR_OPERATION_GAS",
    "SPONSOR_OPERATION_WEI",
    "SPONSOR_SAFETY_WEI",
    "SPONSOR_SAFETY_ACCOUNT_WEI",
    "SPONSOR_DEPOSIT_FLOOR_WEI",
)
# A part and the whole that it is taken from. A whole of 0 is a way to switch off.
PARTS = (
    ("SPONSOR_OPERATION_WEI", "SPONSOR_DAILY_WEI"),
    ("SPONSOR_DAILY_WEI", "SPONSOR_DAILY_TOTAL_WEI"),
    ("SPONSOR_DAILY_OPERATIONS", "SPONSOR_DAILY_TOTAL"),
)


def sponsor_errors() -> Iterator[CheckMessage]:
    """Return an error for each setting of the sponsor that cannot be meant."""
    yield from _paymaster_errors()
    yield from _service_errors()
    yield from _limit_errors()


def _paymaster_errors() -> Iterator[CheckMessage]:
    if not settings.PAYMASTER_ADDRESS:
        return
    try:
        to_address(settings.PAYMASTER_ADDRESS)
    except EncodingError:
        yield Error(
            "PAYMASTER_ADDRESS is not an address.",
            hint="Give 0x and 40 hex digits, with their checksum, or leave it empty.",
            id="latchkey.E009",
        )
    if settings.PAYMASTER_URL:
        yield Error(
            "PAYMASTER_ADDRESS and PAYMASTER_URL are both set.",
            hint="Choose one: a paymaster of your own, or a service's.",
            id="latchkey.E015",
        )


def _service_errors() -> Iterator[CheckMessage]:
    if not settings.PAYMASTER_URL:
        return
    if urlsplit(settings.PAYMASTER_URL).scheme not in {"http", "https"}:
        yield Error(
            "PAYMASTER_URL is no web address.",  # not shown: it may hold a key
            hint="Give the https address of an ERC-7677 service, or leave it empty.",
            id="latchkey.E016",
        )
    if not isinstance(settings.PAYMASTER_CONTEXT, dict):
        yield Error(
            "PAYMASTER_CONTEXT is no JSON object.",
            hint='Give one as the service asks for, such as {"policyId": "1"}.',
            id="latchkey.E017",
        )


def _limit_errors() -> Iterator[CheckMessage]:
    for name in LIMITS:
        if getattr(settings, name) < 0:
            yield Error(
                f"{name} is negative.",
                hint="Give 0 to sponsor nothing, or a limit.",
                id="latchkey.E018",
            )
    for part, whole in PARTS:
        if getattr(settings, part) > getattr(settings, whole) > 0:
            yield Error(
                f"{part} is more than {whole}.",
                hint="The smaller limit always decides: raise one or lower the other.",
                id="latchkey.E019",
            )
    if settings.SPONSOR_OPERATION_WEI > COUNTED_MAX_WEI:
        yield Error(
            "SPONSOR_OPERATION_WEI is more than can be counted.",
            hint=f"Give {COUNTED_MAX_WEI} or less.",
            id="latchkey.E020",
        )
