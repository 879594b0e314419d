"""Gas limits and fees of a user operation.

The bundler cannot see what checking a passkey costs (protocol.md section 2), so
verification comes from a measured table; it estimates the call, and everything is
capped (security.md R21).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from onchain.clients.bundler import GasEstimate
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Chain, UserOperation
from onchain.protocol.deployments import P256_PRECOMPILE, VERIFIERS

# Gas, measured on the local chain with bench/verification_gas.py: the smallest limits
# that work for a lane's first operation, which writes its nonce. What the contract
# verifier needs varies with key and signature, by a tenth.
SIGNATURE_GAS_PRECOMPILE = 22_000  # for each passkey that signs
SIGNATURE_GAS_CONTRACT = 240_000  # the same on a chain without the precompile
BASE_VERIFICATION_GAS = 52_000  # the module, the Safe and the EntryPoint beside them
PREFUND_GAS = 39_000  # an account that pays itself also sends its deposit
DEPLOYMENT_GAS = 370_000  # an operation that puts its own account on chain
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


def verification_gas(
    *,
    chain: Chain,
    signers: int,
    is_sponsored: bool,
    deploys: bool = False,
    verifiers: int = VERIFIERS,
) -> int:
    """Return the verification gas limit for a number of passkey signatures.

    Args:
        verifiers: the account's own, uint176; one made elsewhere may not ask the
            precompile even where it exists.
    """
    one = SIGNATURE_GAS_CONTRACT
    if chain.has_p256_precompile and verifiers >> 160 == P256_PRECOMPILE:
        one = SIGNATURE_GAS_PRECOMPILE
    total = BASE_VERIFICATION_GAS + signers * one
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


def fees(snapshot: AccountSnapshot) -> Fees:
    """Return fees that hold for a doubled base fee, within the ceiling."""
    ceiling = settings.MAX_FEE_PER_GAS
    tip = min(snapshot.tip_wei, ceiling)
    return Fees(
        max_fee_per_gas=min(2 * snapshot.base_fee_wei + tip, ceiling),
        max_priority_fee_per_gas=tip,
    )


def is_within_caps(op: UserOperation, *, signers: int) -> bool:
    """Whether a prepared operation keeps to what it may cost at most (R21).

    Args:
        signers: how many signatures it carries.
    """
    most = verification_gas(
        chain=op.safe.chain,
        signers=signers,
        is_sponsored=op.is_sponsored,
        deploys=op.factory is not None,
        verifiers=op.safe.verifiers,
    )
    return (
        (op.verification_gas_limit or 0) <= most
        and (op.call_gas_limit or 0) <= CALL_GAS_CAP
        and (op.pre_verification_gas or 0) <= PRE_VERIFICATION_GAS_CAP + VERSIONS
        and (op.max_fee_per_gas or 0) <= settings.MAX_FEE_PER_GAS
        and (op.max_priority_fee_per_gas or 0) <= (op.max_fee_per_gas or 0)
    )
