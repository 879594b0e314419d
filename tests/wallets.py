"""People with wallets and payments, as rows; and their browsers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from onchain.models import (
    Chain,
    Formation,
    Heartbeat,
    Invitation,
    Membership,
    OperationSignature,
    Owner,
    Role,
    Safe,
    UserOperation,
)
from onchain.models.owner import public_key_of
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import Address, Call, to_address
from onchain.protocol.user_operation import (
    Paymaster,
    UserOperationV07,
    join_nonce,
    user_operation_hash,
)
from onchain.services import formations, invitations, safes, signers
from tests.factories import make_credential
from tests.soft_authenticator import SoftAuthenticator, base64url

ETH = 10**18  # wei
RECIPIENT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
CHAIN_TIME = 1_790_000_000  # seconds, of the head
CHAIN_LIFE = 600  # seconds that an operation stays valid
SIGNER_PROXY = (
    "devchain/node_modules/@safe-global/safe-passkey/build/artifacts/contracts/"
    "SafeWebAuthnSignerProxy.sol/SafeWebAuthnSignerProxy.json"
)
Status = UserOperation.Status


@cache
def proxy_code() -> bytes:
    """Return the published creation code of the signer proxy."""
    artifact = json.loads((settings.BASE_DIR / SIGNER_PROXY).read_text())
    return bytes.fromhex(artifact["bytecode"][2:])


def make_chain() -> Chain:
    """Return the configured chain, verified, with everything heard of just now."""
    chain, _created = Chain.objects.get_or_create(
        chain_id=settings.CHAIN_ID,
        defaults={
            "name": settings.CHAIN_NAME,
            "signer_proxy_code": proxy_code(),
            "has_p256_precompile": True,
            "head_number": 100,
            "head_timestamp": CHAIN_TIME,
            "confirmed_timestamp": CHAIN_TIME - 12,
            "base_fee_wei": 10**9,
        },
    )
    Heartbeat.objects.bulk_create(
        [
            Heartbeat(chain=chain, component=component, seen_at=timezone.now())
            for component in Heartbeat.Component
        ],
        update_conflicts=True,
        unique_fields=["chain", "component"],
        update_fields=["seen_at"],
    )
    return chain


@dataclass(kw_only=True)
class Wallet:
    """A person, their passkey, their account, and the browser they are signed in at."""

    user: User
    passkey: SoftAuthenticator
    safe: Safe
    client: Client = field(default_factory=Client)

    def url(self, name: str) -> str:
        """Return the address of one of the account's pages."""
        arguments = [self.safe.chain.chain_id, self.safe.address_text]
        return reverse(f"onchain:{name}", args=arguments)

    def get(self, name: str, **headers: str) -> HttpResponse:
        """Open one of the account's pages."""
        return self.client.get(self.url(name), headers=headers)

    def post(self, name: str, data: dict[str, Any], **headers: str) -> HttpResponse:
        """Post to one of the account's pages."""
        return self.client.post(self.url(name), data, headers=headers)

    def confirmed(
        self, page: str, action: str, *target: object, **fields: Any
    ) -> HttpResponse:
        """Post to one of the account's pages as its form does, after a touch (R14).

        Args:
            target: all fields of the form that are called so; the last one is posted.
        """
        asked = {"action": action, "target": target}
        options = self.client.post(reverse("step-up-begin"), asked).json()
        answer = json.dumps(self.passkey.get(options))
        return self.post(page, {"credential": answer, "target": target[-1], **fields})

    def answer(self, request: dict[str, Any], **changes: Any) -> str:
        """Return the passkey's answer to a page's signing request, as JSON text."""
        challenge = bytes.fromhex(request["hash"][2:])
        options = {"challenge": base64url(challenge)}
        return json.dumps(self.passkey.get(options, **changes))


def make_wallet(*, is_live: bool = True, balance_wei: int = 10 * ETH) -> Wallet:
    """Return a signed-in person with one account."""
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    safe = safes.open_safe(
        user=credential.user, credential=credential, chain=make_chain()
    )
    if is_live:
        Safe.objects.filter(pk=safe.pk).update(
            status=Safe.Status.DEPLOYED, balance_wei=balance_wei
        )
    safe.refresh_from_db()
    wallet = Wallet(user=credential.user, passkey=passkey, safe=safe)
    wallet.client.force_login(credential.user)
    return wallet


def join(wallet: Wallet, role: Role) -> Wallet:
    """Return another person's browser, in this role on the same account.

    An owner or approver has a passkey among the account's owners, proven.
    """
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    other = Wallet(user=credential.user, passkey=passkey, safe=wallet.safe)
    other.client.force_login(credential.user)
    if role != Role.VIEWER:
        Owner.objects.create(
            safe=wallet.safe,
            credential=credential,
            address=signers.signer_for(
                public_key=public_key_of(credential), safe=wallet.safe
            ),
            position=wallet.safe.owners.count(),
        )
    if role != Role.OWNER:
        Membership.objects.create(
            safe=wallet.safe, user=other.user, role=role, created_by=wallet.user
        )
    return other


def make_invitation(
    wallet: Wallet, *, guest: Wallet | None = None, role: Role = Role.OWNER
) -> Invitation:
    """Return an invitation to the wallet's account, opened by the guest if any."""
    invitation, token = invitations.issue(
        safe=wallet.safe, user=wallet.user, role=role, name="Bob"
    )
    if guest is not None:
        invitations.take(token=token, user=guest.user)
        invitation.refresh_from_db()
    return invitation


