"""How the reads of a node ask it: one call or several, errors in our own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.clients.node_requests import translated, translated_in_bulk

Call = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One node, reached over HTTP."""

    rpc: JsonRpc

    def _call(self, method: str, *params: object) -> Any:
        try:
            return self.rpc.call(method, *params)
        except RpcError as error:
            raise translated(error) from None

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        try:
            return self._results(calls)
        except RpcError as error:
            raise translated(error) from None

    def _in_bulk(self, calls: Sequence[Call]) -> list[Any]:
        """Ask for what could also be asked for in smaller parts."""
        try:
            return self._results(calls)
        except RpcError as error:
            raise translated_in_bulk(error) from None

    def _results(self, calls: Sequence[Call]) -> list[Any]:
        results = self.rpc.batch(calls)
        for result in results:
            if isinstance(result, RpcError):
                raise result
        return results
