"""1, 2, 3 and 5 signers of mixed kinds, with keys nobody chose, on a real chain.

A Safe wants signatures in the order of its owners' addresses as the chain has them.
AbstractionKit 0.2.41 sorts those of an account with a passkey and wallets by the shared
signer's address instead of the passkey's own once that was swapped in, so that, by
chance of the keys, some of its operations fail (AA24). Here every order of keys works.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from eth_account import Account

from onchain.clients.errors import ClientError
from onchain.models import Chain, Owner
from onchain.protocol.abi import keccak
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.deployments import ENTRY_POINT, MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.passkey_signature import (
    SafeSignature,
    client_data_fields,
    operation_signature,
    parse_der_signature,
    passkey_signature,
)
from onchain.protocol.safe import (
    account_address,
    deploy_calls,
    direct_setup,
    signer_address,
)
from onchain.protocol.safe_operation import safe_operation_data, safe_operation_hash
from onchain.protocol.types import Address, Call, PublicKey, to_address
from onchain.protocol.user_operation import (
    UserOperationV07,
    handle_ops_data,
    user_operation_hash,
)
from onchain.protocol.validation import signature_failed, validate_user_op_data
from onchain.protocol.wallet_signature import (
    EIP1271_MAGIC,
    is_valid_signature_data,
    personal_hash,
    personal_message,
)
from onchain.services import contract_signatures, gas
from onchain.services.local_chain import LocalChain
from tests.onchain.protocol.vectors import CHAIN_ID, RECIPIENT
from tests.soft_authenticator import SoftAuthenticator
from tests.wallet_keys import SoftWallet, safe_message_hash
from wallet_site import chain_state

pytestmark = pytest.mark.chain

SENDER = 6  # of anvil's accounts
ROUNDS = 3  # of new keys for each mixture
ETH = 10**18  # wei
MIXTURES = ["p", "w", "pw", "pc", "wc", "ppw", "pwc", "ppwwc"]
TIMES = {"valid_after": 0, "valid_until": 2**48 - 1}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One owner, of whatever kind, that can sign."""

    kind: Owner.Kind
    address: Address
    held: SoftAuthenticator | SoftWallet
    setup: bytes = b""  # of the Safe that a contract owner is

    @property
    def public_key(self) -> PublicKey:
        x, y = self.held.x, self.held.y
        return PublicKey(x=int.from_bytes(x, "big"), y=int.from_bytes(y, "big"))

    def sign(self, message: bytes) -> SafeSignature:
        """Sign keccak(message) as this kind of owner does."""
        if isinstance(self.held, SoftAuthenticator):
            signature = passkey_answer(self.held, keccak(message))
        elif self.kind == Owner.Kind.CONTRACT:
            signature = self.held.sign_hash(safe_message_hash(self.address, message))
        else:
            signature = self.held.sign_hash(keccak(message))
        is_contract = self.kind != Owner.Kind.WALLET
        return SafeSignature(
            owner=self.address, signature=signature, is_contract=is_contract
        )


def passkey_answer(passkey: SoftAuthenticator, challenge: bytes) -> bytes:
    assertion = passkey.assert_challenge(challenge)
    r, s = parse_der_signature(assertion.signature)
    fields = client_data_fields(assertion.client_data_json, challenge)
    return passkey_signature(
        authenticator_data=assertion.authenticator_data,
        client_data_fields=fields,
        r=r,
        s=s,
    )


def new_key(letter: str, proxy_code: bytes) -> Key:
    if letter == "p":
        passkey = SoftAuthenticator()
        x, y = (int.from_bytes(half, "big") for half in (passkey.x, passkey.y))
        signer = signer_address(public_key=PublicKey(x=x, y=y), proxy_code=proxy_code)
        return Key(kind=Owner.Kind.PASSKEY, address=signer, held=passkey)
    wallet = SoftWallet(account=Account.create())
    if letter == "w":
        return Key(kind=Owner.Kind.WALLET, address=wallet.address, held=wallet)
    setup = direct_setup(owners=[wallet.address], threshold=1)
    safe = account_address(setup=setup, salt_nonce=0)
    return Key(kind=Owner.Kind.CONTRACT, address=safe, held=wallet, setup=setup)


@dataclass(frozen=True, kw_only=True)
class MixedAccount:
    """An account on chain that needs every one of its owners."""

    address: Address
    keys: Sequence[Key]

    def signed(self, op: UserOperationV07, *, backwards: bool = False) -> bytes:
        message = safe_operation_data(op, chain_id=CHAIN_ID, **TIMES)
        assert keccak(message) == safe_operation_hash(op, chain_id=CHAIN_ID, **TIMES)
        signatures = [key.sign(message) for key in self.keys]
        good = operation_signature(**TIMES, signatures=signatures)
        if not backwards:
            return good
        heads = len(signatures) * 65
        fixed = [good[12 + at : 12 + at + 65] for at in range(0, heads, 65)]
        return good[:12] + b"".join(reversed(fixed)) + good[12 + heads :]


