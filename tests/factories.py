"""Rows that tests need, one function each; every argument is a field to set."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Credential, User, generated_name
from onchain.clients.paymaster import PaymasterService
from onchain.models import Chain, Owner, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.services import (
    authorization,
    contracts,
    preparation,
    safes,
    submission,
    user_operations,
)
from onchain.services.handing_over import Carriers
from tests.fake_bundler import FakeBundler
from tests.fakes import CHAIN_ID, GENESIS_TIME, FakeNode
from tests.soft_authenticator import BE, BS, SoftAuthenticator, base64url


def make_user(**fields: Any) -> User:
    """Return a stored person without any passkey."""
    user_handle = secrets.token_bytes(64)
    defaults = {"user_handle": user_handle, "name": generated_name(user_handle)}
    return User.objects.create(**defaults | fields)


def make_operator(**fields: Any) -> User:
    """Return a stored operator without any passkey."""
    return make_user(
        **{"name": f"operator {secrets.token_hex(4)}"} | fields, is_staff=True
    )


def make_credential(
    passkey: SoftAuthenticator | None = None, **fields: Any
) -> Credential:
    """Return the stored public half of a passkey, by default of a new person's new one."""
    passkey = passkey or SoftAuthenticator()
    user = fields.pop("user", None) or make_user()
    passkey.user_handle = user.user_handle
    defaults = {
        "user": user,
        "credential_id": passkey.credential_id,
        "public_key_x": passkey.x,
        "public_key_y": passkey.y,
        "aaguid": uuid.UUID(bytes=passkey.aaguid),
        "transports": passkey.transports,
        "backup_eligible": bool(passkey.flags & BE),
        "backup_state": bool(passkey.flags & BS),
        "sign_count": passkey.sign_count,
    }
    return Credential.objects.create(**defaults | fields)


# --- Chains and accounts ----------------------------------------------------------------

ETHER = 10**18  # wei
PAYEE = Address(b"\xb0" * 20)
SPONSOR_KEY = "0x" + "5e" * 32
RELAYER_KEY = "0x" + "7a" * 32


@cache
def signer_proxy_code() -> bytes:
    """Return the signer proxy's creation code from the npm package."""
    packages = Path(settings.BASE_DIR) / "devchain" / "node_modules"
    return contracts.signer_proxy_code(packages=packages, node=FakeNode())


def make_chain(**fields: Any) -> Chain:
    """Return the configured chain as a follower that is up to date leaves it."""
    defaults = {
        "chain_id": CHAIN_ID,
        "name": "Local chain",
        "signer_proxy_code": signer_proxy_code(),
        "has_p256_precompile": True,
        "head_number": 100,
        "head_timestamp": GENESIS_TIME + 1,
        "confirmed_timestamp": GENESIS_TIME,
        "base_fee_wei": 10**9,
    }
    return Chain.objects.create(**defaults | fields)


def the_chain() -> Chain:
    """Return the configured chain, made at the first call."""
    return Chain.objects.filter(chain_id=CHAIN_ID).first() or make_chain()


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """A person, the passkey in the hand, and the account that it owns."""

    passkey: SoftAuthenticator
    user: User
    credential: Credential
    safe: Safe

    @property
    def owner(self) -> Owner:
        """The passkey as an owner of the account."""
        return self.safe.owners.get()


def make_wallet(
    passkey: SoftAuthenticator | None = None,
    *,
    chain: Chain | None = None,
    user: User | None = None,
    **fields: Any,
) -> Wallet:
    """Return a new person with a live account; the fields are the account's."""
    passkey = passkey or SoftAuthenticator()
    credential = make_credential(passkey, user=user)
    safe = safes.open_safe(
        user=credential.user, credential=credential, chain=chain or the_chain()
    )
    defaults = {"status": Safe.Status.DEPLOYED, "deployed_block": 90}
    Safe.objects.filter(pk=safe.pk).update(**defaults | fields)
    safe.refresh_from_db()
    return Wallet(
        passkey=passkey, user=credential.user, credential=credential, safe=safe
    )


def make_queued_wallet(**fields: Any) -> Wallet:
    """Return a wallet whose account waits for its deployment."""
    defaults = {"status": Safe.Status.QUEUED, "deployed_block": None}
    return make_wallet(**defaults | fields)


def make_relayer_transaction(**fields: Any) -> RelayerTransaction:
    """Return a queued payment of test ETH."""
    defaults = {
        "chain": fields.pop("chain", None) or the_chain(),
        "purpose": RelayerTransaction.Purpose.FAUCET,
        "to": PAYEE,
        "value_wei": ETHER,
    }
    return RelayerTransaction.objects.create(**defaults | fields)


# --- Operations -------------------------------------------------------------------------


def make_operation(wallet: Wallet, **fields: Any) -> UserOperation:
    """Return an operation row with these fields and no more; DRAFT by default."""
    defaults = {
        "safe": wallet.safe,
        "created_by": wallet.user,
        "idempotency_key": uuid.uuid4(),
        "recipient": PAYEE,
        "value_wei": ETHER // 4,
    }
    return UserOperation.objects.create(**defaults | fields)


