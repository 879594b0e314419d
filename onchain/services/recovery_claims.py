"""Claims to recover accounts: opening, checking with the chain, taking back.

A claim is silent: nobody but its person hears of it until a guardian has approved. The
list of new owners is checked twice before anybody is asked: here by the rules that can
be told without the chain, and by a worker, who lets the account itself say whether it
would take them. A list that starts and can never finish would block the next one.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Credential, User
from onchain.clients.node import Node
from onchain.errors import RecoveryRefused
from onchain.models import AccountClaim, RecoveryClaim, RecoveryLookup, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import Recovery, delay_of, recovery_hash
from onchain.protocol.recovery_state import RecoveryState
from onchain.protocol.types import Address, Bytes32, checksum_address
from onchain.services import (
    key_proofs,
    module_codes,
    recovery_moves,
    recovery_new_owners,
    recovery_news,
    recovery_reading,
    signers,
    wallet_proofs,
)

logger = logging.getLogger(__name__)

Status = AccountClaim.Status
TOKEN_BYTES = 32
LIFE = timedelta(days=14)
DAY = timedelta(days=1)
MOST_A_DAY = 10  # claims that one person begins
MOST_OF_PERSON = 5  # accounts that one person asks for at a time
EARLY = (Status.CHECKING, Status.COLLECTING, Status.READY)


def begin(
    *,
    user: User,
    credential: Credential | None = None,
    wallet: Address | None = None,
    lookup: RecoveryLookup | None = None,
) -> tuple[RecoveryClaim, str]:
    """Return a new claim with one new key, and the token of its link, kept nowhere.

    Raises:
        RecoveryRefused: an operator, somebody else's passkey, or many today.
    """
    if user.is_staff:
        raise RecoveryRefused("An operator's passkey owns no account.")
    if credential is not None and credential.user_id != user.pk:
        raise RecoveryRefused("This passkey is not one of yours, or it was removed.")
    lately = user.recovery_claims.filter(created_at__gt=Now() - DAY)
    if lately.count() >= MOST_A_DAY:
        raise RecoveryRefused(
            f"You began {MOST_A_DAY} claims today. Go on with one of them, or come "
            "back tomorrow."
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    claim = RecoveryClaim.objects.create(
        user=user,
        credential=credential,
        wallet=wallet,
        lookup=lookup,
        token_hash=token_hash(token),
        expires_at=Now() + LIFE,
    )
    logger.info("recovery claim %s made", claim.pk)
    claim.refresh_from_db()
    return claim, token


def renew_link(*, claim: RecoveryClaim) -> str:
    """Return the token of a new link; the one before it ends."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    RecoveryClaim.objects.filter(pk=claim.pk).update(token_hash=token_hash(token))
    return token


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no salt, no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def of_token(token: str) -> RecoveryClaim:
    """Return the claim that a link is about.

    Raises:
        RecoveryRefused: unknown, taken back or too old; which of these stays untold.
    """
    claim = RecoveryClaim.objects.filter(
        token_hash=token_hash(token), withdrawn_at=None, expires_at__gt=Now()
    ).first()
    if claim is None:
        raise RecoveryRefused(
            "This link does not work: it was taken back, replaced, or is older than "
            "14 days. Ask who gave it to you for a new one."
        )
    return claim


def new_signer(*, claim: RecoveryClaim, safe: Safe) -> Address:
    """Return the address with which the claimant is to own the account."""
    if claim.credential is None:
        return Address(claim.wallet or b"")
    return signers.signer_for(public_key=public_key_of(claim.credential), safe=safe)


def is_proven(*, claim: RecoveryClaim, safe: Safe) -> bool:
    """Whether the new key showed for exactly this account that it signs (R6)."""
    if claim.credential is not None:
        return key_proofs.is_proven(credential=claim.credential, safe=safe)
    wallet = Address(claim.wallet or b"")
    return wallet_proofs.is_proven(safe=safe, address=wallet, user=claim.user)


