"""Searching rows by what operators paste: addresses and hashes, whole or short.

The columns hold bytes, so text is compared as bytes: checksummed or not is the same.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin

ADDRESS_DIGITS = 40
HASH_DIGITS = 64
PK_DIGITS = 18  # fewer than any integer that a database refuses
# 0x and digits, or the short form of our lists; without 0x only whole values.
_PREFIXED = re.compile(r"0x([0-9a-f]{2,64})(?:…[0-9a-f]*)?", re.ASCII)
_WHOLE = re.compile(rf"[0-9a-f]{{{ADDRESS_DIGITS}}}|[0-9a-f]{{{HASH_DIGITS}}}")


def hex_digits(text: str) -> str:
    """Return the hex digits that some pasted text begins with; empty for other text."""
    text = text.strip().lower()
    found = _PREFIXED.fullmatch(text)
    if found is not None:
        return found[1]
    return text if _WHOLE.fullmatch(text) else ""


def begins_with(name: str, digits: str, width: int) -> Q:
    """Return a condition on a column of bytes: equality where the value is whole."""
    if len(digits) > width:
        return Q(pk__in=[])
    if len(digits) == width:
        return Q(**{name: bytes.fromhex(digits)})
    bounds = (digits.ljust(width, "0"), digits.ljust(width, "f"))
    return Q(**{f"{name}__range": tuple(bytes.fromhex(bound) for bound in bounds)})


class ChainSearch(ReadOnlyAdmin):
    """A model that is found by addresses, hashes and its number too."""

    search_help_text = (
        "A name, a number, or an address or hash: whole or its beginning."
    )
    address_search: tuple[str, ...] = ()
    hash_search: tuple[str, ...] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Compare bytes with bytes, a number with the row's, and words with words."""
        digits = hex_digits(search_term)
        if digits and (self.address_search or self.hash_search):
            found = Q(pk__in=[])
            for name in self.address_search:
                found |= begins_with(name, digits, ADDRESS_DIGITS)
            for name in self.hash_search:
                found |= begins_with(name, digits, HASH_DIGITS)
            return queryset.filter(found), True
        results, duplicates = super().get_search_results(request, queryset, search_term)
        number = search_term.strip()
        if number.isascii() and number.isdigit() and len(number) <= PK_DIGITS:
            results = results | queryset.filter(pk=int(number))
        return results, duplicates
