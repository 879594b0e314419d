"""A node's accounts as they are configured: code, modules, guard, handler, owners.

Source: https://ethereum.github.io/execution-apis/; the slots and calls are those of
``onchain.protocol.configuration``. Answers of contracts that are no Safe are not
errors: they are read as None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import RpcError
from onchain.clients.node_accounts import owners_of
from onchain.clients.node_endpoint import Endpoint
from onchain.clients.node_requests import call_fields, eth_call, text, translated
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
from onchain.protocol.owners import GET_OWNERS, GET_THRESHOLD, AccountOwners
from onchain.protocol.shared_signer import GET_CONFIGURATION, decode_configuration
from onchain.protocol.types import Address, Bytes32

SLOTS = (SINGLETON_SLOT, GUARD_SLOT, FALLBACK_HANDLER_SLOT)
QUESTIONS = len(SLOTS) + 2  # about one account's configuration
Calls = list[tuple[str, Sequence[object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """All that the chain says of an account; None where it answers as no Safe."""

    code: bytes
    owners: AccountOwners | None
    configuration: Configuration | None
    transaction_count: int  # the Safe's own nonce, which operations do not raise
    balance_wei: int


@dataclass(frozen=True, slots=True)
class ConfigurationReads(Endpoint):
    """What is asked about how accounts are configured."""

    def configurations(
        self, accounts: Sequence[Address], block_hash: Bytes32
    ) -> list[Configuration | None]:
        """Return how each account is configured at a block, in one request.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        block = {"blockHash": f"0x{block_hash.hex()}"}
        calls = [call for account in accounts for call in _questions(account, block)]
        answers = self.rpc.batch(calls)
        return [
            _configuration_of(answers[start : start + QUESTIONS])
            for start in range(0, len(answers), QUESTIONS)
        ]

    def account_record(self, account: Address) -> AccountRecord:
        """Return what the newest block has at an address, in one request.

        Raises:
            TransientClientError: the node is out of reach, or does not answer.
        """
        calls: Calls = [
            ("eth_getCode", (text(account), "latest")),
            ("eth_getBalance", (text(account), "latest")),
            *(
                eth_call(account, call_data(question), None, "latest")
                for question in (GET_OWNERS, GET_THRESHOLD, "nonce()")
            ),
            *_questions(account, "latest"),
        ]
        code, balance, owners, threshold, nonce, *rest = self.rpc.batch(calls)
        return AccountRecord(
            code=parse_data(_answered(code)),
            owners=owners_of(owners, threshold),
            configuration=_configuration_of(rest),
            transaction_count=int.from_bytes(_returned(nonce)[:32], "big"),
            balance_wei=parse_quantity(_answered(balance)),
        )


def _questions(account: Address, block: object) -> Calls:
    shared = call_data(GET_CONFIGURATION, account)
    return [
        *(("eth_getStorageAt", (text(account), hex(slot), block)) for slot in SLOTS),
        ("eth_call", (call_fields(account, modules_data(), None), block)),
        ("eth_call", (call_fields(SHARED_SIGNER, shared, None), block)),
    ]


def _configuration_of(answers: Sequence[object]) -> Configuration | None:
    *words, modules, shared = answers
    try:
        singleton, guard, handler = (
            decode_address_word(parse_data(_answered(word))) for word in words
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


def _answered(answer: object) -> object:
    """Return what the node answered to a question that it always can answer."""
    if isinstance(answer, RpcError):
        raise TransientClientError(f"configuration: {translated(answer)}")
    return answer


def _returned(answer: object) -> bytes:
    """Return what a contract answered, nothing where it reverted."""
    if isinstance(answer, RpcError):
        error = translated(answer)
        if isinstance(error, ClientError) and error.code == "execution-reverted":
            return b""
        raise TransientClientError(f"configuration: {error}")
    return parse_data(answer)