def make_formation(
    wallet: Wallet,
    *,
    people: Sequence[str] = (),
    addresses: Sequence[str] = (),
    threshold: int = 2,
) -> Formation:
    """Return a shared account that the wallet's person makes with one passkey."""
    wanted = formations.Wanted(
        name="Us",
        threshold=threshold,
        passkeys=list(wallet.user.credentials.all()[:1]),
        people=people,
        wallets=[to_address(text) for text in addresses],
        key=uuid.uuid4(),
    )
    return formations.begin(user=wallet.user, chain=wallet.safe.chain, wanted=wanted)


def key_of(owner: Owner) -> dict[str, Any]:
    """Return what names an owner's key to ``key_proofs``."""
    return {"credential": owner.credential, "safe": owner.safe}


def prove(wallet: Wallet) -> None:
    """Say that the chain has checked the wallet's passkey."""
    wallet.safe.owners.update(proven_at=timezone.now())


def make_draft(
    wallet: Wallet, *, recipient: str = RECIPIENT, value_wei: int = ETH // 4
) -> UserOperation:
    """Return a payment that nobody has prepared yet."""
    return UserOperation.objects.create(
        safe=wallet.safe,
        created_by=wallet.user,
        idempotency_key=uuid.uuid4(),
        recipient=to_address(recipient),
        value_wei=value_wei,
    )


def make_review(
    wallet: Wallet, *, lane: int = 0, is_sponsored: bool = True, **draft: Any
) -> UserOperation:
    """Return a payment that waits for its owner's touch, hashed as the chain would."""
    op = make_draft(wallet, **draft)
    sponsor = Paymaster(
        address=to_address("0x" + "ab" * 20),
        verification_gas_limit=60_000,
        post_op_gas_limit=0,
        data=b"\1\2",
    )
    call = Call(to=Address(op.recipient), value_wei=op.value_wei)
    packed = UserOperationV07(
        sender=Address(wallet.safe.address),
        nonce=join_nonce(lane, 0),
        call_data=calls_call_data([call]),
        call_gas_limit=90_000,
        verification_gas_limit=170_001,
        pre_verification_gas=55_000,
        max_fee_per_gas=2_000_000_007,
        max_priority_fee_per_gas=10**9,
        paymaster=sponsor if is_sponsored else None,
    )
    return await_signature(op, packed, lane=lane)


def await_signature(
    op: UserOperation, packed: UserOperationV07, *, lane: int
) -> UserOperation:
    """Return the operation as its review shows it, hashed as the chain would."""
    sponsor = packed.paymaster
    paid_by: dict[str, Any] = {}
    if sponsor is not None:
        paid_by = {
            "paymaster": sponsor.address,
            "paymaster_verification_gas_limit": sponsor.verification_gas_limit,
            "paymaster_post_op_gas_limit": sponsor.post_op_gas_limit,
            "paymaster_data": sponsor.data,
        }
    chain_id = op.safe.chain.chain_id
    valid_until = CHAIN_TIME + CHAIN_LIFE
    UserOperation.objects.filter(pk=op.pk).update(
        status=Status.AWAITING_SIGNATURES,
        nonce_key=lane,
        nonce_sequence=0,
        call_data=packed.call_data,
        call_gas_limit=packed.call_gas_limit,
        verification_gas_limit=packed.verification_gas_limit,
        pre_verification_gas=packed.pre_verification_gas,
        max_fee_per_gas=packed.max_fee_per_gas,
        max_priority_fee_per_gas=packed.max_priority_fee_per_gas,
        valid_after=0,
        valid_until=valid_until,
        user_operation_hash=user_operation_hash(packed, chain_id=chain_id),
        safe_operation_hash=safe_operation_hash(
            packed, chain_id=chain_id, valid_after=0, valid_until=valid_until
        ),
        prepared_at=timezone.now(),
        **paid_by,
    )
    op.refresh_from_db()
    return op


def make_operation(wallet: Wallet, status: str, **fields: Any) -> UserOperation:
    """Return a payment in any state, with the columns that state implies."""
    if status == Status.DRAFT:
        op = make_draft(wallet)
    else:
        op = make_review(wallet, lane=wallet.safe.operations.count())
    now = timezone.now()
    implied: dict[str, Any] = {"status": status}
    on_chain = (Status.INCLUDED, Status.REVERTED)
    if status in (Status.SIGNED, Status.SUBMITTED, *on_chain):
        implied["signed_at"] = now
        OperationSignature.objects.create(
            operation=op, owner=wallet.safe.owners.all()[0], signature=b"\5" * 96
        )
    if status in (Status.SUBMITTED, *on_chain):
        implied |= {"submitted_at": now, "attempted_at": now}
    if status in on_chain:
        implied |= {
            "included_at": now,
            "block_number": 100,
            "transaction_hash": uuid.uuid4().bytes * 2,
            "actual_gas_cost_wei": 10**14,
            "actual_gas_used": 200_000,
        }
    UserOperation.objects.filter(pk=op.pk).update(**implied | fields)
    op.refresh_from_db()
    return op


def make_history(wallet: Wallet, count: int) -> None:
    """Give an account a history."""
    template = make_operation(wallet, Status.INCLUDED)
    for lane in range(1, count):
        template.pk = None
        template.idempotency_key = uuid.uuid4()
        template.user_operation_hash = uuid.uuid4().bytes * 2
        template.nonce_key = lane
        template.save(force_insert=True)


def operation_url(op: UserOperation, name: str = "operation") -> str:
    """Return the address of one of an operation's pages."""
    return reverse(f"onchain:{name}", args=[op.pk])
