"""Guardians as the chain has them, written into rows.

The events of the recovery modules and of the accounts say where to look; what is there
is read at the follower's newest block, in one request for all that are due. Accounts
that nothing happened to are never asked about. A guardian is linked to a person only
where they proved their key for exactly this role and account (security.md R6).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.db.models.functions import Now

from onchain.clients.node_recovery import RecoveryRecord
from onchain.clients.node_types import LogRecord
from onchain.models import (
    Chain,
    Guardian,
    KeyProof,
    RecoverySetup,
    Safe,
    WalletProof,
)
from onchain.protocol.configuration import Configuration
from onchain.protocol.recovery_reads import MODULES
from onchain.protocol.types import Address
from onchain.services import guardian_news, recovery_requests, signers, wallet_proofs

logger = logging.getLogger(__name__)

Pair: TypeAlias = tuple[Safe, Address]  # an account and a module
Proof: TypeAlias = KeyProof | WalletProof

READ_AT_ONCE = 25  # set-ups that one pass asks about, in one request
MAX_GUARDIANS = 500  # what a set-up has beyond this is not listed


# --- What is asked --------------------------------------------------------------------


def touched(
    *,
    chain: Chain,
    logs: Sequence[LogRecord],
    changed: Sequence[Safe],
    configured: Mapping[Safe, Configuration | None],
) -> list[Pair]:
    """Return the set-ups that a range of blocks may change.

    Those that the modules name, those of accounts that may have enabled or disabled
    one, and those of accounts whose modules were read just now: guardians of an account
    that came from elsewhere are found so.
    """
    named = recovery_requests.named(chain=chain, logs=logs)
    found = {(safe, module): None for safe, module, _log in named}
    for safe, configuration in configured.items():
        for module in () if configuration is None else configuration.modules:
            if module in MODULES:
                found[safe, module] = None
    if changed:
        rows = RecoverySetup.objects.filter(safe__in=changed).select_related("safe")
        found |= {(row.safe, Address(row.module)): None for row in rows.order_by("pk")}
    return list(found)


def due(*, chain: Chain, touched: Sequence[Pair]) -> list[Pair]:
    """Return the set-ups to ask about now: the touched ones, and those never read.

    Bounded: the others wait, marked as to be read. Neither those that change all the
    time nor those that come first by age can keep the others from their turn.
    """
    # Without the accounts: nothing of a pass looks at all of them.
    unread = RecoverySetup.objects.filter(read_block__isnull=True)
    rows = list(unread.order_by("pk")[: READ_AT_ONCE * 2])
    if len(rows) == READ_AT_ONCE * 2:
        rows = list(unread.order_by("?")[:READ_AT_ONCE])
    named = Safe.objects.filter(pk__in=[row.safe_id for row in rows], chain=chain)
    safes = {safe.pk: safe for safe in named} if rows else {}
    waiting = [
        (safes[row.safe_id], Address(row.module))
        for row in rows
        if row.safe_id in safes
    ]
    first = set(touched)
    rest = [pair for pair in waiting if pair not in first][:READ_AT_ONCE]
    kept = max(READ_AT_ONCE - len(rest), READ_AT_ONCE // 2)
    return [*touched[:kept], *rest][:READ_AT_ONCE]


def read_again(*, safe: Safe) -> None:
    """Let the follower read an account's set-ups with the next block.

    For whoever proved a key as a guardian's after it was on chain.
    """
    safe.recovery_setups.update(read_block=None)


# --- What is written ------------------------------------------------------------------


def apply(*, found: Mapping[Pair, RecoveryRecord | None], block_number: int) -> None:
    """Write what was read, and mark what is still to be read: None.

    Repeating it changes nothing. Call it in the transaction of the block, after its
    logs.
    """
    for (safe, module), record in found.items():
        setup, _created = RecoverySetup.objects.get_or_create(safe=safe, module=module)
        if record is None:
            RecoverySetup.objects.filter(pk=setup.pk).update(read_block=None)
            continue
        before = guardian_news.state_of(setup)
        if record.guardians is None:
            logger.error("%s does not say who the guardians are", setup)
        else:
            guardians = list(dict.fromkeys(record.guardians))[:MAX_GUARDIANS]
            _write_guardians(setup, guardians)
        recovery_requests.write(setup=setup, record=record, block_number=block_number)
        _write(setup, record, block_number)
        if not before.is_active:
            active = RecoverySetup.objects.filter(is_enabled=True, threshold__gt=0)
            active.filter(pk=setup.pk).update(active_since=Now())
        guardian_news.tell(setup, before=before)


def _write(setup: RecoverySetup, record: RecoveryRecord, block_number: int) -> None:
    fields: dict[str, Any] = {
        "is_enabled": record.is_enabled,
        "read_block": block_number,
    }
    if record.threshold is not None:
        fields["threshold"] = min(record.threshold, recovery_requests.MOST)
    if record.nonce is not None:
        fields["nonce"] = record.nonce
    RecoverySetup.objects.filter(pk=setup.pk).update(**fields)


def _write_guardians(setup: RecoverySetup, addresses: Sequence[Address]) -> None:
    rows = {bytes(row.address): row for row in setup.guardians.all()}
    unlinked = [
        address
        for address in addresses
        if address not in rows or rows[address].proven_at is None
    ]
    proofs = _proofs(setup.safe, unlinked)
    for position, address in enumerate(addresses):
        row = rows.pop(bytes(address), None)
        link = _link(proofs.get(address))
        if row is None:
            row = setup.guardians.create(address=address, position=position, **link)
            logger.info("guardian %s of %s appeared", row.pk, setup)
            continue
        changed = {"position": position, "is_current": True} | link
        if any(getattr(row, name) != value for name, value in changed.items()):
            Guardian.objects.filter(pk=row.pk).update(**changed)
    gone = [row.pk for row in rows.values() if row.is_current]
    if gone:
        Guardian.objects.filter(pk__in=gone).update(is_current=False)
        logger.info("guardians %s are guardians no more", gone)


def _proofs(safe: Safe, addresses: Sequence[Address]) -> dict[Address, Proof]:
    """Return, by address, the proofs that these are guardians' keys, and whose."""
    if not addresses:
        return {}
    role = KeyProof.Role.GUARDIAN
    found: dict[Address, Proof] = {
        **wallet_proofs.proven(safe=safe, addresses=addresses, role=role)
    }
    passkeys = KeyProof.objects.filter(
        safe=safe, role=role, status=KeyProof.Status.PROVEN, signer__in=addresses
    )
    return found | {
        Address(proof.signer): proof
        for proof in passkeys.select_related("credential__user").order_by("-pk")
        # The stored signer must be its key's, as an owner's must.
        if signers.signer_for(public_key=proof.public_key, safe=safe) == proof.signer
    }


def _link(proof: Proof | None) -> dict[str, Any]:
    """Return whose a guardian is and what it is, as its person proved it."""
    if proof is None:
        return {}
    if isinstance(proof, WalletProof):
        link = {"holder": proof.user, "kind": wallet_proofs.kind_of(proof)}
    else:
        link = {"credential": proof.credential, "kind": Guardian.Kind.PASSKEY}
    return link | {"proven_at": proof.signed_at}
