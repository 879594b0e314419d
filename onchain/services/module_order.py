"""Where a module stands in the list of an account, as the follower read it."""

from __future__ import annotations

from onchain.change_errors import ConfigurationUnread
from onchain.models import ForeignConfiguration, Safe
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import previous_of as previous_in
from onchain.protocol.types import Address


def previous_of(*, safe: Safe, module: Address) -> Address:
    """Return what the account has before a module, in its own order.

    Raises:
        ConfigurationUnread: the order was never read; it is asked for now.
    """
    previous = previous_or_none(safe=safe, module=module)
    if previous is None:
        raise ConfigurationUnread
    return previous


def previous_or_none(*, safe: Safe, module: Address) -> Address | None:
    """Return what the account has before a module; None: it does not have it."""
    row = ForeignConfiguration.objects.filter(safe=safe).first()
    try:
        return previous_in(module, [] if row is None else row.module_list)
    except EncodingError:
        return None
