"""JSON-RPC 2.0 over HTTP, with a timeout on every call.

Source: https://www.jsonrpc.org/specification. One keep-alive connection pool per
thread. URLs may hold keys, so no message or repr of this module names them.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from onchain.clients.errors import AnswerTooLarge, TransientClientError

_local = threading.local()
_ids = itertools.count(1)
Request = dict[str, Any]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class RpcError(Exception):
    """A JSON-RPC error object; clients turn it into their own words."""

    def __init__(self, *, code: int, message: str, data: object) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRpc:
    """One endpoint."""

    url: str = field(repr=False)
    timeout: float  # seconds, for connecting and for each read

    def call(self, method: str, *params: object) -> Any:
        """Return the ``result`` of one call.

        Raises:
            RpcError: the endpoint answered with an error object.
            TransientClientError: no answer, or none that is JSON-RPC.
        """
        return _result(self._post(_request(method, params)))

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Return the results of several calls, in order, from one HTTP request.

        A call that failed has its ``RpcError`` in its place, not raised.

        Raises:
            AnswerTooLarge: it asks for fewer calls at once.
            TransientClientError: no answer, or an answer is missing.
        """
        if not calls:
            return []
        requests_ = [_request(method, params) for method, params in calls]
        answers = self._post(requests_)
        if not isinstance(answers, list):
            _result(answers)
            raise TransientClientError("the answer to a batch is not a list")
        by_id = {
            answer["id"]: answer
            for answer in answers
            if isinstance(answer, dict) and type(answer.get("id")) is int
        }
        results: list[Any] = []
        for request in requests_:
            if request["id"] not in by_id:
                raise TransientClientError("an answer of a batch is missing")
            try:
                results.append(_result(by_id[request["id"]]))
            except RpcError as error:
                results.append(error)
        return results

    def _post(self, body: Request | list[Request]) -> Any:
        try:
            response = _session(self.url).post(
                self.url, json=body, timeout=self.timeout, allow_redirects=False
            )
            if response.status_code == 413:
                raise AnswerTooLarge("HTTP 413")
            answer = response.json()
        except requests.RequestException as error:
            # The exception's own text holds the URL, which may hold a key.
            raise TransientClientError(type(error).__name__) from None
        except ValueError:
            raise TransientClientError("the answer is not JSON") from None
        if response.status_code >= 500 or response.status_code == 429:
            raise TransientClientError(f"HTTP {response.status_code}")
        return answer


def _session(url: str) -> requests.Session:
    """Return this thread's session; what runs beside us is never behind a proxy.

    For a program elsewhere ``requests`` reads HTTPS_PROXY and its like at each call,
    which takes longer than a local node's answer.
    """
    name = "near" if urlsplit(url).hostname in LOOPBACK else "far"
    if not hasattr(_local, name):
        session = requests.Session()
        session.trust_env = name == "far"
        setattr(_local, name, session)
    found: requests.Session = getattr(_local, name)
    return found


def _request(method: str, params: Sequence[object]) -> Request:
    return {
        "jsonrpc": "2.0",
        "id": next(_ids),
        "method": method,
        "params": list(params),
    }


def _result(answer: object) -> Any:
    if not isinstance(answer, dict):
        raise TransientClientError("the answer is not an object")
    error = answer.get("error")
    if error is not None:
        if not isinstance(error, dict):
            raise TransientClientError("the error is not an object")
        code = error.get("code")
        raise RpcError(
            code=code if isinstance(code, int) else 0,
            message=str(error.get("message") or ""),
            data=error.get("data"),
        )
    if "result" not in answer:
        raise TransientClientError("the answer has neither result nor error")
    return answer["result"]
