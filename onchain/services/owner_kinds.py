"""What owners are that nobody has recognised: a wallet or a contract, by its code."""

from __future__ import annotations

import logging

from django.db.models import QuerySet

from onchain.clients.node import Node
from onchain.models import Chain, Owner
from onchain.protocol.types import Address

logger = logging.getLogger(__name__)

READ_AT_ONCE = 50  # addresses in one request
# EIP-7702: a wallet that lets a contract's code run for it is still its key's.
DELEGATION = b"\xef\x01\x00"


def unread(*, chain: Chain) -> QuerySet[Owner]:
    """Return the owners of which not even the code was looked at."""
    return Owner.objects.current().filter(
        safe__chain=chain, kind=Owner.Kind.UNKNOWN, credential=None, holder=None
    )


def read(*, chain: Chain, node: Node) -> None:
    """Write what the newest block has at unrecognised owners, some at a time.

    Safe to repeat. A passkey's signer is a contract too, until its person proves it.

    Raises:
        TransientClientError: the node is out of reach; the rows are unchanged.
    """
    owners = list(unread(chain=chain).order_by("pk")[:READ_AT_ONCE])
    if not owners:
        return
    addresses = [Address(owner.address) for owner in owners]
    codes = node.codes(addresses, "latest")
    for owner, code in zip(owners, codes, strict=True):
        is_wallet = code == b"" or code.startswith(DELEGATION)
        kind = Owner.Kind.WALLET if is_wallet else Owner.Kind.CONTRACT
        # Somebody may have proven it meanwhile, and then it is known better.
        unread(chain=chain).filter(pk=owner.pk).update(kind=kind)
    logger.info("read what %s owners are", len(owners))
