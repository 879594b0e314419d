"""What a guardian's signature is worth: of a recovery, and of a rehearsal of one.

Nothing is deployed to find out: a passkey's signature is checked by the signer factory,
which knows every signer before it exists; a contract is asked by ``eth_call`` what the
module would ask it (EIP-1271); a plain wallet's is recovered here at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Credential, User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import AnotherAccountSigned, SignatureRefused
from onchain.models import Owner, Safe
from onchain.models.guardian_answer import GuardianAnswer
from onchain.models.owner import public_key_of
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.wallet_signature import (
    EIP1271_MAGIC,
    is_valid_signature_data,
    low_s_signature,
    recovered_signer,
)
from onchain.services import passkeys, signers

Status = GuardianAnswer.Status
Kind = GuardianAnswer.Kind
COUNTING = (Status.SIGNED, Status.VALID)
MOST_REFUSED = 20  # of one guardian; each asks the chain
MAX_SIGNATURE = 4_096  # bytes of a contract's answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that was taken: a passkey's and a contract's is yet to be checked."""

    guardian: Address
    kind: Owner.Kind
    signature: bytes
    credential: Credential | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """What the row of it says."""
        is_plain = self.kind == Kind.WALLET
        return {
            "guardian": self.guardian,
            "kind": self.kind,
            "signature": self.signature,
            "credential": self.credential,
            "status": Status.VALID if is_plain else Status.SIGNED,
        }


def own_keys(
    *, safe: Safe, guardians: Sequence[Address], user: User
) -> dict[Address, Credential]:
    """Return the person's passkeys among the guardians, by their signers."""
    found = {}
    for credential in Credential.objects.of(user).usable().order_by("pk"):
        key = public_key_of(credential)
        found[signers.signer_for(public_key=key, safe=safe)] = credential
    return {signer: key for signer, key in found.items() if signer in guardians}


def of_passkey(
    *, keys: dict[Address, Credential], response: str, digest: Bytes32
) -> Signed:
    """Return what one of these passkeys signed.

    Raises:
        SignatureRefused: the answer signs nothing of this; nothing was changed.
    """
    credential, signature = passkeys.verified_signature(
        credentials=list(keys.values()), response=response, challenge=digest
    )
    (guardian,) = (signer for signer, key in keys.items() if key == credential)
    return Signed(
        guardian=guardian,
        kind=Kind.PASSKEY,
        signature=signature,
        credential=credential,
    )


def of_wallet(
    *, guardian: Address, account: Address, signature: bytes, digest: Bytes32
) -> Signed:
    """Return what a wallet or a contract signed.

    Args:
        guardian: as whom it is given.
        account: which of its accounts the browser wallet says it used.

    Raises:
        AnotherAccountSigned: with both addresses; nothing was changed.
        SignatureRefused: nothing that a wallet signs.
    """
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise SignatureRefused("That is no signature of a wallet. Nothing was changed.")
    is_plain = _signer(digest, signature) == guardian
    if not is_plain and account != guardian:
        raise AnotherAccountSigned.instead_of(guardian, account)
    return Signed(
        guardian=guardian,
        kind=Kind.WALLET if is_plain else Kind.CONTRACT,
        # The module takes one form only: the one with the lower half's s.
        signature=low_s_signature(signature) if is_plain else signature,
    )


def is_valid(*, row: GuardianAnswer, safe: Safe, digest: Bytes32, node: Node) -> bool:
    """Whether a stored signature counts as its guardian's.

    Raises:
        TransientClientError: the node is out of reach.
    """
    signature, guardian = bytes(row.signature), Address(row.guardian)
    if row.kind == Kind.WALLET:
        return _signer(digest, signature) == guardian
    to, data = guardian, is_valid_signature_data(digest, signature)
    if row.credential is not None:
        public_key = public_key_of(row.credential)
        if signers.signer_for(public_key=public_key, safe=safe) != guardian:
            return False
        to = SIGNER_FACTORY
        data = call_data(
            "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)",
            digest,
            signature,
            public_key.x,
            public_key.y,
            safe.verifiers,
        )
    try:
        return node.call(to, data) == EIP1271_MAGIC + bytes(28)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        return False


def _signer(digest: Bytes32, signature: bytes) -> Address | None:
    """Return which account signed, None where a contract may have."""
    try:
        return recovered_signer(digest, signature)
    except EncodingError:
        return None
