"""Which of many addresses are accounts of ours.

Blocks name thousands of addresses and few are known here: they are matched in a query
for every few thousand of them, whatever the number of accounts.
"""

from __future__ import annotations

from collections.abc import Iterable

from onchain.models import Chain, Safe
from onchain.protocol.types import Address

ADDRESSES_AT_ONCE = 5_000  # parameters of one query; SQLite takes 32,766 at least


def known_accounts(
    *, chain: Chain, addresses: Iterable[Address]
) -> dict[Address, Safe]:
    """Return the accounts of the chain that are among these addresses."""
    named = sorted(set(addresses))
    found: dict[Address, Safe] = {}
    for start in range(0, len(named), ADDRESSES_AT_ONCE):
        some = named[start : start + ADDRESSES_AT_ONCE]
        for safe in Safe.objects.filter(chain=chain, address__in=some):
            found[Address(safe.address)] = safe
    return found
