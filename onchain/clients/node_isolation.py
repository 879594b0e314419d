"""Reads about many accounts at once, of which some may be hostile.

An account's code is its owner's, and may loop, return without end or fail in any words.
So each call has its own gas, and an account whose answers cannot be had together with
the others is asked alone, beside a question about a pinned contract at the same block.
If the node answers that one, the trouble is the account's; if not, it is the node's.
Words decide nothing but who is asked alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import RpcError
from onchain.clients.node_endpoint import Call, Endpoint
from onchain.clients.node_requests import RATE_LIMIT, call_fields, translated
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.types import Address

# Of each call. getOwners() of 500 owners takes 1.3 million; what a call can return for
# it is a megabyte.
READ_GAS = 2_000_000
LIMIT_EXCEEDED = -32005  # EIP-1474
# In the place of each answer of an account that only fails as a whole.
NO_ANSWER = RpcError(code=0, message="no answer", data=None)


def read_call(to: Address, data: bytes, block: object) -> Call:
    """Return an eth_call with the gas that a read may use."""
    return "eth_call", (call_fields(to, data, None, gas=READ_GAS), block)


@dataclass(frozen=True, slots=True)
class IsolatedReads(Endpoint):
    """How accounts are asked so that none holds up the others."""

    def _each(self, groups: Sequence[Sequence[Call]], block: object) -> list[list[Any]]:
        """Return the answers to each account's calls.

        What an account's code does not answer has an ``RpcError`` in its place.

        Raises:
            TransientClientError: the node is out of reach, does not know the block or
                its state, or asks for patience.
        """
        try:
            answers = self.rpc.batch([call for group in groups for call in group])
        except (RpcError, TransientClientError):
            return [self._alone(group, block) for group in groups]
        rest = iter(answers)
        each = [[next(rest) for _call in group] for group in groups]
        return [
            self._alone(group, block) if any(map(_is_unclear, own)) else own
            for group, own in zip(groups, each, strict=True)
        ]

    def _alone(self, group: Sequence[Call], block: object) -> list[Any]:
        """Return the answers to one account's calls, asked beside a pinned contract."""
        try:
            control, *answers = self.rpc.batch([_control(block), *group])
        except (RpcError, TransientClientError):
            (control,) = self._in_words([_control(block)])
            answers = [NO_ANSWER] * len(group)
        if isinstance(control, RpcError):
            raise TransientClientError(f"accounts: {translated(control)}")
        for (method, _params), answer in zip(group, answers, strict=True):
            is_nodes = method != "eth_call" or _asks_for_patience(answer)
            if _is_unclear(answer) and answer is not NO_ANSWER and is_nodes:
                raise TransientClientError(f"accounts: {translated(answer)}")
        return answers

    def _in_words(self, calls: Sequence[Call]) -> list[Any]:
        """Ask; an error about the request as a whole is the node's."""
        try:
            return self.rpc.batch(calls)
        except RpcError as error:
            raise TransientClientError(f"accounts: {translated(error)}") from None


def _control(block: object) -> Call:
    return read_call(MULTICALL3, call_data("getBlockNumber()"), block)


def _is_unclear(answer: object) -> bool:
    """Whether an answer is an error that a revert does not explain."""
    if not isinstance(answer, RpcError):
        return False
    error = translated(answer)
    return not isinstance(error, ClientError) or error.code != "execution-reverted"


def _asks_for_patience(answer: object) -> bool:
    if not isinstance(answer, RpcError):
        return False
    return answer.code == LIMIT_EXCEEDED or bool(RATE_LIMIT.search(answer.message))