@dataclass(frozen=True, kw_only=True)
class World:
    """One wallet and everything its payments meet on their way."""

    wallet: Wallet
    node: FakeNode
    bundler: FakeBundler
    second_bundler: FakeBundler | None = None
    relayer: Address | None = None  # None: it carries nothing
    sponsor_key: str = SPONSOR_KEY
    paymaster_service: PaymasterService | None = None

    @property
    def carriers(self) -> Carriers:
        """Everybody who can be asked to carry an operation."""
        bundlers = [self.bundler, self.second_bundler]
        return Carriers(
            node=self.node,
            bundlers=[item for item in bundlers if item is not None],
            relayer=self.relayer,
        )

    @property
    def chain(self) -> Chain:
        """The chain's row as it is now."""
        return Chain.objects.get(pk=self.wallet.safe.chain_id)

    def fresh(self, op: UserOperation) -> UserOperation:
        """Return the operation as another process would load it."""
        return UserOperation.objects.select_related("safe__chain", "predecessor").get(
            pk=op.pk
        )

    def draft(self, **fields: Any) -> UserOperation:
        """Return a payment as the form leaves it."""
        defaults = {
            "safe": self.wallet.safe,
            "user": self.wallet.user,
            "recipient": PAYEE,
            "value_wei": ETHER // 4,
            "idempotency_key": uuid.uuid4(),
        }
        return user_operations.draft(**defaults | fields)

    def prepare(self, op: UserOperation | None = None) -> UserOperation:
        """Prepare an operation, by default a new one; return it as it is then."""
        op = self.fresh(op or self.draft())
        preparation.prepare(
            op=op,
            node=self.node,
            bundler=self.bundler,
            sponsor_key=self.sponsor_key,
            paymaster_service=self.paymaster_service,
        )
        return self.fresh(op)

    def answer(
        self,
        op: UserOperation,
        passkey: SoftAuthenticator | None = None,
        **changes: Any,
    ) -> str:
        """Return a passkey's answer to an operation's hash, the first one's if none."""
        passkey = passkey or self.wallet.passkey
        return assertion_text(passkey, bytes(op.safe_operation_hash), **changes)

    def sign(
        self, op: UserOperation | None = None, passkey: SoftAuthenticator | None = None
    ) -> UserOperation:
        """Sign an operation, by default a new one; return it as it is then."""
        op = op or self.prepare()
        authorization.sign(
            op=self.fresh(op), user=self.wallet.user, response=self.answer(op, passkey)
        )
        return self.fresh(op)

    def submit(self, op: UserOperation | None = None) -> UserOperation:
        """Submit an operation, by default a new one; return it as it is then."""
        op = self.fresh(op or self.sign())
        submission.submit(op=op, carriers=self.carriers)
        return self.fresh(op)

    def later(self, op: UserOperation, seconds: int = 60) -> UserOperation:
        """Return the operation as if its last attempt were some time ago."""
        moment = timezone.now() - timedelta(seconds=seconds)
        rows = UserOperation.objects.filter(pk=op.pk)
        rows.filter(attempted_at__isnull=False).update(attempted_at=moment)
        rows.filter(submitted_at__isnull=False).update(submitted_at=moment)
        return self.fresh(op)

    def prepare_again(self, op: UserOperation) -> UserOperation:
        """Press "Prepare again" and let the worker prepare it."""
        again = user_operations.prepare_again(
            op=self.fresh(op), user=self.wallet.user, idempotency_key=uuid.uuid4()
        )
        return self.prepare(again)

    def fund(self) -> None:
        """Let the chain have shown money on the account: it is no newcomer any more."""
        Safe.objects.filter(pk=self.wallet.safe.pk).update(
            balance_wei=ETHER, synced_at_block=100
        )

    def confirm_time(self, seconds: int) -> None:
        """Let the confirmed head have this timestamp, and the head one later."""
        Chain.objects.filter(pk=self.chain.pk).update(
            confirmed_timestamp=seconds, head_timestamp=seconds + 1
        )


def assertion_text(passkey: SoftAuthenticator, challenge: bytes, **changes: Any) -> str:
    """Return the JSON that a browser posts for a 32-byte challenge."""
    options = {"challenge": base64url(challenge)}
    return json.dumps(passkey.get(options, **changes))


def make_world(**fields: Any) -> World:
    """Return a wallet with 1 ETH on a fake chain with a fake bundler."""
    wallet = make_wallet(**fields)
    node = FakeNode()
    node.deploy(wallet.safe)
    node.account_balances[wallet.safe.address] = ETHER
    return World(wallet=wallet, node=node, bundler=FakeBundler())


def in_each_status() -> dict[str, dict[str, Any]]:
    """Return, by status, the times that an operation in it has."""
    now = timezone.now()
    prepared = {"prepared_at": now}
    signed = prepared | {"signed_at": now}
    submitted = signed | {"submitted_at": now}
    included = submitted | {"included_at": now, "block_number": 99}
    return {
        Status.DRAFT: {},
        Status.AWAITING_SIGNATURES: prepared,
        Status.SIGNED: signed,
        Status.SUBMITTED: submitted,
        Status.INCLUDED: included,
        Status.REVERTED: included,
        Status.REJECTED: signed,
        Status.EXPIRED: prepared,
        Status.WITHDRAWN: prepared,
        Status.REPLACED: submitted,
    }
