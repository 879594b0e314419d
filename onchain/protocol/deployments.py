"""Canonical contract addresses, the same on every chain, and their code hashes.

Sources: npm @safe-global/safe-deployments (Safe 1.4.1: addresses and code hashes),
@safe-global/safe-modules-deployments (the modules' addresses) and the v0.7.0
release of eth-infinitism/account-abstraction. Code hashes that those lists lack
are the keccak-256 of the runtime code that the published creation code leaves at
the address on a chain.
"""

from __future__ import annotations

from typing import NamedTuple

from onchain.protocol.types import Address, Bytes32, to_address, to_bytes32


class Contract(NamedTuple):
    """One contract that must be on a chain before this site can use the chain."""

    name: str
    version: str
    address: Address
    code_hash: Bytes32  # keccak-256 of the runtime code


def _contract(name: str, version: str, address: str, code_hash: str) -> Contract:
    return Contract(name, version, to_address(address), to_bytes32(code_hash))


CONTRACTS = (
    _contract(
        "EntryPoint",
        "0.7.0",
        "0x0000000071727De22E5E9d8BAf0edAc6f37da032",
        "0x8db5ff695839d655407cc8490bb7a5d82337a86a6b39c3f0258aa6c3b582fc58",
    ),
    _contract(
        "SafeL2",
        "1.4.1",
        "0x29fcB43b46531BcA003ddC8FCB67FFE91900C762",
        "0xb1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff",
    ),
    _contract(
        "SafeProxyFactory",
        "1.4.1",
        "0x4e1DCf7AD4e460CfD30791CCC4F9c8a4f820ec67",
        "0x50c3cdc4074750a7a974204a716c999edd37482f907608d960b2b025ee0b3317",
    ),
    _contract(
        "MultiSend",
        "1.4.1",
        "0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526",
        "0x0e4f7fc66550a322d1e7688e181b75e217e662a4f3f4d6a29b22bc61217c4b77",
    ),
    _contract(
        "MultiSendCallOnly",
        "1.4.1",
        "0x9641d764fc13c8B624c04430C7356C1C7C8102e2",
        "0xecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939",
    ),
    _contract(
        "CompatibilityFallbackHandler",
        "1.4.1",
        "0xfd0732Dc9E303f09fCEf3a7388Ad10A83459Ec99",
        "0x7c6007a5d711cea8dfd5d91f5940ec29c7f200fe511eb1fc1397b367af3c42f9",
    ),
    _contract(
        "SimulateTxAccessor",
        "1.4.1",
        "0x3d4BA2E0884aa488718476ca2FB8Efc291A46199",
        "0x91f82615581fc73b190b83d72e883608b25e392f72322035df1b13d51766cf8d",
    ),
    _contract(
        "SignMessageLib",
        "1.4.1",
        "0xd53cd0aB83D845Ac265BE939c57F53AD838012c9",
        "0x525c754a46b79e05543a59bb61e8de3c9eee0d955a59352409cbe67ea1077528",
    ),
    _contract(
        "Safe4337Module",
        "0.3.0",
        "0x75cf11467937ce3F2f357CE24ffc3DBF8fD5c226",
        "0x2aea997c4e3cf0e2f333025372e219abcfde81c21fc2f8fb066414a5685dd3e0",
    ),
    _contract(
        "SafeModuleSetup",
        "0.3.0",
        "0x2dd68b007B46fBe91B9A7c3EDa5A7a1063cB5b47",
        "0xaf2d170bb766d2773c3fa88717f5b3599827478074d3767d1dee55e5c2f3fbcb",
    ),
    _contract(
        "SafeWebAuthnSignerFactory",
        "0.2.0",
        "0xF7488fFbe67327ac9f37D5F722d83Fc900852Fbf",
        "0xbe9db61b4ee533cb4b1136ef244141db4ca3b7867b44d154db9faeb22f39d7bb",
    ),
    _contract(
        "SafeWebAuthnSignerSingleton",
        "0.2.0",
        "0x270D7E4a57E6322f336261f3EaE2BADe72E68d72",
        "0x180871920494795a32a7516c60dcc9c4237f435c86681a5d2dd79ea36897d080",
    ),
    _contract(
        "SafeWebAuthnSharedSigner",
        "0.2.0",
        "0xfD90FAd33ee8b58f32c00aceEad1358e4AFC23f9",
        "0xd5ebb9058508d32950f30edcdb7fa84dce588a60106a55f4bc9d0ef526b9ab15",
    ),
    _contract(
        "FCLP256Verifier",
        "0.2.0",
        "0x445a0683e494ea0c5AF3E83c5159fBE47Cf9e765",
        "0x0d23c6a31df5b9c5358b2899ac8b0b7f06560804f53ccb13852ed7b25117a1d8",
    ),
    _contract(
        "Multicall3",
        "3",
        "0xcA11bde05977b3631167028862bE2a173976CA11",
        "0xd5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891",
    ),
)

