"""Signers and accounts: addresses and creation, against two other libraries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safe_eth.eth import EthereumClient
from safe_eth.eth.contracts import get_safe_V1_4_1_contract
from safe_eth.safe.proxy_factory import ProxyFactoryV141
from web3 import Web3

from onchain.protocol import safe
from onchain.protocol.abi import call_data, decode_call
from onchain.protocol.deployments import (
    FCL_VERIFIER,
    MULTI_SEND,
    SAFE_4337_MODULE,
    SAFE_L2,
    SAFE_MODULE_SETUP,
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
    SIGNER_FACTORY,
    VERIFIERS,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import decode_multi_send
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Call,
    PublicKey,
    checksum_address,
    to_address,
    to_hex,
)
from tests.onchain.protocol.conftest import artifact
from tests.onchain.protocol.vectors import (
    EOA,
    NAMES,
    PUBLIC_KEY,
    RECIPIENT,
    VECTORS,
    extra_owners,
    public_key,
    threshold,
)

FIELD_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def vector_setup(vector) -> bytes:
    return safe.shared_setup(
        public_key=public_key(vector),
        extra_owners=extra_owners(vector),
        threshold=threshold(vector),
        verifiers=int(vector["verifiers"], 16),
    )


class OfflineProxyFactory(ProxyFactoryV141):
    """safe-eth-py asks a node for the proxy's code; here it is the published one."""

    def get_proxy_creation_code(self) -> bytes:
        path = "safe-contracts/build/artifacts/contracts/proxies/SafeProxy.sol"
        return bytes.fromhex(artifact(f"{path}/SafeProxy.json")["bytecode"][2:])


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_accounts_of_the_shared_layout_are_those_of_abstractionkit(vector):
    setup = vector_setup(vector)
    salt_nonce = int(vector["c2Nonce"], 16)

    account = safe.account_address(setup=setup, salt_nonce=salt_nonce)
    data = safe.factory_data(setup=setup, salt_nonce=salt_nonce)

    assert checksum_address(account) == vector["account"]
    assert to_hex(data) == vector["factoryData"]
    assert checksum_address(SAFE_PROXY_FACTORY) == vector["factory"]


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_signers_are_those_of_abstractionkit(vector, proxy_code):
    signer = safe.signer_address(
        public_key=public_key(vector),
        proxy_code=proxy_code,
        verifiers=int(vector["verifiers"], 16),
    )

    assert to_hex(signer) == vector["signer"]


def test_our_verifiers_are_the_default(proxy_code):
    ours = next(v for v in VECTORS if int(v["verifiers"], 16) == VERIFIERS)

    signer = safe.signer_address(public_key=PUBLIC_KEY, proxy_code=proxy_code)

    assert to_hex(signer) == ours["signer"]
    assert safe.shared_setup(public_key=PUBLIC_KEY) == vector_setup(ours)
    assert safe.create_signer_data(public_key=PUBLIC_KEY) == safe.create_signer_data(
        public_key=PUBLIC_KEY, verifiers=VERIFIERS
    )


@pytest.mark.parametrize("salt_nonce", [0, 1, 2**64, 2**256 - 1])
@pytest.mark.parametrize("owners", [[EOA], [EOA, RECIPIENT], [RECIPIENT, EOA]])
def test_accounts_of_the_direct_layout_are_those_of_safe_eth_py(owners, salt_nonce):
    setup = safe.direct_setup(owners=owners, threshold=len(owners))

    account = safe.account_address(setup=setup, salt_nonce=salt_nonce)

    client = EthereumClient("http://127.0.0.1:1")  # never asked
    second = OfflineProxyFactory(checksum_address(SAFE_PROXY_FACTORY), client)
    expected = second.calculate_proxy_address(
        checksum_address(SAFE_L2), setup, salt_nonce
    )
    assert checksum_address(account) == expected


