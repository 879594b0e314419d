"""Who may guard an account, and whether enough of them can bring it back (R6, R58)."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import User
from onchain.guardian_errors import (
    AlreadyGuardian,
    DelayImpossible,
    GuardianImpossible,
    GuardianIsOwner,
    GuardianNotProven,
    GuardianThresholdImpossible,
    GuardianTwice,
    ModuleChanged,
    ModuleNotConfirmed,
    NoGuardians,
    TooManyGuardians,
)
from onchain.models import Chain, Invitation, KeyProof, Safe, WalletProof
from onchain.protocol.deployments import (
    ENTRY_POINT,
    MULTI_SEND,
    RECOVERY_MODULES,
    SAFE_4337_MODULE,
    SHARED_SIGNER,
    SIGNER_FACTORY,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import require_guardian_threshold
from onchain.protocol.types import SENTINEL_ADDRESS, ZERO_ADDRESS, Address
from onchain.services import module_codes, signers

MAX_GUARDIANS = 10
# Nobody's keys: what is known to have code, and signs for nobody in particular.
IMPOSSIBLE = frozenset(
    {
        ZERO_ADDRESS,
        SENTINEL_ADDRESS,
        SHARED_SIGNER,
        SIGNER_FACTORY,
        SAFE_4337_MODULE,
        ENTRY_POINT,
        MULTI_SEND,
        *RECOVERY_MODULES.values(),
    }
)
PROVEN = {"status": KeyProof.Status.PROVEN, "role": KeyProof.Role.GUARDIAN}


def offered_delays(chain: Chain) -> list[int]:
    """Return how long owners of this chain may have to cancel, in seconds.

    Three minutes are for a chain that nobody's money is on; elsewhere an operator has
    confirmed what code the others have.
    """
    return module_codes.usable_delays(chain)


def require_module(*, module: Address, chain: Chain) -> None:
    """Raise unless accounts of this chain may be given this module.

    Raises:
        ModuleNotConfirmed: none of them yet.
        DelayImpossible: it is none of them.
    """
    offered = offered_delays(chain)
    if not offered:
        raise ModuleNotConfirmed
    if module not in {RECOVERY_MODULES[each] for each in offered}:
        raise DelayImpossible


def require_unchanged(*, module: Address, chain: Chain) -> None:
    """Raise where a module has other code than was confirmed.

    Raises:
        ModuleChanged: with words.
    """
    if module in module_codes.changed(chain):
        raise ModuleChanged


def require_guardians(
    *,
    safe: Safe,
    user: User,
    guardians: Sequence[Address],
    before: Sequence[Address] = (),
    is_proof_waived: bool = False,
) -> None:
    """Raise what stands in the way of adding these guardians.

    Args:
        before: those that the module keeps.
        is_proof_waived: somebody took it on them that a contract can sign; preparation
            holds that there is one.

    Raises:
        OwnerChangeRefused: with words.
    """
    if not guardians:
        raise NoGuardians
    if len(set(guardians)) != len(guardians):
        raise GuardianTwice
    if len(guardians) + len(before) > MAX_GUARDIANS:
        raise TooManyGuardians
    owners = {bytes(owner.address) for owner in safe.owners.current()}
    for guardian in guardians:
        if guardian in IMPOSSIBLE or guardian == safe.address:
            raise GuardianImpossible
        if guardian in owners:
            raise GuardianIsOwner
        if guardian in before:
            raise AlreadyGuardian
        if not is_known(
            safe=safe, user=user, address=guardian, is_proof_waived=is_proof_waived
        ):
            raise GuardianNotProven


def require_threshold(*, threshold: int, guardians: int) -> None:
    """Raise unless so many guardians can approve.

    Raises:
        GuardianThresholdImpossible: with words.
    """
    try:
        require_guardian_threshold(threshold, guardian_count=guardians)
    except EncodingError as error:
        raise GuardianThresholdImpossible.of(threshold, guardians) from error


def is_known(
    *, safe: Safe, user: User, address: Address, is_proof_waived: bool
) -> bool:
    """Whether an address is proven, or may be taken on somebody's word.

    A word is no way round the words that two people compare: whose key somebody else
    proved counts by its invitation only.
    """
    if is_proven(safe=safe, user=user, address=address):
        return True
    wallets = WalletProof.objects.filter(safe=safe, address=address, **PROVEN)
    keys = KeyProof.objects.filter(safe=safe, signer=address, **PROVEN)
    return is_proof_waived and not wallets.exists() and not keys.exists()


def is_proven(*, safe: Safe, user: User, address: Address) -> bool:
    """Whether an address showed that it signs as a guardian of exactly this account.

    A key of the asking person counts as it is. Anybody else's counts once an owner has
    compared the words of the invitation that it came by: without that, whoever got hold
    of the link could be the guardian (security.md R62). A passkey's address is computed
    from its key again (R16).
    """
    accepted = Invitation.objects.filter(
        safe=safe,
        role=KeyProof.Role.GUARDIAN,
        address=address,
        status=Invitation.Status.CONFIRMED,
    ).values("accepted_by")
    people = {user.pk, *accepted.values_list("accepted_by", flat=True)}
    wallets = WalletProof.objects.filter(safe=safe, address=address, **PROVEN)
    if wallets.filter(user__in=people).exists():
        return True
    keys = KeyProof.objects.filter(safe=safe, signer=address, **PROVEN)
    mine = keys.filter(credential__user__in=people, credential__removed_at=None)
    return any(
        signers.signer_for(public_key=proof.public_key, safe=safe) == address
        for proof in mine.select_related("credential")
    )