def open_account(
    *,
    claim: RecoveryClaim,
    safe: Safe,
    module: Address,
    new_owners: Sequence[Address],
    new_threshold: int,
) -> AccountClaim:
    """Ask for one account; a worker then asks the chain whether it could come true.

    Safe to repeat: the same account of the same claim is the same row.

    Raises:
        RecoveryRefused: with words for each reason; nothing was asked of anybody.
    """
    before = claim.accounts.filter(safe=safe).exclude(status=Status.STOPPED).first()
    if before is not None:
        return before
    if not claim.is_open:
        raise RecoveryRefused("This claim was taken back or is too old. Begin again.")
    if not safe.is_live:
        raise RecoveryRefused("This account is not on chain yet. Nobody owns it there.")
    if delay_of(module) is None:
        raise RecoveryRefused("This is no recovery module that this site knows.")
    _refuse_many(claim)
    signer = new_signer(claim=claim, safe=safe)
    recovery = Recovery(
        module=module,
        account=Address(safe.address),
        new_owners=list(new_owners),
        new_threshold=new_threshold,
    )
    recovery_new_owners.refuse(recovery, signer=signer, guardians=[])
    if not is_proven(claim=claim, safe=safe):
        raise RecoveryRefused(
            "Your new key has not shown yet that it can sign for this account."
        )
    try:
        with transaction.atomic():
            row = AccountClaim.objects.create(
                claim=claim,
                safe=safe,
                module=module,
                new_signer=signer,
                new_owners=[checksum_address(owner) for owner in new_owners],
                new_threshold=new_threshold,
            )
    except IntegrityError:
        return claim.accounts.exclude(status=Status.STOPPED).get(safe=safe)
    logger.info("recovery claim %s asks for safe %s", claim.pk, safe.pk)
    return row


def _refuse_many(claim: RecoveryClaim) -> None:
    """Bound what one person may ask for at a time.

    Not what is asked about one account: strangers could fill that and keep the one out
    who lost it. Its people hear of claims once a day at most, whoever makes how many.
    """
    under_way = AccountClaim.objects.under_way().filter(
        claim__withdrawn_at=None, claim__expires_at__gt=Now(), claim__user=claim.user
    )
    if under_way.count() >= MOST_OF_PERSON:
        raise RecoveryRefused(
            f"You ask for {MOST_OF_PERSON} accounts already. Take one claim back first."
        )


def check(*, row: AccountClaim, node: Node) -> None:
    """Ask the chain whether a claim could come true; only then guardians are asked.

    Safe to repeat. What guardians will sign is fixed here.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if row.status != Status.CHECKING:
        return
    try:
        state = recovery_reading.state_of(row=row, node=node)
    except EncodingError:
        recovery_moves.stop(row=row, code="no-account")
        return
    code = _obstacle(row, state)
    if not code and not recovery_reading.would_finish(row=row, state=state, node=node):
        code = "would-not-finish"
    if code:
        recovery_moves.stop(row=row, code=code)
        return
    digest = recovery_hash(
        row.recovery, chain_id=row.safe.chain.chain_id, nonce=state.nonce
    )
    _begin_collecting(row, digest, state)


@transaction.atomic
def _begin_collecting(row: AccountClaim, digest: Bytes32, state: RecoveryState) -> None:
    """Fix what guardians sign; the owners hear that they are asked."""
    if recovery_moves.move(
        row=row,
        target=Status.COLLECTING,
        nonce=state.nonce,
        recovery_hash=digest,
        old_owners=[checksum_address(owner) for owner in state.owners],
        old_threshold=state.threshold,
        **recovery_moves.guardian_columns(state),
    ):
        recovery_news.tell_owners(row)


def _obstacle(row: AccountClaim, state: RecoveryState) -> str:
    """Return the code of why guardians cannot be asked, empty where they can."""
    if Address(row.module) in module_codes.changed(row.safe.chain):
        return "module-changed"
    if not state.is_enabled:
        return "module-disabled"
    if state.guardian_threshold == 0:
        return "no-guardians"
    try:
        recovery_new_owners.refuse(
            row.recovery, signer=Address(row.new_signer), guardians=state.guardians
        )
    except RecoveryRefused:
        return "owner-guards"
    if state.is_requested(row.recovery):
        return "already-begun"
    if state.is_owned_by(row.recovery):
        return "already-owned"
    if recovery_reading.needed(state) > len(state.guardians):
        return "cannot-outvote"
    return ""


def withdraw(*, claim: RecoveryClaim) -> None:
    """Take a claim back before anything of it was sent. Safe to repeat.

    What has begun on chain goes on there: only the owners cancel that.

    Raises:
        RecoveryRefused: it has begun.
    """
    if claim.accounts.under_way().exclude(status__in=EARLY).exists():
        raise RecoveryRefused(
            "This recovery has begun on chain. Only the account's owners can cancel it."
        )
    RecoveryClaim.objects.filter(pk=claim.pk, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    for row in claim.accounts.filter(status__in=EARLY):
        recovery_moves.stop(row=row, code="withdrawn")
