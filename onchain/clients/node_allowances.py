"""A node's answers about allowances: what an account's modules let others spend.

An account names its own modules and fills them as it likes, so what is asked is
bounded: some delegates of a module, some tokens, each with gas of its own, and one
account at a time. What is left out, or not told, is said with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.clients.json_rpc import RpcError
from onchain.clients.node_isolation import IsolatedReads, read_call
from onchain.clients.node_types import parse_data
from onchain.protocol.allowances import (
    ALLOWANCE_MODULES,
    ALLOWANCES_READ,
    Allowance,
    Allowances,
    allowance_data,
    decode_allowance,
    decode_delegates,
    decode_tokens,
    delegates_data,
    tokens_data,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address


@dataclass(frozen=True, slots=True)
class AllowanceReads(IsolatedReads):
    """What is asked about allowances."""

    def _allowances(
        self, account: Address, modules: Sequence[Address], block: object
    ) -> Allowances:
        """Return what the allowance modules among an account's modules say of it.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        given: list[Allowance] = []
        is_complete = True
        for module in modules:
            if module in ALLOWANCE_MODULES:
                found = self._in_module(account, module, block)
                given += found.given
                is_complete &= found.is_complete
        return Allowances(given=given, is_complete=is_complete)

    def _in_module(
        self, account: Address, module: Address, block: object
    ) -> Allowances:
        (answer,) = self._ask_module(module, [delegates_data(account)], block)
        try:
            delegates, is_complete = decode_delegates(answer)
        except EncodingError:
            return Allowances(is_complete=False)
        asked = [tokens_data(account, delegate) for delegate in delegates]
        pairs: list[tuple[Address, Address]] = []
        answers = self._ask_module(module, asked, block)
        for delegate, answer in zip(delegates, answers, strict=True):
            try:
                pairs += [(delegate, token) for token in decode_tokens(answer)]
            except EncodingError:
                is_complete = False
        is_complete &= len(pairs) <= ALLOWANCES_READ
        given: list[Allowance] = []
        pairs = pairs[:ALLOWANCES_READ]
        asked = [allowance_data(account, *pair) for pair in pairs]
        answers = self._ask_module(module, asked, block)
        for (delegate, token), answer in zip(pairs, answers, strict=True):
            try:
                allowance = decode_allowance(
                    answer, module=module, delegate=delegate, token=token
                )
            except EncodingError:
                is_complete = False
                continue
            if allowance.amount:  # a deleted one stays in the module's list
                given.append(allowance)
        return Allowances(given=given, is_complete=is_complete)

    def _ask_module(
        self, module: Address, asked: Sequence[bytes], block: object
    ) -> list[bytes]:
        """Return what a module answers to each question, nothing where it does not."""
        if not asked:
            return []
        calls = [read_call(module, data, block) for data in asked]
        (answers,) = self._each([calls], block)
        return [
            b"" if isinstance(answer, RpcError) else parse_data(answer)
            for answer in answers
        ]