@pytest.mark.parametrize("size", [1, 2])
def test_setup_of_the_direct_layout_is_that_of_safe_eth_py(size):
    owners = [EOA, RECIPIENT][:size]
    contract = get_safe_V1_4_1_contract(Web3(), checksum_address(SAFE_L2))
    zero = checksum_address(ZERO_ADDRESS)
    module = checksum_address(SAFE_4337_MODULE)
    enable = call_data("enableModules(address[])", [SAFE_4337_MODULE])

    expected = contract.encode_abi(
        "setup",
        args=[
            [checksum_address(owner) for owner in owners],
            size,
            checksum_address(SAFE_MODULE_SETUP),
            enable,
            module,
            zero,
            0,
            zero,
        ],
    )

    setup = safe.direct_setup(owners=owners, threshold=size)
    assert to_hex(setup) == expected


def test_the_shared_layout_makes_two_delegatecalls_at_setup():
    setup = safe.shared_setup(public_key=PUBLIC_KEY, extra_owners=[EOA], threshold=2)

    owners, limit, to, data, *_ = decode_call(safe.SETUP, setup)
    calls = decode_multi_send(data)

    assert [to_address(owner) for owner in owners] == [SHARED_SIGNER, EOA]
    assert (limit, to_address(to)) == (2, MULTI_SEND)
    assert [(call.to, call.operation) for call in calls] == [
        (SAFE_MODULE_SETUP, 1),
        (SHARED_SIGNER, 1),
    ]


def test_an_account_is_deployed_after_its_signers():
    other = PublicKey(x=PUBLIC_KEY.x, y=FIELD_PRIME - PUBLIC_KEY.y)
    setup = safe.direct_setup(owners=[EOA], threshold=1)

    calls = safe.deploy_calls(
        public_keys=[PUBLIC_KEY, other], setup=setup, salt_nonce=3, verifiers=7
    )

    assert calls == [
        Call(
            to=SIGNER_FACTORY,
            value_wei=0,
            data=safe.create_signer_data(public_key=key, verifiers=7),
        )
        for key in (PUBLIC_KEY, other)
    ] + [
        Call(
            to=SAFE_PROXY_FACTORY,
            value_wei=0,
            data=safe.factory_data(setup=setup, salt_nonce=3),
        )
    ]


def test_create_signer_carries_key_and_verifiers():
    data = safe.create_signer_data(public_key=PUBLIC_KEY, verifiers=5)

    values = decode_call("createSigner(uint256,uint256,uint176)", data)
    assert values == (PUBLIC_KEY.x, PUBLIC_KEY.y, 5)


@pytest.mark.parametrize("salt_nonce", [-1, 2**256])
def test_a_salt_nonce_outside_uint256_is_refused(salt_nonce):
    setup = safe.direct_setup(owners=[EOA], threshold=1)

    with pytest.raises(EncodingError):
        safe.account_address(setup=setup, salt_nonce=salt_nonce)
    with pytest.raises(EncodingError):
        safe.factory_data(setup=setup, salt_nonce=salt_nonce)


@pytest.mark.parametrize("verifiers", [-1, 2**176])
def test_verifiers_outside_uint176_are_refused(verifiers, proxy_code):
    with pytest.raises(EncodingError):
        safe.create_signer_data(public_key=PUBLIC_KEY, verifiers=verifiers)
    with pytest.raises(EncodingError):
        safe.shared_setup(public_key=PUBLIC_KEY, verifiers=verifiers)
    with pytest.raises(EncodingError):
        safe.signer_address(
            public_key=PUBLIC_KEY, proxy_code=proxy_code, verifiers=verifiers
        )


def test_zero_verifiers_are_not_the_default(proxy_code):
    none = safe.signer_address(
        public_key=PUBLIC_KEY, proxy_code=proxy_code, verifiers=0
    )
    fcl = safe.signer_address(
        public_key=PUBLIC_KEY,
        proxy_code=proxy_code,
        verifiers=int.from_bytes(FCL_VERIFIER, "big"),
    )
    ours = safe.signer_address(public_key=PUBLIC_KEY, proxy_code=proxy_code)

    assert len({none, fcl, ours}) == 3


