"""Taking a guardian's signature of a recovery, and asking the chain about it.

Nothing is deployed for that: a passkey's signature is checked by the signer factory,
which knows every signer before it exists; a contract is asked by ``eth_call`` what the
module will ask it (EIP-1271); a plain wallet's is recovered here at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts.models import Credential, User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import AnotherAccountSigned, RecoveryRefused, SignatureRefused
from onchain.models import AccountClaim, GuardianApproval
from onchain.models.owner import public_key_of
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import GuardianSignature
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.wallet_signature import (
    EIP1271_MAGIC,
    is_valid_signature_data,
    low_s_signature,
    recovered_signer,
)
from onchain.services import passkeys, recovery_news, signers

logger = logging.getLogger(__name__)

Status = GuardianApproval.Status
Kind = GuardianApproval.Kind
COUNTING = (Status.SIGNED, Status.VALID)
MOST_REFUSED = 20  # of one guardian; each asks the chain
MAX_SIGNATURE = 4_096  # bytes of a contract's answer


def own_keys(*, row: AccountClaim, user: User) -> dict[Address, Credential]:
    """Return the person's passkeys among the guardians, by their signers."""
    guardians = row.guardian_list
    found = {}
    for credential in Credential.objects.of(user).usable().order_by("pk"):
        key = public_key_of(credential)
        found[signers.signer_for(public_key=key, safe=row.safe)] = credential
    return {signer: key for signer, key in found.items() if signer in guardians}


def sign_with_passkey(
    *, row: AccountClaim, user: User, response: str
) -> GuardianApproval:
    """Take a passkey guardian's signature; a worker asks the chain about it.

    Safe to repeat: a guardian approves a claim once.

    Raises:
        RecoveryRefused: the claim takes no approvals, or the person guards nothing.
        SignatureRefused: the answer approves nothing; nothing was changed.
    """
    refuse_unless_asking(row)
    keys = own_keys(row=row, user=user)
    if not keys:
        raise RecoveryRefused("None of your passkeys is a guardian of this account.")
    credential, signature = passkeys.verified_signature(
        credentials=list(keys.values()),
        response=response,
        challenge=row.hash_to_sign,
    )
    (guardian,) = (signer for signer, key in keys.items() if key == credential)
    return _keep(
        GuardianApproval(
            account_claim=row,
            guardian=guardian,
            user=user,
            kind=Kind.PASSKEY,
            credential=credential,
            signature=signature,
        )
    )


def sign_with_wallet(
    *,
    row: AccountClaim,
    user: User,
    guardian: Address,
    account: Address,
    signature: bytes,
) -> GuardianApproval:
    """Take the signature of a wallet or of a contract that is a guardian.

    Args:
        guardian: as whom it is given.
        account: which of its accounts the browser wallet says it used.

    Raises:
        RecoveryRefused: the claim takes no approvals, or this is no guardian.
        AnotherAccountSigned: with both addresses; nothing was changed.
        SignatureRefused: nothing that a wallet signs.
    """
    refuse_unless_asking(row)
    if guardian not in row.guardian_list:
        raise RecoveryRefused("This address is no guardian of this account.")
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise SignatureRefused("That is no signature of a wallet. Nothing was changed.")
    refused = row.approvals.filter(guardian=guardian, status=Status.REFUSED)
    if refused.count() >= MOST_REFUSED:
        raise RecoveryRefused(
            "Too many signatures of this guardian did not count. The contract can "
            "approve by itself, with confirmRecovery."
        )
    signer = _signer(row.hash_to_sign, signature)
    is_plain = signer == guardian
    if not is_plain and account != guardian:
        raise AnotherAccountSigned.instead_of(guardian, account)
    return _keep(
        GuardianApproval(
            account_claim=row,
            guardian=guardian,
            user=user,
            kind=Kind.WALLET if is_plain else Kind.CONTRACT,
            # The module takes one form only: the one with the lower half's s.
            signature=low_s_signature(signature) if is_plain else signature,
            status=Status.VALID if is_plain else Status.SIGNED,
        )
    )


def refuse_unless_asking(row: AccountClaim) -> None:
    """Check that guardians are being asked.

    Raises:
        RecoveryRefused: they are not, or not any more.
    """
    if not row.is_asking or not row.claim.is_open:
        raise RecoveryRefused("This claim takes no approvals now. Nothing was signed.")


def _signer(digest: Bytes32, signature: bytes) -> Address | None:
    """Return which account signed, None where a contract may have."""
    try:
        return recovered_signer(digest, signature)
    except EncodingError:
        return None


def _keep(approval: GuardianApproval) -> GuardianApproval:
    try:
        with transaction.atomic():
            approval.save(force_insert=True)
            if approval.status == Status.VALID:
                recovery_news.tell_guardians(approval)
    except IntegrityError:
        return approval.account_claim.approvals.get(
            guardian=approval.guardian, status__in=COUNTING
        )
    logger.info("approval %s is %s", approval.pk, approval.status)
    return approval


def check(*, approval: GuardianApproval, node: Node) -> None:
    """Ask the chain about a stored approval and remember its word. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if approval.status != Status.SIGNED:
        return
    _settle(approval, is_valid=_is_valid(approval, node))


@transaction.atomic
def _settle(approval: GuardianApproval, *, is_valid: bool) -> None:
    target = Status.VALID if is_valid else Status.REFUSED
    if not GuardianApproval.objects.transition(
        approval.pk, source=Status.SIGNED, target=target
    ):
        return
    logger.info("approval %s is %s", approval.pk, target)
    if is_valid:
        recovery_news.tell_guardians(approval)


def look_again(*, row: AccountClaim, node: Node) -> None:
    """Let go of approvals that do not count any more: contracts change their minds.

    Raises:
        TransientClientError: the node is out of reach.
    """
    for approval in valid(row=row):
        if not _is_valid(approval, node):
            GuardianApproval.objects.transition(
                approval.pk, source=Status.VALID, target=Status.REFUSED
            )


def valid(*, row: AccountClaim) -> list[GuardianApproval]:
    """Return the approvals that the chain, or arithmetic, has confirmed."""
    rows = row.approvals.filter(status=Status.VALID)
    return list(rows.select_related("credential", "user"))


def counting(
    *, row: AccountClaim, guardians: Sequence[Address]
) -> list[GuardianApproval]:
    """Return the valid approvals of those who are guardians now."""
    return [item for item in valid(row=row) if Address(item.guardian) in guardians]


def signature_of(approval: GuardianApproval) -> GuardianSignature:
    """Return an approval as the module reads it."""
    return GuardianSignature(
        guardian=Address(approval.guardian), signature=bytes(approval.signature)
    )


def _is_valid(approval: GuardianApproval, node: Node) -> bool:
    row = approval.account_claim
    digest, signature = row.hash_to_sign, bytes(approval.signature)
    guardian = Address(approval.guardian)
    if approval.kind == Kind.WALLET:
        return _signer(digest, signature) == guardian
    to, data = guardian, is_valid_signature_data(digest, signature)
    if approval.credential is not None:
        public_key = public_key_of(approval.credential)
        if signers.signer_for(public_key=public_key, safe=row.safe) != guardian:
            return False
        to = SIGNER_FACTORY
        data = call_data(
            "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)",
            digest,
            signature,
            public_key.x,
            public_key.y,
            row.safe.verifiers,
        )
    try:
        return node.call(to, data) == EIP1271_MAGIC + bytes(28)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        return False
