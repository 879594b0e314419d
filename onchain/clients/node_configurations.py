"""A node's accounts as they are configured: code, modules, guard, handler, owners.

Source: https://ethereum.github.io/execution-apis/; the slots and calls are those of
``onchain.protocol.configuration``. Answers of contracts that are no Safe are not
errors: they are read as None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onchain.clients.json_rpc import RpcError
from onchain.clients.node_accounts import owner_calls, owners_of
from onchain.clients.node_allowances import AllowanceReads
from onchain.clients.node_endpoint import Call
from onchain.clients.node_isolation import read_call
from onchain.clients.node_requests import text
from onchain.clients.node_types import parse_data, parse_quantity
from onchain.protocol.abi import call_data
from onchain.protocol.configuration import (
    FALLBACK_HANDLER_SLOT,
    GUARD_SLOT,
    SINGLETON_SLOT,
    Configuration,
    decode_address_word,
    decode_modules,
    modules_data,
)
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import AccountOwners
from onchain.protocol.shared_signer import GET_CONFIGURATION, decode_configuration
from onchain.protocol.types import Address, Bytes32

SLOTS = (SINGLETON_SLOT, GUARD_SLOT, FALLBACK_HANDLER_SLOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """All that the chain says of an account; None where it answers as no Safe."""

    code: bytes
    owners: AccountOwners | None
    configuration: Configuration | None
    transaction_count: int  # the Safe's own nonce, which operations do not raise
    balance_wei: int


@dataclass(frozen=True, slots=True)
class ConfigurationReads(AllowanceReads):
    """What is asked about how accounts are configured."""

    def configurations(
        self, accounts: Sequence[Address], block_hash: Bytes32
    ) -> list[Configuration | None]:
        """Return how each account is configured at a block, in one request.

        Only those with an allowance module are asked on, one after the other.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        block = {"blockHash": f"0x{block_hash.hex()}"}
        groups = [_questions(account, block) for account in accounts]
        found = [_configuration_of(answers) for answers in self._each(groups, block)]
        return [
            self._with_allowances(account, configuration, block)
            for account, configuration in zip(accounts, found, strict=True)
        ]

    def account_record(self, account: Address) -> AccountRecord:
        """Return what the newest block has at an address.

        Raises:
            TransientClientError: the node is out of reach, or does not answer.
        """
        code, balance = self._batch(
            [
                ("eth_getCode", (text(account), "latest")),
                ("eth_getBalance", (text(account), "latest")),
            ]
        )
        asked = [
            *owner_calls(account, "latest"),
            read_call(account, call_data("nonce()"), "latest"),
            *_questions(account, "latest"),
        ]
        (answers,) = self._each([asked], "latest")
        owners, threshold, nonce, *rest = answers
        return AccountRecord(
            code=parse_data(code),
            owners=owners_of(owners, threshold),
            configuration=self._with_allowances(
                account, _configuration_of(rest), "latest"
            ),
            transaction_count=int.from_bytes(_returned(nonce)[:32], "big"),
            balance_wei=parse_quantity(balance),
        )

    def _with_allowances(
        self, account: Address, configuration: Configuration | None, block: object
    ) -> Configuration | None:
        if configuration is None:
            return None
        found = self._allowances(account, configuration.modules, block)
        return replace(configuration, allowances=found)


def _questions(account: Address, block: object) -> list[Call]:
    shared = call_data(GET_CONFIGURATION, account)
    return [
        *(("eth_getStorageAt", (text(account), hex(slot), block)) for slot in SLOTS),
        read_call(account, modules_data(), block),
        read_call(SHARED_SIGNER, shared, block),
    ]


def _configuration_of(answers: Sequence[object]) -> Configuration | None:
    *words, modules, shared = answers
    try:
        singleton, guard, handler = (
            decode_address_word(_returned(word)) for word in words
        )
        return Configuration(
            singleton=singleton,
            guard=guard,
            fallback_handler=handler,
            modules=decode_modules(_returned(modules)),
            shared_key=decode_configuration(_returned(shared)),
        )
    except EncodingError:  # no code there, or of something else
        return None


def _returned(answer: object) -> bytes:
    """Return what a contract answered, nothing where it did not."""
    return b"" if isinstance(answer, RpcError) else parse_data(answer)
