"""Passkey signers and Safe accounts: their addresses, and the calls that create them.

Sources: ``SafeProxyFactory.sol`` and ``Safe.sol`` of Safe 1.4.1,
``SafeWebAuthnSignerFactory.sol`` and ``SafeWebAuthnSharedSigner.sol`` of the
safe-passkey module 0.2.0, ``SafeModuleSetup.sol`` of safe-4337 0.3.0.

Two layouts. Direct: every owner is an address of its own, a passkey's is its signer
proxy. Shared: the first owner is the shared signer, which keeps one passkey's
coordinates in the account's own storage.

The signer proxy's creation code is not part of this site. Callers bring it, from a
chain or from the published package, and its hash is checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.protocol.abi import (
    call_data,
    create2_address,
    decode_call,
    encode,
    keccak,
)
from onchain.protocol.deployments import (
    MULTI_SEND,
    SAFE_4337_MODULE,
    SAFE_L2,
    SAFE_MODULE_SETUP,
    SAFE_PROXY_FACTORY,
    SAFE_PROXY_INIT_CODE_HASH,
    SHARED_SIGNER,
    SIGNER_FACTORY,
    SIGNER_PROXY_CODE_HASH,
    SIGNER_PROXY_CODE_LENGTH,
    SIGNER_SINGLETON,
    VERIFIERS,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import DELEGATECALL, multi_send_data
from onchain.protocol.p256 import require_public_key
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    PublicKey,
    checksum_address,
    to_address,
    uint_bytes,
)

CREATE_SIGNER = "createSigner(uint256,uint256,uint176)"
CREATE_PROXY = "createProxyWithNonce(address,bytes,uint256)"
SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
ENABLE_MODULES = "enableModules(address[])"
CONFIGURE = "configure((uint256,uint256,uint176))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a new account is initialised with; the rest is the same for all."""

    owners: Sequence[Address]
    threshold: int
    to: Address  # delegatecalled once, with ``data``
    data: bytes


def signer_address(
    *, public_key: PublicKey, proxy_code: bytes, verifiers: int = VERIFIERS
) -> Address:
    """Return the address of a passkey's signer proxy, deployed or not: 20 bytes.

    Args:
        proxy_code: creation code of SafeWebAuthnSignerProxy, without arguments.
        verifiers: uint176, precompile (uint16) || verifier contract (address).

    Raises:
        EncodingError: another code, a point off the curve, verifiers too wide.
    """
    key = require_public_key(public_key)
    arguments = encode(
        ("address", "uint256", "uint256", "uint176"),
        (SIGNER_SINGLETON, key.x, key.y, verifiers),
    )
    code = require_signer_proxy_code(proxy_code)
    return create2_address(
        deployer=SIGNER_FACTORY, salt=bytes(32), init_code_hash=keccak(code + arguments)
    )


def require_signer_proxy_code(code: bytes) -> bytes:
    """Return the same creation code of SafeWebAuthnSignerProxy.

    Raises:
        EncodingError: its hash is not the pinned one.
    """
    if keccak(code) != SIGNER_PROXY_CODE_HASH:
        raise EncodingError("not the creation code of SafeWebAuthnSignerProxy 0.2.0")
    return code


def signer_proxy_code_from_factory(factory_runtime_code: bytes) -> bytes:
    """Return SafeWebAuthnSignerProxy's creation code out of its factory's code.

    The factory creates proxies, so it carries their code whole.

    Raises:
        EncodingError: no part of the code has the pinned hash.
    """
    for start in range(len(factory_runtime_code) - SIGNER_PROXY_CODE_LENGTH + 1):
        code = factory_runtime_code[start : start + SIGNER_PROXY_CODE_LENGTH]
        if keccak(code) == SIGNER_PROXY_CODE_HASH:
            return code
    raise EncodingError("not the code of SafeWebAuthnSignerFactory 0.2.0")


def create_signer_data(*, public_key: PublicKey, verifiers: int = VERIFIERS) -> bytes:
    """Return the call data of the factory's ``createSigner(uint256,uint256,uint176)``.

    Raises:
        EncodingError: a point off the curve, verifiers too wide.
    """
    key = require_public_key(public_key)
    return call_data(CREATE_SIGNER, key.x, key.y, verifiers)


def direct_setup(*, owners: Sequence[Address], threshold: int) -> bytes:
    """Return the ``setup`` call data of an account whose owners stand for themselves.

    Raises:
        EncodingError: owners or threshold that the Safe would refuse.
    """
    return setup_data(
        Setup(
            owners=owners,
            threshold=threshold,
            to=SAFE_MODULE_SETUP,
            data=_enable_module_data(),
        )
    )


