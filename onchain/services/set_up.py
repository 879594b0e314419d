"""Setting up an account of the shared layout with its own first operation.

Such an account begins with the shared signer as its owner. Its first operation puts it
on chain, where nobody else did, puts the passkey's own signer in the shared one's
place, and then does what was asked for. Whoever deploys the account with the factory
first leaves it on the shared signer: the next operation repairs that (security.md R23).
"""

from __future__ import annotations

from onchain.clients.errors import TransientClientError
from onchain.models import Owner, Safe, UserOperation
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe import account_address, shared_setup
from onchain.protocol.shared_signer import account_factory, install_signer_calls
from onchain.protocol.types import Address, Call, PublicKey
from onchain.protocol.user_operation import Factory
from onchain.services import signers


def shared_owner(safe: Safe) -> Owner | None:
    """Return the shared signer among the account's owners, with its passkey if known.

    Also when it is not an owner any more: what was signed with it stays readable.
    """
    owners = safe.owners.filter(address=SHARED_SIGNER)
    return owners.select_related("credential").first()


def is_needed(safe: Safe) -> bool:
    """Whether the account's next operation has to install the passkey's own signer.

    Where the shared signer is not the first owner, as after others were added
    elsewhere, it stays: it checks the same passkey, and an operation with it works.

    Raises:
        TransientClientError: the account was put on chain a moment ago, and who its
            owners are by now is still to be read.
    """
    owner = shared_owner(safe)
    if owner is None or not owner.is_current or owner.credential is None:
        return False
    if safe.is_live and safe.owners_synced_block is None:
        raise TransientClientError("the account's owners are being read")
    return owner.position == 0


def factory_of(safe: Safe) -> Factory | None:
    """Return who puts the account on chain, None where it is there.

    Raises:
        ValueError: the stored set-up is not that of the account's passkey (R28).
    """
    if not safe.deploys_itself:
        return None
    setup = shared_setup(public_key=_public_key(safe), verifiers=safe.verifiers)
    if account_address(setup=setup, salt_nonce=safe.salt_nonce) != safe.address:
        raise ValueError(f"{safe} is not the account of its passkey")
    return account_factory(setup=setup, salt_nonce=safe.salt_nonce)


def calls_of(op: UserOperation) -> list[Call]:
    """Return the calls that go before what was asked for.

    The signer is computed from the passkey again, as nothing stored says which it is.

    Raises:
        ValueError: the account has no passkey behind the shared signer.
        EncodingError: the key is none.
    """
    if not op.installs_signer:
        return []
    public_key = _public_key(op.safe)
    return install_signer_calls(
        account=Address(op.safe.address),
        public_key=public_key,
        signer=signers.signer_for(public_key=public_key, safe=op.safe),
        verifiers=op.safe.verifiers,
    )


def changed(op: UserOperation) -> bool:
    """Whether the stored factory is not the one that makes this account (R28)."""
    if op.factory is None:
        return False
    try:
        setup = shared_setup(
            public_key=_public_key(op.safe), verifiers=op.safe.verifiers
        )
        factory = account_factory(setup=setup, salt_nonce=op.safe.salt_nonce)
    except (ValueError, EncodingError):
        return True
    return (op.factory, op.factory_data) != (factory.address, factory.data)


def overtaken(op: UserOperation) -> str:
    """Return the code of why an operation's set-up came too late, or nothing."""
    owner = shared_owner(op.safe) if op.installs_signer else None
    return "set-up-done" if owner is not None and not owner.is_current else ""


def public_key_of(op: UserOperation) -> PublicKey:
    """Return the passkey whose signer the operation installs.

    Raises:
        ValueError: the account has none.
    """
    return _public_key(op.safe)


def _public_key(safe: Safe) -> PublicKey:
    owner = shared_owner(safe)
    if owner is None:
        raise ValueError(f"{safe} was never on the shared signer")
    return owner.public_key
