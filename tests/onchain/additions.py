"""Further passkeys of people with wallets: as rows, and under way to an account."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential
from onchain.models import KeyProof, Owner, Safe, UserOperation
from onchain.models.owner import public_key_of
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.safe import account_address
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    UserOperationV07,
    join_nonce,
)
from onchain.services import intents, key_proofs, owner_changes
from onchain.services.lanes import CONFIGURATION_KEY
from onchain.services.signers import signer_of
from tests.factories import make_credential
from tests.soft_authenticator import SoftAuthenticator, base64url
from tests.wallets import Wallet, await_signature

GOOGLE = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"  # Google Password Manager's AAGUID


@dataclass(kw_only=True)
class Newcomer:
    """Another passkey of a wallet's person, which signs in and owns nothing yet."""

    wallet: Wallet
    passkey: SoftAuthenticator
    credential: Credential

    def url(self, name: str = "passkey-accounts") -> str:
        """Return the address of one of the passkey's pages."""
        return reverse(f"onchain:{name}", args=[self.credential.pk])

    def answer(self, request: dict[str, Any], **changes: Any) -> str:
        """Return its own answer to a page's signing request, as JSON text."""
        options = {"challenge": base64url(bytes.fromhex(request["hash"][2:]))}
        return json.dumps(self.passkey.get(options, **changes))

    def get(self, *accounts: Safe, name: str = "passkey-accounts") -> HttpResponse:
        """Open its page with these accounts chosen."""
        chosen = {"account": [str(safe.pk) for safe in accounts]}
        return self.wallet.client.get(self.url(name), chosen)

    def add(self, *accounts: Safe, key: uuid.UUID | None = None) -> HttpResponse:
        """Press "Add" for these accounts."""
        return self.wallet.client.post(
            self.url("add-to-accounts"),
            {
                "idempotency_key": str(key or uuid.uuid4()),
                "account": [str(safe.pk) for safe in accounts],
            },
        )


def newcomer(wallet: Wallet, **fields: Any) -> Newcomer:
    """Return a further passkey of the wallet's person."""
    passkey = SoftAuthenticator()
    fields = {"name": "My phone", "aaguid": uuid.UUID(GOOGLE)} | fields
    credential = make_credential(passkey, user=wallet.user, **fields)
    return Newcomer(wallet=wallet, passkey=passkey, credential=credential)


def second_account(wallet: Wallet, name: str = "Savings") -> Safe:
    """Return another live account of the wallet's person and passkey."""
    owner = wallet.safe.owners.get()
    nonce = wallet.user.safes.count()
    setup = bytes(wallet.safe.setup_data)
    safe = Safe.objects.create(
        chain=wallet.safe.chain,
        created_by=wallet.user,
        name=name,
        address=account_address(setup=setup, salt_nonce=nonce),
        salt_nonce=nonce,
        verifiers=wallet.safe.verifiers,
        setup_data=setup,
        status=Safe.Status.DEPLOYED,
    )
    Owner.objects.create(
        safe=safe, credential=owner.credential, address=owner.address, position=0
    )
    return safe


def say_proven(new: Newcomer, safe: Safe) -> KeyProof:
    """Say that the chain has checked the passkey for this account."""
    proof = key_proofs.open_proof(credential=new.credential, safe=safe)
    KeyProof.objects.filter(pk=proof.pk).update(
        status=KeyProof.Status.PROVEN, signed_at=timezone.now()
    )
    return proof


def make_addition(new: Newcomer, safe: Safe | None = None) -> UserOperation:
    """Return an addition that nobody has prepared yet."""
    safe = safe or new.wallet.safe
    say_proven(new, safe)
    return owner_changes.draft_addition(
        safe=safe,
        user=new.wallet.user,
        credential=new.credential,
        idempotency_key=uuid.uuid4(),
    )


def prepared(op: UserOperation) -> UserOperation:
    """Return a drafted addition as its review shows it, hashed as the chain would."""
    op = UserOperation.objects.select_related("safe__chain", "new_credential").get(
        pk=op.pk
    )
    packed = UserOperationV07(
        sender=Address(op.safe.address),
        nonce=join_nonce(CONFIGURATION_KEY, 0),
        call_data=calls_call_data(intents.calls_of(op)),
        call_gas_limit=190_000,
        verification_gas_limit=170_001,
        pre_verification_gas=55_000,
        max_fee_per_gas=2_000_000_007,
        max_priority_fee_per_gas=10**9,
    )
    return await_signature(op, packed, lane=CONFIGURATION_KEY)


def make_owner(new: Newcomer, safe: Safe | None = None) -> Owner:
    """Say that the chain has the passkey among an account's owners."""
    safe = safe or new.wallet.safe
    return Owner.objects.create(
        safe=safe,
        credential=new.credential,
        address=signer_of(public_key=public_key_of(new.credential), chain=safe.chain),
        position=safe.owners.count(),
        proven_at=timezone.now(),
    )
