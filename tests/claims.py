"""Claims to recover accounts, as rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from onchain.models import (
    AccountClaim,
    GuardianApproval,
    RecoveryClaim,
    RecoveryLookup,
    Safe,
)
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.recovery import recovery_hash
from onchain.protocol.types import Address, checksum_address
from onchain.services import recovery_claims
from tests.factories import make_user

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
NEW_OWNER = b"\5" * 20
GUARDIAN = b"\6" * 20


def account_claim(safe: Safe, **fields: Any) -> AccountClaim:
    """Return what somebody asks for with a wallet, before a worker looked at it."""
    claim = RecoveryClaim.objects.create(
        user=fields.pop("user", None) or make_user(),
        wallet=NEW_OWNER,
        token_hash=RecoveryClaim.objects.count().to_bytes(32, "big"),
        expires_at=timezone.now() + timedelta(days=14),
    )
    defaults = {
        "claim": claim,
        "safe": safe,
        "module": MODULE,
        "new_signer": NEW_OWNER,
        "new_owners": ["0x" + NEW_OWNER.hex()],
        "new_threshold": 1,
    }
    return AccountClaim.objects.create(**defaults | fields)


def guardian_approval(safe: Safe, **fields: Any) -> GuardianApproval:
    """Return a guardian's signature that nobody has checked."""
    row = account_claim(safe)
    defaults = {
        "account_claim": row,
        "guardian": GUARDIAN,
        "user": row.claim.user,
        "kind": GuardianApproval.Kind.WALLET,
        "signature": b"\1",
    }
    return GuardianApproval.objects.create(**defaults | fields)


def recovery_lookup(safe: Safe, **fields: Any) -> RecoveryLookup:
    """Return what somebody asked about an account."""
    defaults = {
        "chain": safe.chain,
        "address": safe.address,
        "asked_at": timezone.now(),
    }
    return RecoveryLookup.objects.create(**defaults | fields)


def begun(*, user: User, safe: Safe) -> RecoveryClaim:
    """Return a person's claim to an account, with their first passkey."""
    found, _created = RecoveryLookup.objects.get_or_create(
        chain=safe.chain,
        address=safe.address,
        defaults={
            "asked_at": timezone.now(),
            "status": RecoveryLookup.Status.FOUND,
            "owners": [owner.address_text for owner in safe.owners.all()],
            "threshold": 1,
            "setups": [
                {
                    "module": checksum_address(MODULE),
                    "delay": TEST_RECOVERY_DELAY,
                    "threshold": 1,
                    "guardians": [checksum_address(Address(GUARDIAN))],
                    "has_begun": False,
                }
            ],
        },
    )
    claim, _token = recovery_claims.begin(
        user=user, credential=user.credentials.order_by("pk").first(), lookup=found
    )
    return claim


def approved_by(user: User, *, safe: Safe, **fields: Any) -> GuardianApproval:
    """Return what a guardian signed for a claim that guardians are asked about."""
    approval = guardian_approval(safe, user=user, **fields)
    row = approval.account_claim
    row.nonce, row.status = 0, AccountClaim.Status.COLLECTING
    row.recovery_hash = recovery_hash(
        row.recovery, chain_id=safe.chain.chain_id, nonce=0
    )
    row.guardians = [checksum_address(Address(GUARDIAN))]
    row.guardian_threshold = row.needed = 1
    row.save()
    return approval