@pytest.mark.parametrize(
    "key",
    [
        PublicKey(x=PUBLIC_KEY.x, y=PUBLIC_KEY.y ^ 1),
        PublicKey(x=PUBLIC_KEY.y, y=PUBLIC_KEY.x),
        PublicKey(x=0, y=0),
        PublicKey(x=-1, y=PUBLIC_KEY.y),
        PublicKey(x=PUBLIC_KEY.x, y=-1),
        PublicKey(x=2**256, y=PUBLIC_KEY.y),
        PublicKey(x=PUBLIC_KEY.x, y=2**256),
        PublicKey(x=PUBLIC_KEY.x + FIELD_PRIME, y=PUBLIC_KEY.y),
    ],
    ids=["off-curve", "swapped", "infinity", "-x", "-y", "wide-x", "wide-y", "x+p"],
)
def test_a_key_that_is_no_point_is_refused_everywhere(key, proxy_code):
    with pytest.raises(EncodingError):
        safe.create_signer_data(public_key=key)
    with pytest.raises(EncodingError):
        safe.shared_setup(public_key=key)
    with pytest.raises(EncodingError):
        safe.signer_address(public_key=key, proxy_code=proxy_code)


def test_a_point_with_x_zero_is_a_point(proxy_code):
    # y squared is the curve's constant b.
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    y = pow(b, (FIELD_PRIME + 1) // 4, FIELD_PRIME)

    signer = safe.signer_address(public_key=PublicKey(x=0, y=y), proxy_code=proxy_code)

    assert len(signer) == 20


@pytest.mark.parametrize(
    ("owners", "limit"),
    [
        ([], 0),
        ([], 1),
        ([EOA], 0),
        ([EOA], -1),
        ([EOA], 2),
        ([EOA, RECIPIENT], 3),
        ([EOA, EOA], 1),
        ([ZERO_ADDRESS], 1),
        ([EOA, SENTINEL_ADDRESS], 1),
    ],
)
def test_owners_that_the_safe_would_refuse_are_refused(owners, limit):
    with pytest.raises(EncodingError):
        safe.direct_setup(owners=owners, threshold=limit)


@pytest.mark.parametrize("extra", [SHARED_SIGNER, ZERO_ADDRESS, SENTINEL_ADDRESS])
def test_the_shared_layout_obeys_the_same_rules(extra):
    with pytest.raises(EncodingError):
        safe.shared_setup(public_key=PUBLIC_KEY, extra_owners=[extra])


def test_the_proxy_code_is_found_in_the_code_of_its_factory(factory_code, proxy_code):
    assert safe.signer_proxy_code_from_factory(factory_code) == proxy_code


def test_a_factory_with_other_code_is_refused(factory_code, proxy_code):
    place = factory_code.index(proxy_code) + 100
    changed = bytearray(factory_code)
    changed[place] ^= 1

    for code in (bytes(changed), b"", proxy_code[:-1], factory_code[: place + 10]):
        with pytest.raises(EncodingError):
            safe.signer_proxy_code_from_factory(code)


def test_another_proxy_code_is_refused(proxy_code):
    for code in (b"", proxy_code[:-1], proxy_code + b"\x00"):
        with pytest.raises(EncodingError):
            safe.signer_address(public_key=PUBLIC_KEY, proxy_code=code)


@given(
    owners=st.lists(
        st.binary(min_size=20, max_size=20).filter(lambda a: a > SENTINEL_ADDRESS),
        min_size=1,
        max_size=6,
        unique=True,
    ),
    data=st.data(),
)
def test_setup_is_read_back(owners, data):
    limit = data.draw(st.integers(1, len(owners)))

    setup = safe.direct_setup(owners=owners, threshold=limit)

    read, read_limit, *_ = decode_call(safe.SETUP, setup)
    assert ([to_address(owner) for owner in read], read_limit) == (owners, limit)