_ADDRESSES = {contract.name: contract.address for contract in CONTRACTS}

ENTRY_POINT = _ADDRESSES["EntryPoint"]
SAFE_L2 = _ADDRESSES["SafeL2"]
SAFE_PROXY_FACTORY = _ADDRESSES["SafeProxyFactory"]
MULTI_SEND = _ADDRESSES["MultiSend"]
MULTI_SEND_CALL_ONLY = _ADDRESSES["MultiSendCallOnly"]
COMPATIBILITY_FALLBACK_HANDLER = _ADDRESSES["CompatibilityFallbackHandler"]
SIMULATE_TX_ACCESSOR = _ADDRESSES["SimulateTxAccessor"]
SIGN_MESSAGE_LIB = _ADDRESSES["SignMessageLib"]
SAFE_4337_MODULE = _ADDRESSES["Safe4337Module"]
SAFE_MODULE_SETUP = _ADDRESSES["SafeModuleSetup"]
SIGNER_FACTORY = _ADDRESSES["SafeWebAuthnSignerFactory"]
SIGNER_SINGLETON = _ADDRESSES["SafeWebAuthnSignerSingleton"]
SHARED_SIGNER = _ADDRESSES["SafeWebAuthnSharedSigner"]
FCL_VERIFIER = _ADDRESSES["FCLP256Verifier"]
MULTICALL3 = _ADDRESSES["Multicall3"]

# Candide's social recovery module 0.0.1, by its delay in seconds: npm abstractionkit.
# Its code is in no package, so no hash of it is pinned; local chains have a stand-in.
DAY = 86_400
TEST_RECOVERY_DELAY = 180  # for test chains only
RECOVERY_MODULES = {
    TEST_RECOVERY_DELAY: to_address("0x949d01d424bE050D09C16025dd007CB59b3A8c66"),
    3 * DAY: to_address("0x38275826E1933303E508433dD5f289315Da2541c"),
    7 * DAY: to_address("0x088f6cfD8BB1dDb1BB069CCb3fc1A98927D233f2"),
    14 * DAY: to_address("0x9BacD92F4687Db306D7ded5d4513a51EA05df25b"),
}

# They put the contracts above at their addresses: CREATE2 of salt (32 bytes) and code.
DETERMINISTIC_DEPLOYER = to_address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
SAFE_SINGLETON_FACTORY = to_address("0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7")

# uint176: the P-256 precompile's address (uint16), then the Solidity verifier's, which
# is asked where the precompile does not exist.
P256_PRECOMPILE = 0x0100
VERIFIERS = P256_PRECOMPILE << 160 | int.from_bytes(FCL_VERIFIER, "big")

# keccak-256 of SafeProxy's creation code and abi(SafeL2), for CREATE2.
SAFE_PROXY_INIT_CODE_HASH = to_bytes32(
    "0xe298282cefe913ab5d282047161268a8222e4bd4ed106300c547894bbefd31ee"
)
# SafeWebAuthnSignerProxy's creation code, without its four constructor arguments.
SIGNER_PROXY_CODE_LENGTH = 494  # bytes
SIGNER_PROXY_CODE_HASH = to_bytes32(
    "0x24eb5cf1cb02e3bc5ef6917bcd59e2cb1a7f02b257284dc89daeac1c37dada50"
)
