"""Adding an account that was made elsewhere: asked about by address, read, proven.

Knowing an address shows nothing that the chain does not show everybody, and adds
nothing: the account becomes visible to a person when one of their passkeys, which the
chain has among its owners, proves itself for exactly this account (security.md R6).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Credential, User
from onchain.clients.node import Node
from onchain.clients.node_configurations import AccountRecord
from onchain.errors import TooManyLookups
from onchain.models import AccountLookup, Chain, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.abi import keccak
from onchain.protocol.configuration import SAFE_PROXY_CODE_HASH, Configuration
from onchain.protocol.deployments import SAFE_4337_MODULE, SAFE_L2, SHARED_SIGNER
from onchain.protocol.shared_signer import KNOWN_VERIFIERS
from onchain.protocol.types import Address, checksum_address
from onchain.services import configurations, owner_sync, signers

logger = logging.getLogger(__name__)

LOOKUPS_PER_HOUR = 30  # of one person; each asks the node twenty things
AGAIN_SECONDS = 10  # an answer that is younger is given again
Status = AccountLookup.Status


class Refused(Exception):
    """Why an account cannot be added; the argument is the code of its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """One of the person's passkeys among an account's owners."""

    credential: Credential
    address: Address
    verifiers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts of an account."""

    owners: Sequence[Address]
    threshold: int
    configuration: Configuration


def ask(*, user: User, chain: Chain, address: Address) -> AccountLookup:
    """Leave a question for a worker; one for each address, asked again if repeated.

    Raises:
        TooManyLookups: the person asked too often in the last hour.
    """
    since = timezone.now() - timedelta(hours=1)
    if user.lookups.filter(asked_at__gte=since).count() >= LOOKUPS_PER_HOUR:
        raise TooManyLookups
    lookup, created = AccountLookup.objects.get_or_create(
        user=user,
        chain=chain,
        address=address,
        defaults={"asked_at": timezone.now()},
    )
    again = timezone.now() - timedelta(seconds=AGAIN_SECONDS)
    if not created and lookup.asked_at < again:
        for source in (Status.FOUND, Status.REFUSED):
            AccountLookup.objects.transition(
                lookup.pk,
                source=source,
                target=Status.READING,
                failure_code="",
                asked_at=timezone.now(),
            )
        lookup.refresh_from_db()
    return lookup


def read(*, lookup: AccountLookup, node: Node) -> None:
    """Ask the chain about an account and write what it says. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if lookup.status != Status.READING:
        return
    record = node.account_record(Address(lookup.address))
    try:
        facts = _facts(lookup, record)
        own = _own_key(lookup, facts)
    except Refused as refusal:
        _refuse(lookup, str(refusal))
        return
    _write(lookup, record, facts, own)


@transaction.atomic
def _write(
    lookup: AccountLookup, record: AccountRecord, facts: Facts, own: OwnKey
) -> None:
    safe = _account(lookup, facts, own, balance_wei=record.balance_wei)
    # Whoever proved a passkey for it before is linked as soon as it is read again.
    Safe.objects.filter(pk=safe.pk).update(owners_synced_block=None)
    AccountLookup.objects.transition(
        lookup.pk,
        source=Status.READING,
        target=Status.FOUND,
        safe=safe,
        credential=own.credential,
        own_address=own.address,
        owners=[checksum_address(owner) for owner in facts.owners],
        threshold=facts.threshold,
        findings=[
            [kind, checksum_address(at)] for kind, at in facts.configuration.powers
        ],
        transaction_count=record.transaction_count,
        balance_wei=record.balance_wei,
    )
    logger.info("lookup %s found safe %s", lookup.pk, safe.pk)


def _refuse(lookup: AccountLookup, code: str) -> None:
    logger.info("lookup %s refused: %s", lookup.pk, code)
    AccountLookup.objects.transition(
        lookup.pk, source=Status.READING, target=Status.REFUSED, failure_code=code
    )


