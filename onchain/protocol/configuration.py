"""How an account is configured beside its owners: what may act for it without them.

Sources: ``Safe.sol``, ``ModuleManager.sol``, ``GuardManager.sol``,
``FallbackManager.sol`` and ``SafeProxy.sol`` of Safe 1.4.1. A module moves everything
without any owner; a guard can stop every transaction of the owners; the fallback
handler answers for the account, so that whoever wrote it may say yes to a signature;
the singleton is the account's whole code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onchain.protocol.abi import call_data, decode, keccak
from onchain.protocol.allowances import Allowances
from onchain.protocol.deployments import (
    RECOVERY_MODULES,
    SAFE_4337_MODULE,
    SAFE_L2,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.shared_signer import SharedKey
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    require_bytes32,
    to_address,
    to_bytes32,
)

MODULES_READ = 50  # more than anybody enables; a further one is named as well
GET_MODULES = "getModulesPaginated(address,uint256)"
SINGLETON_SLOT = 0
GUARD_SLOT = int.from_bytes(keccak(b"guard_manager.guard.address"), "big")
FALLBACK_HANDLER_SLOT = int.from_bytes(
    keccak(b"fallback_manager.handler.address"), "big"
)
# keccak-256 of SafeProxy's runtime code, the same in every proxy of 1.4.1.
SAFE_PROXY_CODE_HASH = to_bytes32(
    "0xd7d408ebcd99b2b70be43e20253d6d92a8ea8fab29bd3be7f55b10032331fb4c"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What an account consists of beside its owners."""

    singleton: Address
    modules: Sequence[Address]
    guard: Address  # zero: none
    fallback_handler: Address  # zero: none
    shared_key: SharedKey | None  # what the shared signer checks for it
    allowances: Allowances = field(default_factory=Allowances)  # by its modules

    @property
    def foreign_modules(self) -> list[Address]:
        """The modules beside the one that its passkeys' operations come through, and
        those that its guardians work through."""
        own = {SAFE_4337_MODULE, *RECOVERY_MODULES.values()}
        return [module for module in self.modules if module not in own]

    @property
    def recovery_modules(self) -> list[Address]:
        """The modules that guardians work through, whoever they are."""
        known = set(RECOVERY_MODULES.values())
        return [module for module in self.modules if module in known]

    @property
    def foreign(self) -> list[tuple[str, Address]]:
        """Everything that an account of this site does not have: what, and where."""
        found = [("module", module) for module in self.foreign_modules]
        if self.guard != ZERO_ADDRESS:
            found.append(("guard", self.guard))
        if self.fallback_handler != SAFE_4337_MODULE:
            found.append(("fallback handler", self.fallback_handler))
        if self.singleton != SAFE_L2:
            found.append(("singleton", self.singleton))
        if SAFE_4337_MODULE not in self.modules:
            found.append(("missing module", SAFE_4337_MODULE))
        return found

    @property
    def powers(self) -> list[tuple[str, Address]]:
        """The same with the modules of recovery, for who does not know the account."""
        return [("module", module) for module in self.recovery_modules] + self.foreign


def modules_data() -> bytes:
    """Return the call data that asks an account for its modules."""
    return call_data(GET_MODULES, SENTINEL_ADDRESS, MODULES_READ)


def decode_modules(data: bytes) -> list[Address]:
    """Return what ``getModulesPaginated`` answered, a module of the next page included.

    Raises:
        EncodingError: not a list of addresses and an address.
    """
    modules, following = decode(["address[]", "address"], data)
    found = [to_address(module) for module in modules]
    if to_address(following) not in {SENTINEL_ADDRESS, ZERO_ADDRESS, *found}:
        found.append(to_address(following))
    return found


def decode_address_word(word: bytes) -> Address:
    """Return the address that a storage word holds.

    Raises:
        EncodingError: not a word, or with bits above the address.
    """
    require_bytes32(word)
    if any(word[:12]):
        raise EncodingError("a storage word that is no address")
    return Address(word[12:])


def seen_hash(foreign: Sequence[tuple[str, Address]]) -> Bytes32:
    """Return what names exactly these findings, so that a later change is noticed."""
    return keccak(b"".join(kind.encode() + b"\0" + at for kind, at in sorted(foreign)))
