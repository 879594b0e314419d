"""The account that stands at the address of a list of first owners.

The address follows from every owner and the threshold, so there is none before each
seat has a key. Then an account in the state FORMING stands at it, and each owner
confirms by a proof that names exactly this address (security.md R6). Any change of the
list is another address: the account that was forming goes, and every proof with it.
"""

from __future__ import annotations

import logging
from itertools import count

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from onchain.errors import FormationRefused
from onchain.models import Chain, Formation, KeyProof, Owner, Safe, Seat, WalletProof
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import VERIFIERS
from onchain.protocol.safe import account_address, direct_setup
from onchain.protocol.types import Address
from onchain.services import signers

logger = logging.getLogger(__name__)

Status = Formation.Status


def settle(*, formation: Formation) -> None:
    """Let the account stand at the address of the list as it is now, or nowhere.

    Call it under the lock of the formation.

    Raises:
        FormationRefused: two places on the list are the same owner.
    """
    discard(formation=formation)
    seats = list(formation.seats.select_related("credential").order_by("position"))
    owners = [_address_of(seat, formation.chain) for seat in seats]
    addresses = [owner for owner in owners if owner is not None]
    if len(addresses) < len(seats):
        return
    if len(set(addresses)) < len(addresses):
        raise FormationRefused("Two places on the list are the same owner.")
    setup = direct_setup(owners=addresses, threshold=formation.threshold)
    salt = _free_salt(formation.chain, setup)
    safe = Safe.objects.create(
        chain=formation.chain,
        created_by=formation.created_by,
        name=formation.name,
        address=account_address(setup=setup, salt_nonce=salt),
        salt_nonce=salt,
        verifiers=VERIFIERS,
        setup_data=setup,
        threshold=formation.threshold,
        status=Safe.Status.FORMING,
        network_hash=formation.network_hash,
    )
    for place, (seat, address) in enumerate(zip(seats, addresses, strict=True)):
        Owner.objects.create(
            safe=safe,
            credential=seat.credential,
            kind=seat.kind,
            address=address,
            position=place,
        )
    Formation.objects.filter(pk=formation.pk).update(safe=safe, salt_nonce=salt)
    formation.safe = safe


def _address_of(seat: Seat, chain: Chain) -> Address | None:
    if seat.credential is None:
        return None if seat.address is None else Address(seat.address)
    return signers.signer_of(public_key=public_key_of(seat.credential), chain=chain)


def _free_salt(chain: Chain, setup: bytes) -> int:
    for salt in count():
        address = account_address(setup=setup, salt_nonce=salt)
        if not Safe.objects.filter(chain=chain, address=address).exists():
            return salt
    raise AssertionError("there is always one more number")


def discard(*, formation: Formation) -> None:
    """Remove the account that was forming, with every proof that named its address.

    Call it under the lock of the formation. Safe to repeat.
    """
    safe = formation.safe
    if safe is None:
        return
    Formation.objects.filter(pk=formation.pk).update(safe=None)
    formation.safe = None
    KeyProof.objects.filter(safe=safe).delete()
    WalletProof.objects.filter(safe=safe).delete()
    safe.owners.all().delete()
    Safe.objects.filter(pk=safe.pk, status=Safe.Status.FORMING).delete()


def confirm_wallet(*, proof: WalletProof, kind: Owner.Kind) -> None:
    """Take a proven wallet as its seat's word for exactly this address.

    It counts from the person who has the seat only. Safe to repeat.
    """
    held = Seat.objects.filter(
        formation__safe=proof.safe_id,
        formation__status=Status.OPEN,
        address=proof.address,
        holder=proof.user_id,
    )
    if held.exists():
        Owner.objects.filter(
            safe=proof.safe_id, address=proof.address, proven_at=None
        ).update(proven_at=proof.signed_at, holder=proof.user_id, kind=kind)
        complete(safe=proof.safe)


def complete(*, safe: Safe) -> bool:
    """Put an account into the queue once all of its owners confirmed it.

    A passkey or wallet confirms by its proof for exactly this address; for an address
    whose proof was waived its maker vouched. Safe to repeat and to run in parallel.
    """
    with transaction.atomic():
        formation = (
            Formation.objects.select_for_update()
            .filter(safe=safe, status=Status.OPEN)
            .first()
        )
        if formation is None:
            return False
        waived = formation.seats.filter(is_proof_waived=True).values("address")
        unproven = safe.owners.filter(proven_at=None).exclude(address__in=waived)
        if unproven.exists():
            return False
        is_eager = settings.DEPLOYMENT_POLICY == "eager"
        Safe.objects.transition(
            safe.pk,
            source=Safe.Status.FORMING,
            target=Safe.Status.QUEUED,
            deployment_requested_at=timezone.now() if is_eager else None,
        )
        Formation.objects.transition(
            formation.pk, source=Status.OPEN, target=Status.CREATED
        )
    logger.info("formation %s is safe %s", formation.pk, safe.pk)
    return True