def _facts(lookup: AccountLookup, record: AccountRecord) -> Facts:
    """Return what counts of an account that this site can work with.

    Raises:
        Refused: with the code of why it cannot.
    """
    yours = Safe.objects.visible_to(lookup.user)
    if yours.filter(chain=lookup.chain, address=lookup.address).exists():
        raise Refused("already-yours")
    if not record.code:
        raise Refused("no-code")
    if keccak(record.code) != SAFE_PROXY_CODE_HASH:
        raise Refused("not-a-safe")
    owners, configuration = record.owners, record.configuration
    if owners is None or configuration is None:
        raise Refused("not-a-safe")
    if configuration.singleton != SAFE_L2:
        raise Refused("other-version")
    if SAFE_4337_MODULE not in configuration.modules:
        raise Refused("no-4337-module")
    return Facts(
        owners=list(dict.fromkeys(owners.owners))[: owner_sync.MAX_OWNERS],
        threshold=min(owners.threshold, owner_sync.MAX_OWNERS),
        configuration=configuration,
    )


def _own_key(lookup: AccountLookup, facts: Facts) -> OwnKey:
    """Return the first of the person's passkeys among an account's owners.

    Raises:
        Refused: with the code of why there is none.
    """
    own = Credential.objects.of(lookup.user).usable().order_by("pk")
    keys = [
        key for credential in own for key in _among(credential, lookup.chain, facts)
    ]
    if not keys:
        raise Refused("not-yours")
    known = [key for key in keys if key.verifiers in KNOWN_VERIFIERS]
    if not known:
        raise Refused("other-verifiers")
    fixed = _fixed_verifiers(lookup)
    fitting = [key for key in known if fixed in (None, key.verifiers)]
    if not fitting:
        raise Refused("mixed-verifiers")
    return fitting[0]


def _fixed_verifiers(lookup: AccountLookup) -> int | None:
    """Return what somebody's passkey already fixed for the account, None if nobody's.

    An account has one set of verifiers here. Who only asked about it fixed nothing.
    """
    rows = Safe.objects.filter(chain=lookup.chain, address=lookup.address)
    linked = rows.filter(owners__credential__isnull=False)
    return linked.values_list("verifiers", flat=True).first()


def _among(credential: Credential, chain: Chain, facts: Facts) -> Iterator[OwnKey]:
    """Yield the passkey as each owner it is, by its own signer or the shared one."""
    public_key = public_key_of(credential)
    for verifiers in KNOWN_VERIFIERS:
        signer = signers.signer_of(
            public_key=public_key, chain=chain, verifiers=verifiers
        )
        if signer in facts.owners:
            yield OwnKey(credential=credential, address=signer, verifiers=verifiers)
    shared = facts.configuration.shared_key
    if shared is None or SHARED_SIGNER not in facts.owners:
        return
    if shared.public_key == public_key:
        yield OwnKey(
            credential=credential, address=SHARED_SIGNER, verifiers=shared.verifiers
        )


def _account(
    lookup: AccountLookup, facts: Facts, own: OwnKey, *, balance_wei: int
) -> Safe:
    """Return the account's row, made if nobody added it before; nobody's by itself."""
    safe, created = Safe.objects.get_or_create(
        chain=lookup.chain,
        address=lookup.address,
        defaults={
            "created_by": lookup.user,
            "name": f"Account {lookup.user.safes.count() + 1}",
            "layout": Safe.Layout.IMPORTED,
            "verifiers": own.verifiers,
            "setup_data": b"",
            "threshold": facts.threshold,
            "status": Safe.Status.DEPLOYED,
            # A reorg below it has the account looked for again.
            "deployed_block": lookup.chain.head_number,
            "balance_wei": balance_wei,
        },
    )
    if not created:
        unlinked = Safe.objects.filter(pk=safe.pk, layout=Safe.Layout.IMPORTED)
        unlinked = unlinked.exclude(owners__credential__isnull=False)
        unlinked.update(verifiers=own.verifiers)
        return safe
    Owner.objects.bulk_create(
        Owner(safe=safe, kind=Owner.Kind.UNKNOWN, address=address, position=position)
        for position, address in enumerate(facts.owners)
    )
    configurations.write(
        safe=safe,
        configuration=facts.configuration,
        block_number=lookup.chain.head_number or 0,
    )
    return safe


def is_added(lookup: AccountLookup) -> bool:
    """Whether the account is the person's by now."""
    own = Safe.objects.visible_to(lookup.user)
    return own.filter(chain_id=lookup.chain_id, address=lookup.address).exists()
