"""The protocol layer against the contracts themselves, on a real chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from django.conf import settings
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.protocol.abi import call_data, decode, keccak
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.deployments import (
    CONTRACTS,
    ENTRY_POINT,
    FCL_VERIFIER,
    MULTICALL3,
    P256_PRECOMPILE,
    SAFE_4337_MODULE,
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
    SIGNER_FACTORY,
    VERIFIERS,
)
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.p256 import ORDER
from onchain.protocol.passkey_signature import (
    SafeSignature,
    client_data_fields,
    dummy_passkey_signature,
    operation_signature,
    parse_der_signature,
    passkey_signature,
)
from onchain.protocol.paymaster import (
    verifying_paymaster_data,
    verifying_paymaster_hash,
)
from onchain.protocol.safe import (
    account_address,
    deploy_calls,
    direct_setup,
    factory_data,
    shared_setup,
    signer_address,
    signer_proxy_code_from_factory,
)
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import Address, Call, PublicKey, to_address
from onchain.protocol.user_operation import (
    PACKED_USER_OPERATION,
    Factory,
    Paymaster,
    UserOperationV07,
    handle_ops_data,
    join_nonce,
    packed_tuple,
    user_operation_hash,
)
from onchain.protocol.validation import signature_failed, validate_user_op_data
from onchain.services.local_chain import LocalChain
from tests.onchain.protocol.vectors import CHAIN_ID, EOA, RECIPIENT, operation
from tests.soft_authenticator import ORIGIN, SoftAuthenticator
from wallet_site import chain_state

pytestmark = pytest.mark.chain

IS_VALID_FOR_SIGNER = "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)"
MAGIC_VALUE = "1626ba7e"
TIMES = [(0, 0), (1, 2**48 - 1), (1_700_000_000, 0)]
ETH = 10**18  # wei
SIGNATURE_FAILED = 1
# Chrome adds this member to one client data in five.
CHROME_MEMBERS = {
    "crossOrigin": False,
    "other_keys_can_be_added_here": "do not compare clientDataJSON against a template. "
    "See https://goo.gl/yabPex",
}

PAYER = Paymaster(address=EOA, verification_gas_limit=60_000, post_op_gas_limit=0)
SHAPES = {
    "plain": operation(),
    "factory": operation(factory=Factory(address=EOA, data=b"\x01\x02")),
    "factory without data": operation(factory=Factory(address=EOA)),
    "paymaster": operation(paymaster=replace(PAYER, data=b"\x03")),
    "paymaster without data": operation(paymaster=PAYER),
    "paymaster of zeros": operation(paymaster=replace(PAYER, verification_gas_limit=0)),
    "no call data": operation(call_data=b""),
    "lane": operation(nonce=join_nonce(2**192 - 1, 2**64 - 1)),
    "highest gas": operation(
        call_gas_limit=2**128 - 1,
        verification_gas_limit=2**128 - 1,
        pre_verification_gas=2**256 - 1,
        max_fee_per_gas=2**128 - 1,
        max_priority_fee_per_gas=2**128 - 1,
    ),
}


@dataclass(frozen=True, slots=True)
class Passkey:
    """A soft authenticator and its signer on chain."""

    authenticator: SoftAuthenticator
    public_key: PublicKey
    signer: Address

    def sign(
        self, digest: bytes, *, owner: Address | None = None, **changes: object
    ) -> SafeSignature:
        assertion = self.authenticator.assert_challenge(digest, **changes)
        r, s = parse_der_signature(assertion.signature)
        signature = passkey_signature(
            authenticator_data=assertion.authenticator_data,
            client_data_fields=client_data_fields(assertion.client_data_json, digest),
            r=r,
            s=s,
        )
        return SafeSignature(
            owner=owner or self.signer, signature=signature, is_contract=True
        )


@pytest.fixture(scope="module")
def chain(node_url) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture(scope="module")
def sender(chain) -> Address:
    """An account that anvil signs for, and that nothing else here uses."""
    return chain.anvil.accounts()[7]


@pytest.fixture(scope="module")
def passkeys(proxy_code) -> list[Passkey]:
    return [new_passkey(proxy_code) for _ in range(2)]


@pytest.fixture(scope="module")
def eoa() -> LocalAccount:
    return Account.create()


def new_passkey(proxy_code: bytes) -> Passkey:
    authenticator = SoftAuthenticator()
    key = PublicKey(
        x=int.from_bytes(authenticator.x, "big"),
        y=int.from_bytes(authenticator.y, "big"),
    )
    signer = signer_address(public_key=key, proxy_code=proxy_code)
    return Passkey(authenticator, key, signer)


@pytest.fixture(scope="module")
def deploy(chain, sender):
    """Deploy an account of the direct layout as the relayer does; return its address."""

    def deploy(
        owners: Sequence[Address], threshold: int, keys: Sequence[Passkey], salt: int
    ) -> Address:
        setup = direct_setup(owners=owners, threshold=threshold)
        calls = deploy_calls(
            public_keys=[key.public_key for key in keys], setup=setup, salt_nonce=salt
        )
        data = aggregate3_data(calls, allow_failure=False)
        chain.anvil.wait([chain.anvil.send(sender, MULTICALL3, data)])
        return account_address(setup=setup, salt_nonce=salt)

    return deploy


@pytest.fixture(scope="module")
def mixed_account(deploy, passkeys, eoa) -> Address:
    """Three of three: two passkeys and an externally owned account between them."""
    owners = [passkeys[0].signer, address_of(eoa), passkeys[1].signer]
    return deploy(owners, 3, passkeys, 1)


@pytest.fixture(scope="module")
def account(deploy, passkeys) -> Address:
    """One passkey."""
    return deploy([passkeys[0].signer], 1, passkeys[:1], 0)


def address_of(account: LocalAccount) -> Address:
    return to_address(account.address)


def account_signature(eoa: LocalAccount, digest: bytes) -> SafeSignature:
    signed = eoa.unsafe_sign_hash(digest)
    return SafeSignature(
        owner=address_of(eoa), signature=bytes(signed.signature), is_contract=False
    )


def read(chain: LocalChain, to: Address, signature: str, *values: object) -> bytes:
    return chain.node.call(to, call_data(signature, *values))


def timed(op: UserOperationV07, valid_after: int, valid_until: int) -> UserOperationV07:
    """The operation with its times and no signature, as the module reads it."""
    signature = operation_signature(
        valid_after=valid_after, valid_until=valid_until, signatures=[]
    )
    return replace(op, signature=signature)


def send_operation(account: Address, **changes: object) -> UserOperationV07:
    """A payment that the account itself pays for."""
    values = {
        "sender": account,
        "nonce": join_nonce(0, 0),
        "call_data": calls_call_data([Call(to=RECIPIENT, value_wei=5)]),
        "call_gas_limit": 200_000,
        "verification_gas_limit": 1_500_000,
        "pre_verification_gas": 60_000,
        "max_fee_per_gas": 3 * 10**9,
        "max_priority_fee_per_gas": 10**9,
        **changes,
    }
    return UserOperationV07(**values)


def digest_of(
    op: UserOperationV07, *, valid_after: int = 0, valid_until: int = 0
) -> bytes:
    return safe_operation_hash(
        op, chain_id=CHAIN_ID, valid_after=valid_after, valid_until=valid_until
    )


def signed(
    op: UserOperationV07, signatures: Sequence[SafeSignature], **times: int
) -> UserOperationV07:
    times = {"valid_after": 0, "valid_until": 0, **times}
    return replace(op, signature=operation_signature(**times, signatures=signatures))


def validation_data(chain: LocalChain, op: UserOperationV07) -> int:
    """What the account answers the EntryPoint: validAfter, validUntil, authorizer."""
    data = validate_user_op_data(
        op, operation_hash=user_operation_hash(op, chain_id=CHAIN_ID)
    )
    answer = chain.node.call(op.sender, data, sender=ENTRY_POINT)
    assert signature_failed(answer) == (answer[12:] != bytes(20))
    return int.from_bytes(answer, "big")


# --- Contracts and addresses -----------------------------------------------------------


def test_every_pinned_contract_has_its_code(chain):
    codes = chain.node.codes([contract.address for contract in CONTRACTS], "latest")

    assert {
        contract.name: keccak(code)
        for contract, code in zip(CONTRACTS, codes, strict=True)
    } == {contract.name: contract.code_hash for contract in CONTRACTS}


def test_the_signer_code_on_chain_is_the_published_one(chain, proxy_code):
    (code,) = chain.node.codes([SIGNER_FACTORY], "latest")

    assert signer_proxy_code_from_factory(code) == proxy_code


@pytest.mark.parametrize(
    "verifiers",
    [VERIFIERS, int.from_bytes(FCL_VERIFIER, "big"), P256_PRECOMPILE << 160, 0],
)
def test_signer_addresses_are_those_of_the_factory(chain, proxy_code, verifiers):
    key = new_passkey(proxy_code).public_key

    ours = signer_address(public_key=key, proxy_code=proxy_code, verifiers=verifiers)

    answer = read(
        chain,
        SIGNER_FACTORY,
        "getSigner(uint256,uint256,uint176)",
        *(key.x, key.y, verifiers),
    )
    assert answer[12:] == ours


def test_an_account_of_the_direct_layout_stands_where_we_said(
    chain, passkeys, eoa, mixed_account
):
    owners = read(chain, mixed_account, "getOwners()")
    threshold = read(chain, mixed_account, "getThreshold()")
    module = read(chain, mixed_account, "isModuleEnabled(address)", SAFE_4337_MODULE)
    codes = chain.node.codes([key.signer for key in passkeys], "latest")

    expected = [passkeys[0].signer, address_of(eoa), passkeys[1].signer]
    assert [to_address(text) for text in decode(("address[]",), owners)[0]] == expected
    assert [int.from_bytes(word, "big") for word in (threshold, module)] == [3, 1]
    assert all(codes)


def test_an_account_of_the_shared_layout_stands_where_we_said(
    chain, sender, passkeys, eoa
):
    key = passkeys[0]
    setup = shared_setup(public_key=key.public_key, extra_owners=[address_of(eoa)])
    account = account_address(setup=setup, salt_nonce=9)

    data = factory_data(setup=setup, salt_nonce=9)
    chain.anvil.wait([chain.anvil.send(sender, SAFE_PROXY_FACTORY, data)])

    owners = decode(("address[]",), read(chain, account, "getOwners()"))[0]
    assert [to_address(text) for text in owners] == [SHARED_SIGNER, address_of(eoa)]
    op = send_operation(account)
    signature = key.sign(digest_of(op), owner=SHARED_SIGNER)
    assert validation_data(chain, signed(op, [signature])) == 0


# --- Hashes ----------------------------------------------------------------------------


@pytest.mark.parametrize("op", SHAPES.values(), ids=SHAPES)
def test_user_operation_hashes_are_those_of_the_entry_point(chain, op):
    answer = read(
        chain, ENTRY_POINT, f"getUserOpHash({PACKED_USER_OPERATION})", packed_tuple(op)
    )

    assert user_operation_hash(op, chain_id=CHAIN_ID) == answer


@pytest.mark.parametrize(("valid_after", "valid_until"), TIMES)
@pytest.mark.parametrize("op", SHAPES.values(), ids=SHAPES)
def test_safe_operation_hashes_are_those_of_the_module(
    chain, op, valid_after, valid_until
):
    answer = read(
        chain,
        SAFE_4337_MODULE,
        f"getOperationHash({PACKED_USER_OPERATION})",
        packed_tuple(timed(op, valid_after, valid_until)),
    )

    ours = digest_of(op, valid_after=valid_after, valid_until=valid_until)
    assert ours == answer


@pytest.mark.parametrize(("valid_after", "valid_until"), TIMES)
@pytest.mark.parametrize("post_op_gas", [0, 1, 2**128 - 1])
def test_sponsored_hashes_are_those_of_the_paymaster(
    chain, valid_after, valid_until, post_op_gas
):
    paymaster = to_address(settings.PAYMASTER_ADDRESS)
    payer = replace(PAYER, address=paymaster, post_op_gas_limit=post_op_gas)
    op = operation(paymaster=payer, factory=Factory(address=EOA))

    ours = verifying_paymaster_hash(
        op,
        chain_id=CHAIN_ID,
        paymaster=paymaster,
        valid_until=valid_until,
        valid_after=valid_after,
    )

    assert ours == read(
        chain,
        paymaster,
        f"getHash({PACKED_USER_OPERATION},uint48,uint48)",
        *(packed_tuple(op), valid_until, valid_after),
    )


# --- Signatures ------------------------------------------------------------------------


def test_the_factory_accepts_a_passkeys_signature_before_its_signer_exists(
    chain, proxy_code
):
    key, digest = new_passkey(proxy_code), keccak(b"anything")

    signature = key.sign(digest).signature

    assert chain.node.codes([key.signer], "latest") == [b""]
    assert is_valid(chain, key, digest, signature)


def test_the_factory_refuses_what_was_changed(chain, passkeys):
    key, digest = passkeys[0], keccak(b"anything")
    signature = key.sign(digest).signature

    for changed in (
        signature[:70] + bytes([signature[70] ^ 1]) + signature[71:],  # r
        signature[:180] + bytes([signature[180] ^ 1]) + signature[181:],
        dummy_passkey_signature(origin="http://localhost:8000"),
    ):
        assert not is_valid(chain, key, digest, changed)
    assert not is_valid(chain, key, keccak(b"other"), signature)
    assert not is_valid(chain, passkeys[1], digest, signature)


def test_the_factory_refuses_a_passkey_that_did_not_verify_its_person(chain, passkeys):
    key, digest = passkeys[0], keccak(b"anything")
    present_only = replace_flags(key, flags=0x01)

    assert not is_valid(chain, key, digest, present_only.sign(digest).signature)


def test_high_and_low_s_are_both_accepted(chain, passkeys):
    key, digest = passkeys[0], keccak(b"anything")
    assertion = key.authenticator.assert_challenge(digest)
    r, s = parse_der_signature(assertion.signature)

    for number in (s, ORDER - s):
        signature = passkey_signature(
            authenticator_data=assertion.authenticator_data,
            client_data_fields=client_data_fields(assertion.client_data_json, digest),
            r=r,
            s=number,
        )
        assert is_valid(chain, key, digest, signature)


def is_valid(chain: LocalChain, key: Passkey, digest: bytes, signature: bytes) -> bool:
    point = (key.public_key.x, key.public_key.y, VERIFIERS)
    answer = read(chain, SIGNER_FACTORY, IS_VALID_FOR_SIGNER, digest, signature, *point)
    return answer[:4].hex() == MAGIC_VALUE


def replace_flags(key: Passkey, *, flags: int) -> Passkey:
    authenticator = replace(key.authenticator, flags=flags)
    return Passkey(authenticator, key.public_key, key.signer)


@pytest.mark.parametrize(("valid_after", "valid_until"), TIMES)
def test_an_account_accepts_its_passkey_and_reports_the_times(
    chain, passkeys, account, valid_after, valid_until
):
    times = {"valid_after": valid_after, "valid_until": valid_until}
    op = send_operation(account)

    signature = passkeys[0].sign(digest_of(op, **times))

    answer = validation_data(chain, signed(op, [signature], **times))
    assert answer == valid_after << 208 | valid_until << 160


def test_an_account_refuses_another_passkey_and_another_operation(
    chain, passkeys, account
):
    op = send_operation(account)
    stranger = passkeys[1].sign(digest_of(op), owner=passkeys[0].signer)
    signature = passkeys[0].sign(digest_of(op))

    for refused in (
        signed(op, [stranger]),
        signed(replace(op, call_gas_limit=1), [signature]),
        signed(op, [signature], valid_until=1),
    ):
        assert validation_data(chain, refused) & (2**160 - 1) == SIGNATURE_FAILED


def test_passkeys_and_an_account_sign_together(chain, passkeys, eoa, mixed_account):
    op = send_operation(mixed_account)
    digest = digest_of(op)
    signatures = [
        *(key.sign(digest) for key in passkeys),
        account_signature(eoa, digest),
    ]

    assert validation_data(chain, signed(op, signatures)) == 0
    assert validation_data(chain, signed(op, signatures[::-1])) == 0
    for missing in range(3):
        fewer = [item for place, item in enumerate(signatures) if place != missing]
        assert validation_data(chain, signed(op, fewer)) == SIGNATURE_FAILED


def test_one_wrong_signature_among_three_is_refused(
    chain, passkeys, eoa, mixed_account
):
    op = send_operation(mixed_account)
    digest, other = digest_of(op), keccak(b"another operation")
    good = [*(key.sign(digest) for key in passkeys), account_signature(eoa, digest)]
    bad = [*(key.sign(other) for key in passkeys), account_signature(eoa, other)]

    for place in range(3):
        signatures = [*good[:place], bad[place], *good[place + 1 :]]
        assert validation_data(chain, signed(op, signatures)) == SIGNATURE_FAILED


def test_the_paymaster_accepts_the_sponsors_signature_only(chain):
    paymaster = to_address(settings.PAYMASTER_ADDRESS)
    op = operation(paymaster=replace(PAYER, address=paymaster))
    times = {"valid_until": 2**48 - 1, "valid_after": 0}
    digest = verifying_paymaster_hash(
        op, chain_id=CHAIN_ID, paymaster=paymaster, **times
    )

    answers = []
    for key in (settings.SPONSOR_PRIVATE_KEY, "0x" + "11" * 32):
        signature = Account.sign_message(encode_defunct(digest), key).signature
        data = verifying_paymaster_data(**times, signature=bytes(signature))
        sponsored = replace(op, paymaster=replace(op.paymaster, data=data))
        call = call_data(
            f"validatePaymasterUserOp({PACKED_USER_OPERATION},bytes32,uint256)",
            *(packed_tuple(sponsored), bytes(32), 0),
        )
        answer = chain.node.call(paymaster, call, sender=ENTRY_POINT)
        _context, validation = decode(("bytes", "uint256"), answer)
        answers.append(validation & (2**160 - 1))

    assert answers == [0, SIGNATURE_FAILED]


# --- Everything at once ----------------------------------------------------------------


def test_the_entry_point_runs_what_the_owners_signed(
    chain, sender, passkeys, eoa, mixed_account
):
    receivers = [address_of(Account.create()) for _ in range(2)]
    chain.anvil.set_balance(mixed_account, ETH)
    calls = [
        Call(to=receiver, value_wei=7 + place, data=b"\x01")
        for place, receiver in enumerate(receivers)
    ]
    op = send_operation(
        mixed_account, nonce=join_nonce(5, 0), call_data=calls_call_data(calls)
    )
    digest = digest_of(op)
    signatures = [
        account_signature(eoa, digest),
        *(key.sign(digest) for key in passkeys),
    ]

    data = handle_ops_data([signed(op, signatures)], sender)
    chain.anvil.wait([chain.anvil.send(sender, ENTRY_POINT, data)])

    assert chain.node.balances(receivers) == [7, 8]
    nonce = read(chain, ENTRY_POINT, "getNonce(address,uint192)", mixed_account, 5)
    assert int.from_bytes(nonce, "big") == join_nonce(5, 1)


def test_a_strict_bundler_takes_an_answer_that_is_longer_than_the_estimate_expects(
    chain, bundler_url, account, passkeys
):
    # Under /v2 alto refuses whatever does not pay for its own bytes.
    bundler = Bundler(JsonRpc(url=f"{bundler_url}/v2/rpc", timeout=10))
    chain.anvil.set_balance(account, ETH)
    key = passkeys[0]
    dummy = replace(
        key.sign(bytes(32)), signature=dummy_passkey_signature(origin=ORIGIN)
    )
    free = {"max_fee_per_gas": 0, "max_priority_fee_per_gas": 0}
    asked = signed(send_operation(account, nonce=join_nonce(6, 0), **free), [dummy])
    op = send_operation(
        account,
        nonce=join_nonce(6, 0),
        pre_verification_gas=bundler.estimate(asked).pre_verification_gas,
    )

    answer = key.sign(digest_of(op), members=CHROME_MEMBERS)

    assert len(answer.signature) > len(dummy.signature)
    assert bundler.send(signed(op, [answer])) == user_operation_hash(
        op, chain_id=CHAIN_ID
    )

    poor = replace(op, nonce=join_nonce(7, 0), pre_verification_gas=48_313)
    with pytest.raises(ClientError, match="preVerificationGas is not enough"):
        bundler.send(signed(poor, [key.sign(digest_of(poor))]))
