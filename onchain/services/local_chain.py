"""Every contract this site needs, at its canonical address on a fresh local chain.

What is deployed, through which factory and with which salt: protocol.md, section 1.
It works on anvil alone, on chain 31337 and over loopback (security.md R70). In place of
the recovery modules stands code of our own: see ``recovery_stand_in``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from eth_account import Account

from onchain.clients.anvil import Anvil
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.errors import LocalChainError
from onchain.protocol.abi import (
    call_data,
    create2_address,
    encode,
    keccak,
    selector,
)
from onchain.protocol.deployments import (
    CONTRACTS,
    DETERMINISTIC_DEPLOYER,
    ENTRY_POINT,
    MULTICALL3,
    SAFE_SINGLETON_FACTORY,
)
from onchain.protocol.types import Address, checksum_address, parse_hex, to_address
from onchain.services import recovery_stand_in
from onchain.services.contract_sources import (
    PAYMASTER_ARTIFACT,
    SINGLETON_FACTORY_RECORD,
    SOURCES,
    creation_code,
    multicall_creation_code,
    official_code_hashes,
    read_package,
)

CHAIN_ID = 31337
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
DEPLOYER_ACCOUNT = 8  # of anvil's mnemonic; pays for the canonical contracts
# The paymaster's owner: its first transaction creates the paymaster, which fixes the
# address. The site does not hold this key (security.md R71).
PAYMASTER_OWNER_ACCOUNT = 9
PAYMASTER_DEPOSIT_WEI = 100 * 10**18

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalChain:
    """The two ways to talk to one anvil, and where the npm packages are."""

    node: Node
    anvil: Anvil
    packages: Path

    @classmethod
    def at(cls, url: str, *, timeout: float, packages: Path) -> LocalChain:
        """Return the clients of the anvil behind a URL; nothing is asked yet."""
        rpc = JsonRpc(url=url, timeout=timeout)
        return cls(node=Node(rpc), anvil=Anvil(rpc), packages=packages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sponsor:
    """The paymaster's address, and the signer whose word it takes."""

    paymaster: Address
    signer: Address

    @classmethod
    def of(cls, *, paymaster: str, private_key: str) -> Sponsor:
        """Return the sponsor whose key is given."""
        signer = to_address(Account.from_key(private_key).address)
        return cls(paymaster=to_address(paymaster), signer=signer)


def deploy(*, chain: LocalChain, sponsor: Sponsor, report: Report) -> int:
    """Put every missing contract in place, check all of them, return how many came.

    Safe to repeat: what is there already is left alone and checked.

    Raises:
        LocalChainError: not a local chain, or a contract is not what it must be.
        ClientError: the chain refused a transaction.
        TransientClientError: the chain did not answer.
    """
    _require_local(chain)
    created = _deploy_contracts(chain, report)
    created += _place_multicall(chain, report)
    created += recovery_stand_in.place(
        node=chain.node, anvil=chain.anvil, packages=chain.packages, report=report
    )
    created += _deploy_paymaster(chain, sponsor, report)
    check(chain=chain, sponsor=sponsor)
    return created


def check(*, chain: LocalChain, sponsor: Sponsor) -> None:
    """Compare every contract with the pinned code and with the official lists.

    Raises:
        LocalChainError: a contract is missing or has other code.
    """
    official = official_code_hashes(chain.packages)
    codes = chain.node.codes([contract.address for contract in CONTRACTS], "latest")
    for contract, code in zip(CONTRACTS, codes, strict=True):
        if not code:
            raise LocalChainError(f"{contract.name} is not on the chain.")
        listed = official.get(contract.address)
        for expected in (contract.code_hash, listed):
            if expected is not None and keccak(code) != expected:
                raise LocalChainError(
                    f"{contract.name} at {checksum_address(contract.address)} has code "
                    f"0x{keccak(code).hex()}, not 0x{expected.hex()}."
                )
    signer = chain.node.call(sponsor.paymaster, selector("verifyingSigner()"))
    if signer[12:] != sponsor.signer:
        raise LocalChainError(
            f"The paymaster trusts {checksum_address(Address(signer[12:]))}, but "
            f"SPONSOR_PRIVATE_KEY belongs to {checksum_address(sponsor.signer)}. "
            "Restore that key, or start over with `make reset`."
        )


def require_loopback(url: str) -> None:
    """Refuse any node that is not on this machine (security.md R70).

    Raises:
        LocalChainError: the host is not a loopback name or address.
    """
    if urlsplit(url).hostname not in LOOPBACK_HOSTS:
        raise LocalChainError("NODE_URL is not on this machine: nothing was sent.")