@pytest.fixture(scope="module")
def chain(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture(scope="module")
def accounts(chain: LocalChain, proxy_code: bytes) -> list[MixedAccount]:
    """Some accounts of every mixture, put on chain together."""
    made = [
        [new_key(letter, proxy_code) for letter in mixture]
        for mixture in MIXTURES
        for _ in range(ROUNDS)
    ]
    found, sent = [], []
    salt, sender = secrets.randbits(64), chain.anvil.accounts()[SENDER]
    for keys in made:
        secrets.SystemRandom().shuffle(keys)
        calls: list[Call] = []
        for key in keys:
            if key.setup:
                calls += deploy_calls(public_keys=[], setup=key.setup, salt_nonce=0)
        owners = [key.address for key in keys]
        setup = direct_setup(owners=owners, threshold=len(owners))
        passkeys = [key.public_key for key in keys if key.kind == Owner.Kind.PASSKEY]
        calls += deploy_calls(public_keys=passkeys, setup=setup, salt_nonce=salt)
        address = account_address(setup=setup, salt_nonce=salt)
        found.append(MixedAccount(address=address, keys=keys))
        chain.anvil.set_balance(address, ETH)
        data = aggregate3_data(calls, allow_failure=False)
        sent.append(chain.anvil.send(sender, MULTICALL3, data))
    chain.anvil.wait(sent)
    return found


def limit_for(keys: Sequence[Key]) -> int:
    """Return the limit that the site would give, for owners that are known here."""
    row = Chain(has_p256_precompile=True)
    owners = [Owner(kind=key.kind, holder_id=1) for key in keys]
    costs = [gas.signature_gas(owner=owner, chain=row) for owner in owners]
    return gas.verification_gas(signatures=sum(costs), is_sponsored=False)


def payment(account: MixedAccount) -> UserOperationV07:
    return UserOperationV07(
        sender=account.address,
        nonce=0,
        call_data=calls_call_data([Call(to=RECIPIENT, value_wei=7)]),
        call_gas_limit=100_000,
        verification_gas_limit=limit_for(account.keys),
        pre_verification_gas=60_000,
        max_fee_per_gas=5 * 10**9,
        max_priority_fee_per_gas=10**9,
    )


def is_valid(chain: LocalChain, op: UserOperationV07) -> bool:
    data = validate_user_op_data(
        op, operation_hash=user_operation_hash(op, chain_id=CHAIN_ID)
    )
    try:
        return not signature_failed(
            chain.node.call(op.sender, data, sender=ENTRY_POINT)
        )
    except ClientError:
        return False


def test_every_mixture_of_owners_pays_within_its_limit(
    chain: LocalChain, accounts: list[MixedAccount]
):
    sender = chain.anvil.accounts()[SENDER]
    before = chain.node.balances([RECIPIENT])[0]

    sent = []
    for account in accounts:
        op = payment(account)
        data = handle_ops_data([replace(op, signature=account.signed(op))], sender)
        sent.append(chain.anvil.send(sender, ENTRY_POINT, data))
    chain.anvil.wait(sent)

    assert {len(account.keys) for account in accounts} == {1, 2, 3, 5}
    assert chain.node.balances([RECIPIENT])[0] - before == 7 * len(accounts)


def test_another_order_or_one_signature_too_few_is_refused(
    chain: LocalChain, accounts: list[MixedAccount]
):
    for account in accounts:
        op = replace(payment(account), nonce=1 << 64)
        assert is_valid(chain, replace(op, signature=account.signed(op)))
        if len(account.keys) == 1:
            continue

        backwards = replace(op, signature=account.signed(op, backwards=True))
        fewer = MixedAccount(address=account.address, keys=account.keys[1:])

        assert not is_valid(chain, backwards)
        assert not is_valid(chain, replace(op, signature=fewer.signed(op)))


def test_a_safe_that_owns_answers_for_texts_and_for_operations(
    chain: LocalChain, accounts: list[MixedAccount]
):
    account = next(item for item in accounts if len(item.keys) == 5)
    (owner,) = (key for key in account.keys if key.kind == Owner.Kind.CONTRACT)
    text, op = "Latchkey: a text", payment(account)
    operation_data = safe_operation_data(op, chain_id=CHAIN_ID, **TIMES)

    def accepts(messages: list[bytes], signed: bytes) -> bool:
        return contract_signatures.accepts(
            node=chain.node,
            contract=owner.address,
            messages=messages,
            signature=owner.sign(signed).signature,
        )

    digest = personal_hash(text)
    messages = [digest, personal_message(text)]
    assert accepts(messages, digest)  # as Safe's own wallet answers personal_sign
    assert accepts(messages, personal_message(text))
    assert accepts([operation_data], operation_data)
    assert not accepts([operation_data], digest)
    answer = owner.sign(digest).signature
    newer = chain.node.call(owner.address, is_valid_signature_data(digest, answer))
    assert newer[:4] == EIP1271_MAGIC


@pytest.mark.thorough
def test_an_address_without_code_accepts_nothing(chain: LocalChain):
    assert not contract_signatures.accepts(
        node=chain.node,
        contract=to_address(SoftWallet().address_text),
        messages=[b"message"],
        signature=b"\1" * 65,
    )
