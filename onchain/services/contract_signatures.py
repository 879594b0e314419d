"""Asking a contract whether it signed (EIP-1271), as a Safe 1.4.1 asks its owners.

Such a Safe calls the older ``isValidSignature(bytes,bytes)`` with what was hashed, and
so does this: a contract that only answers to a hash could never sign for the account.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.protocol.types import Address, checksum_address
from onchain.protocol.wallet_signature import (
    OLDER_MAGIC,
    older_is_valid_signature_data,
)

logger = logging.getLogger(__name__)


def accepts(
    *, node: Node, contract: Address, messages: Sequence[bytes], signature: bytes
) -> bool:
    """Whether the contract says so for one of these messages; a revert is a no.

    Raises:
        TransientClientError: the node is out of reach.
    """
    return any(
        _accepts(node, contract, older_is_valid_signature_data(message, signature))
        for message in messages
    )


def _accepts(node: Node, contract: Address, data: bytes) -> bool:
    try:
        answer = node.call(contract, data)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        logger.info("contract %s refuses: %s", checksum_address(contract), error)
        return False
    if answer[:4] != OLDER_MAGIC:
        logger.info("contract %s says no", checksum_address(contract))
    return answer[:4] == OLDER_MAGIC
