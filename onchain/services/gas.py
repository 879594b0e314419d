"""Gas limits and fees of a user operation.

The bundler cannot see what checking a passkey costs (protocol.md section 2), so
verification comes from a measured table; it estimates the call, and everything is
capped (security.md R21).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from onchain.clients.bundler import GasEstimate
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Chain, Owner, Safe, UserOperation
from onchain.protocol.deployments import P256_PRECOMPILE, VERIFIERS

# Gas, measured on the local chain with bench/verification_gas.py: the smallest limits
# that work for a lane's first operation, which writes its nonce. What the contract
# verifier needs varies with key and signature, by a tenth.
SIGNATURE_GAS_PRECOMPILE = 22_000  # for each passkey that signs
SIGNATURE_GAS_CONTRACT = 240_000  # the same on a chain without the precompile
SIGNATURE_GAS_WALLET = 6_500  # for each plain wallet: ecrecover, its place in the list
# What a contract does to check is its own affair. A Safe of one wallet needs 26,700,
# each further owner of it 6,500 more; what needs more than this cannot sign here.
SIGNATURE_GAS_OTHER = 120_000
BASE_VERIFICATION_GAS = 52_000  # the module, the Safe and the EntryPoint beside them
PREFUND_GAS = 39_000  # an account that pays itself also sends its deposit
DEPLOYMENT_GAS = 333_000  # an operation that puts its own account on chain
MARGIN_PERCENT = 130
CALL_MARGIN_PERCENT = 110
CALL_GAS_CAP = 5_000_000
PRE_VERIFICATION_GAS_CAP = 1_000_000
VERSIONS = 1_000  # preparing an operation again adds one gas, so that its hash differs


@dataclass(frozen=True, slots=True, kw_only=True)
class GasLimits:
    """The three limits an operation carries."""

    call: int
    verification: int
    pre_verification: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """EIP-1559 fees, wei per gas."""

    max_fee_per_gas: int
    max_priority_fee_per_gas: int


def signature_gas(*, owner: Owner, chain: Chain, verifiers: int = VERIFIERS) -> int:
    """Return what checking one owner's signature takes, as measured.

    Whom nobody has recognised cannot sign here, and counts like a passkey.

    Args:
        verifiers: the account's own, uint176; one made elsewhere may not ask the
            precompile even where it exists.
    """
    if owner.kind == Owner.Kind.WALLET:
        return SIGNATURE_GAS_WALLET
    passkey = SIGNATURE_GAS_CONTRACT
    if chain.has_p256_precompile and verifiers >> 160 == P256_PRECOMPILE:
        passkey = SIGNATURE_GAS_PRECOMPILE
    is_other = owner.kind == Owner.Kind.CONTRACT and owner.is_linked
    return max(SIGNATURE_GAS_OTHER, passkey) if is_other else passkey


def costliest(*, safe: Safe, signers: int, owners: Iterable[Owner]) -> int:
    """Return what the costliest signatures of so many of these owners take."""
    costs = [
        signature_gas(owner=owner, chain=safe.chain, verifiers=safe.verifiers)
        for owner in owners
    ]
    return sum(sorted(costs, reverse=True)[:signers])


def verification_gas(
    *, signatures: int, is_sponsored: bool, deploys: bool = False
) -> int:
    """Return the verification gas limit for signatures that take so much."""
    total = BASE_VERIFICATION_GAS + signatures
    if not is_sponsored:
        total += PREFUND_GAS
    if deploys:
        total += DEPLOYMENT_GAS
    return total * MARGIN_PERCENT // 100


def limits(*, estimate: GasEstimate, verification: int) -> GasLimits:
    """Return the operation's limits from the bundler's estimate and our table."""
    return GasLimits(
        call=min(estimate.call_gas_limit * CALL_MARGIN_PERCENT // 100, CALL_GAS_CAP),
        verification=verification,
        pre_verification=min(estimate.pre_verification_gas, PRE_VERIFICATION_GAS_CAP),
    )


def fees(snapshot: AccountSnapshot, *, signers: int) -> Fees:
    """Return fees that hold for a doubled base fee, within the ceiling.

    What several people sign may wait for days: it holds for a tripled one, which is
    the most there is (R21).
    """
    ceiling = settings.MAX_FEE_PER_GAS
    tip = min(snapshot.tip_wei, ceiling)
    times = 2 if signers == 1 else 3
    return Fees(
        max_fee_per_gas=min(times * snapshot.base_fee_wei + tip, ceiling),
        max_priority_fee_per_gas=tip,
    )


def is_outgrown(op: UserOperation) -> bool:
    """Whether the chain asks for more per gas by now than the operation may pay.

    As far as the follower has read; nobody includes it until the base fee falls.
    """
    base_fee = op.safe.chain.base_fee_wei
    if op.max_fee_per_gas is None or base_fee is None:
        return False
    return base_fee > op.max_fee_per_gas


def is_within_caps(op: UserOperation, *, signers: int) -> bool:
    """Whether a prepared operation keeps to what it may cost at most (R21).

    It was prepared for the costliest owners that could sign, whoever signed then; one
    of them may have been removed since, and its row stays.

    Args:
        signers: how many signatures it was prepared for, at most.
    """
    owners = op.safe.owners.all()
    most = verification_gas(
        signatures=costliest(safe=op.safe, signers=signers, owners=owners),
        is_sponsored=op.is_sponsored,
        deploys=op.factory is not None,
    )
    return (
        (op.verification_gas_limit or 0) <= most
        and (op.call_gas_limit or 0) <= CALL_GAS_CAP
        and (op.pre_verification_gas or 0) <= PRE_VERIFICATION_GAS_CAP + VERSIONS
        and (op.max_fee_per_gas or 0) <= settings.MAX_FEE_PER_GAS
        and (op.max_priority_fee_per_gas or 0) <= (op.max_fee_per_gas or 0)
    )
