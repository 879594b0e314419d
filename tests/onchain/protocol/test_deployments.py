"""The pinned contracts against the packages that publish them."""

from __future__ import annotations

import json

import pytest

from onchain.protocol import deployments
from onchain.protocol.abi import encode, keccak
from onchain.protocol.types import checksum_address, to_hex
from tests.onchain.protocol.conftest import PACKAGES, artifact

SAFE_ASSETS = PACKAGES / "safe-deployments/dist/assets/v1.4.1"
MODULE_ASSETS = PACKAGES / "safe-modules-deployments/dist/assets"


def official_safe_deployments() -> dict[str, dict[str, str]]:
    lists = [json.loads(path.read_text()) for path in SAFE_ASSETS.glob("*.json")]
    return {item["contractName"]: item["deployments"]["canonical"] for item in lists}


@pytest.mark.parametrize(
    "contract",
    [c for c in deployments.CONTRACTS if c.version == "1.4.1"],
    ids=lambda contract: contract.name,
)
def test_safe_contracts_are_those_of_the_official_list(contract):
    official = official_safe_deployments()[contract.name]

    assert checksum_address(contract.address) == official["address"]
    assert to_hex(contract.code_hash) == official["codeHash"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Safe4337Module", "safe-4337-module/v0.3.0"),
        ("SafeModuleSetup", "safe-4337-module/v0.3.0"),
        ("SafeWebAuthnSignerFactory", "safe-passkey-module/v0.2.0"),
    ],
)
def test_module_addresses_are_those_of_the_official_list(name, folder):
    lists = [
        json.loads(path.read_text()) for path in (MODULE_ASSETS / folder).glob("*.json")
    ]
    official = next(item for item in lists if item["contractName"] == name)
    contract = next(c for c in deployments.CONTRACTS if c.name == name)

    assert set(official["networkAddresses"].values()) == {
        checksum_address(contract.address)
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("SafeModuleSetup", "safe-4337/build/artifacts/contracts/SafeModuleSetup.sol"),
        (
            "FCLP256Verifier",
            "safe-passkey/build/artifacts/contracts/verifiers/FCLP256Verifier.sol",
        ),
        (
            "SafeWebAuthnSignerSingleton",
            "safe-passkey/build/artifacts/contracts/SafeWebAuthnSignerSingleton.sol",
        ),
    ],
)
def test_code_without_immutables_is_the_published_code(name, path):
    contract = next(c for c in deployments.CONTRACTS if c.name == name)
    code = artifact(f"{path}/{name}.json")["deployedBytecode"]

    assert keccak(bytes.fromhex(code[2:])) == contract.code_hash


def test_the_account_proxy_hash_is_that_of_the_published_code():
    path = "safe-contracts/build/artifacts/contracts/proxies/SafeProxy.sol"
    code = bytes.fromhex(artifact(f"{path}/SafeProxy.json")["bytecode"][2:])

    init_code = code + encode(("address",), (deployments.SAFE_L2,))
    assert keccak(init_code) == deployments.SAFE_PROXY_INIT_CODE_HASH


def test_verifiers_are_the_precompile_then_the_contract():
    assert hex(deployments.VERIFIERS) == (
        "0x100445a0683e494ea0c5af3e83c5159fbe47cf9e765"
    )


def test_no_contract_is_named_twice():
    for column in ("name", "address", "code_hash"):
        values = [getattr(contract, column) for contract in deployments.CONTRACTS]
        assert len(set(values)) == len(values)
