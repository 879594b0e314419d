"""Who could bring an account back, by the chain alone, for whoever asks.

The answer holds nothing that this site knows of the account or its people: an address
tells a stranger here what it tells them everywhere.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import Chain, Owner, RecoveryLookup, Safe
from onchain.protocol.abi import keccak
from onchain.protocol.configuration import SAFE_PROXY_CODE_HASH
from onchain.protocol.deployments import (
    MULTICALL3,
    RECOVERY_MODULES,
    SAFE_4337_MODULE,
    SAFE_L2,
    VERIFIERS,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import Recovery
from onchain.protocol.recovery_state import decode_state, state_data
from onchain.protocol.types import Address, checksum_address, to_address

logger = logging.getLogger(__name__)

Status = RecoveryLookup.Status
AGAIN_SECONDS = 10  # an answer that is younger is given again


def ask(*, chain: Chain, address: Address) -> RecoveryLookup:
    """Leave a question for a worker, or return the answer of a moment ago."""
    lookup, created = RecoveryLookup.objects.get_or_create(
        chain=chain, address=address, defaults={"asked_at": timezone.now()}
    )
    again = timezone.now() - timedelta(seconds=AGAIN_SECONDS)
    if not created and lookup.asked_at < again and lookup.status != Status.READING:
        RecoveryLookup.objects.transition(
            lookup.pk,
            source=lookup.status,
            target=Status.READING,
            failure_code="",
            asked_at=timezone.now(),
        )
        lookup.refresh_from_db()
    return lookup


def read(*, lookup: RecoveryLookup, node: Node) -> None:
    """Ask the chain about an address and write what it says. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if lookup.status != Status.READING:
        return
    record = node.account_record(Address(lookup.address))
    owners, configuration = record.owners, record.configuration
    is_ours = keccak(record.code) == SAFE_PROXY_CODE_HASH and record.code
    if not is_ours or owners is None or configuration is None:
        _move(lookup, Status.REFUSED, failure_code="no-account")
        return
    if configuration.singleton != SAFE_L2:
        _move(lookup, Status.REFUSED, failure_code="no-account")
        return
    setups = [
        found
        for delay, module in sorted(RECOVERY_MODULES.items())
        if module in configuration.modules
        and (found := _setup(lookup, delay, module, node)) is not None
    ]
    _move(
        lookup,
        Status.FOUND,
        owners=[checksum_address(owner) for owner in owners.owners],
        threshold=owners.threshold,
        # A passkey acts through the 4337 module only.
        setups=setups if SAFE_4337_MODULE in configuration.modules else [],
    )


def _setup(
    lookup: RecoveryLookup, delay: int, module: Address, node: Node
) -> dict[str, Any] | None:
    nobody = Recovery(
        module=module,
        account=Address(lookup.address),
        new_owners=[],
        new_threshold=0,
    )
    try:
        answer = node.call(MULTICALL3, state_data(nobody, guardians=[]))
        state = decode_state(answer, guardians=[])
    except ClientError as error:
        raise TransientClientError(error.code) from error
    except EncodingError:
        return None  # the chain has no module there
    if state.guardian_threshold == 0:
        return None
    return {
        "module": checksum_address(module),
        "delay": delay,
        "threshold": state.guardian_threshold,
        "guardians": [checksum_address(guardian) for guardian in state.guardians],
        "has_begun": state.request is not None,
    }


def _move(lookup: RecoveryLookup, target: str, **fields: Any) -> None:
    RecoveryLookup.objects.transition(
        lookup.pk, source=Status.READING, target=target, **fields
    )
    logger.info("recovery lookup %s is %s", lookup.pk, target)


def account_of(*, lookup: RecoveryLookup, user: User) -> Safe:
    """Return the row of a found account, made if this site did not know it.

    It becomes nobody's by that: a person sees an account once a key of theirs is an
    owner on chain.
    """
    safe, created = Safe.objects.get_or_create(
        chain=lookup.chain,
        address=lookup.address,
        defaults={
            "created_by": user,
            "name": "Recovered account",
            "layout": Safe.Layout.IMPORTED,
            "verifiers": VERIFIERS,
            "setup_data": b"",
            "threshold": lookup.threshold,
            "status": Safe.Status.DEPLOYED,
            "deployed_block": lookup.chain.head_number,
        },
    )
    if created:
        Owner.objects.bulk_create(
            Owner(
                safe=safe,
                kind=Owner.Kind.UNKNOWN,
                address=to_address(owner),
                position=position,
            )
            for position, owner in enumerate(lookup.owners)
        )
    return safe


def co_owners_suffice(lookup: RecoveryLookup) -> bool:
    """Whether those who are left without one key can replace it themselves."""
    return len(lookup.owners) - 1 >= lookup.threshold