def _require_local(chain: LocalChain) -> None:
    require_loopback(chain.node.rpc.url)
    require_loopback(chain.anvil.rpc.url)
    chain_id = chain.node.chain_id()
    if chain_id != CHAIN_ID:
        raise LocalChainError(f"The node is on chain {chain_id}, not {CHAIN_ID}.")
    version = chain.anvil.version()
    if not version.startswith("anvil/"):
        raise LocalChainError(f"The node is {version}, not anvil: nothing was sent.")


def _deploy_contracts(chain: LocalChain, report: Report) -> int:
    deployer = chain.anvil.accounts()[DEPLOYER_ACCOUNT]
    addresses = {contract.name: contract.address for contract in CONTRACTS}
    wanted = [addresses[source.name] for source in SOURCES]
    codes = chain.node.codes(wanted, "latest")
    missing = [source for source, code in zip(SOURCES, codes, strict=True) if not code]
    if missing:
        _ensure_factories(chain, report)
    hashes = []
    for source in missing:
        code = creation_code(chain.packages, source)
        address = create2_address(
            deployer=source.deployer, salt=source.salt, init_code_hash=keccak(code)
        )
        if address != addresses[source.name]:
            raise LocalChainError(
                f"{source.artifact} is not the released {source.name}: it would be "
                f"deployed at {checksum_address(address)}."
            )
        report(f"{source.name} at {checksum_address(address)}")
        hashes.append(chain.anvil.send(deployer, source.deployer, source.salt + code))
    chain.anvil.wait(hashes)
    return len(missing)


def _ensure_factories(chain: LocalChain, report: Report) -> None:
    """Anvil brings the deterministic deployer; Safe's comes by its own transaction."""
    deterministic, safe = chain.node.codes(
        [DETERMINISTIC_DEPLOYER, SAFE_SINGLETON_FACTORY], "latest"
    )
    if not deterministic:
        raise LocalChainError("This anvil lacks the deterministic deployer.")
    if safe:
        return
    record = read_package(chain.packages, SINGLETON_FACTORY_RECORD)
    cost = record["gasLimit"] * record["gasPrice"]
    chain.anvil.set_balance(to_address(record["signerAddress"]), cost)
    report(f"Safe singleton factory at {record['address']}")
    chain.anvil.wait([chain.anvil.send_raw(record["transaction"])])


def _place_multicall(chain: LocalChain, report: Report) -> int:
    (code,) = chain.node.codes([MULTICALL3], "latest")
    if code:
        return 0
    report(f"Multicall3 at {checksum_address(MULTICALL3)}")
    runtime_code = chain.anvil.created_code(multicall_creation_code())
    chain.anvil.set_code(MULTICALL3, runtime_code)
    return 1


def _deploy_paymaster(chain: LocalChain, sponsor: Sponsor, report: Report) -> int:
    (code,) = chain.node.codes([sponsor.paymaster], "latest")
    created = 0
    owner = chain.anvil.accounts()[PAYMASTER_OWNER_ACCOUNT]
    if not code:
        report(f"VerifyingPaymaster at {checksum_address(sponsor.paymaster)}")
        _create_paymaster(chain, sponsor, owner)
        created = 1
    answer = chain.node.call(
        ENTRY_POINT, call_data("balanceOf(address)", sponsor.paymaster)
    )
    missing_wei = PAYMASTER_DEPOSIT_WEI - int.from_bytes(answer, "big")
    if missing_wei > 0:
        deposit = call_data("depositTo(address)", sponsor.paymaster)
        sent = chain.anvil.send(owner, ENTRY_POINT, deposit, missing_wei)
        chain.anvil.wait([sent])
    return created


def _create_paymaster(chain: LocalChain, sponsor: Sponsor, owner: Address) -> None:
    if chain.anvil.nonce(owner) != 0:
        raise LocalChainError(
            "The paymaster's owner has sent transactions before: its address is gone. "
            "Start over with `make reset`."
        )
    artifact = read_package(chain.packages, PAYMASTER_ARTIFACT)
    arguments = encode(["address", "address"], [ENTRY_POINT, sponsor.signer])
    creation = parse_hex(artifact["bytecode"]) + arguments
    chain.anvil.wait([chain.anvil.send(owner, None, creation)])
    (code,) = chain.node.codes([sponsor.paymaster], "latest")
    if not code:
        raise LocalChainError(
            f"PAYMASTER_ADDRESS {checksum_address(sponsor.paymaster)} is not where the "
            "local chain creates the paymaster: leave that setting out."
        )


def describe(error: ClientError | TransientClientError) -> str:
    """Return a chain's refusal or silence in words, for the command line."""
    if isinstance(error, TransientClientError):
        return f"The chain at NODE_URL did not answer ({error}). Is it running?"
    return f"The chain refused: {error}."