def shared_setup(
    *,
    public_key: PublicKey,
    extra_owners: Sequence[Address] = (),
    threshold: int = 1,
    verifiers: int = VERIFIERS,
) -> bytes:
    """Return the ``setup`` call data of an account with one passkey, shared layout.

    Raises:
        EncodingError: owners or threshold that the Safe would refuse, a point off
            the curve, verifiers too wide.
    """
    key = require_public_key(public_key)
    configure = call_data(CONFIGURE, (key.x, key.y, verifiers))
    delegatecalls = [
        _delegatecall(SAFE_MODULE_SETUP, _enable_module_data()),
        _delegatecall(SHARED_SIGNER, configure),
    ]
    return setup_data(
        Setup(
            owners=[SHARED_SIGNER, *extra_owners],
            threshold=threshold,
            to=MULTI_SEND,
            data=multi_send_data(delegatecalls),
        )
    )


def setup_data(setup: Setup) -> bytes:
    """Return the call data of ``Safe.setup``, with no payment to the deployer.

    Raises:
        EncodingError: owners or threshold that the Safe would refuse.
    """
    require_owners(setup.owners, setup.threshold)
    return call_data(
        SETUP,
        setup.owners,
        setup.threshold,
        setup.to,
        setup.data,
        SAFE_4337_MODULE,  # the fallback handler
        ZERO_ADDRESS,
        0,
        ZERO_ADDRESS,
    )


def setup_owners(setup: bytes) -> list[Address]:
    """Return the owners that an account has from its first block, in their order.

    Raises:
        EncodingError: not the call data of ``Safe.setup``.
    """
    owners, *_rest = decode_call(SETUP, setup)
    return [to_address(owner) for owner in owners]


def require_owners(owners: Sequence[Address], threshold: int) -> None:
    """Check a list of owners by the Safe's own rules.

    Raises:
        EncodingError: no owner, zero, the sentinel, a duplicate, or a threshold
            outside 1 .. number of owners.
    """
    if len(set(owners)) != len(owners):
        raise EncodingError("an owner is named twice")
    for owner in owners:
        if owner in {ZERO_ADDRESS, SENTINEL_ADDRESS}:
            raise EncodingError(f"{checksum_address(owner)} cannot be an owner")
    if not 1 <= threshold <= len(owners):
        raise EncodingError(
            f"threshold {threshold} is not between 1 and the {len(owners)} owners"
        )


def account_address(*, setup: bytes, salt_nonce: int) -> Address:
    """Return the address of the account with this ``setup`` call data: 20 bytes.

    Raises:
        EncodingError: a salt nonce wider than 256 bits.
    """
    return create2_address(
        deployer=SAFE_PROXY_FACTORY,
        salt=keccak(keccak(setup) + uint_bytes(salt_nonce, 256)),
        init_code_hash=SAFE_PROXY_INIT_CODE_HASH,
    )


def factory_data(*, setup: bytes, salt_nonce: int) -> bytes:
    """Return the call data of ``createProxyWithNonce(address,bytes,uint256)``.

    Raises:
        EncodingError: a salt nonce wider than 256 bits.
    """
    return call_data(CREATE_PROXY, SAFE_L2, setup, salt_nonce)


def deploy_calls(
    *,
    public_keys: Sequence[PublicKey],
    setup: bytes,
    salt_nonce: int,
    verifiers: int = VERIFIERS,
) -> list[Call]:
    """Return the calls that create each passkey's signer, then the account.

    Creating a signer again changes nothing; creating the account again reverts.

    Raises:
        EncodingError: as ``create_signer_data`` and ``factory_data``.
    """
    signers = [
        Call(
            to=SIGNER_FACTORY,
            value_wei=0,
            data=create_signer_data(public_key=key, verifiers=verifiers),
        )
        for key in public_keys
    ]
    account_data = factory_data(setup=setup, salt_nonce=salt_nonce)
    return [*signers, Call(to=SAFE_PROXY_FACTORY, value_wei=0, data=account_data)]


def _enable_module_data() -> bytes:
    return call_data(ENABLE_MODULES, [SAFE_4337_MODULE])


def _delegatecall(to: Address, data: bytes) -> Call:
    return Call(to=to, value_wei=0, data=data, operation=DELEGATECALL)
