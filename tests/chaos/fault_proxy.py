"""A proxy on 127.0.0.1 that stands before a JSON-RPC endpoint and spoils its answers.

It forwards everything until a test plans a fault for a method: the n-th call of it from
now on, or each one. A fault of one call in a batch is a fault of the batch.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

ANY = "*"  # in the place of a method: whatever is asked
EVERY = 1_000_000  # times: more often than any test asks
UPSTREAM_SECONDS = 15.0
Call = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with a call; the fields that are left out stay right."""

    is_forwarded: bool = True  # the endpoint gets the call
    is_answered: bool = True  # the client gets an answer, else the line is cut
    delay: float = 0.0  # seconds, before the answer
    status: int = 200  # of HTTP
    is_truncated: bool = False  # half of the body, and the line is cut
    # The JSON-RPC answer as the client gets it; without forwarding it is made up.
    change: Callable[[Call, Answer], Answer] | None = None


REPLY_LOST = Fault(is_answered=False)
NEVER_ARRIVES = Fault(is_forwarded=False, is_answered=False)
TRUNCATED = Fault(is_truncated=True)
HTTP_500 = Fault(is_forwarded=False, status=500)
HTTP_429 = Fault(is_forwarded=False, status=429)


def late(seconds: float) -> Fault:
    """The answer comes after this time."""
    return Fault(delay=seconds)


def says(result: Any) -> Fault:
    """The call is carried out, and answered with another result."""
    return Fault(change=lambda call, answer: _answer_to(call, result))


def claims(make: Callable[[list[Any]], Any]) -> Fault:
    """The call goes nowhere; the answer is made up from its parameters."""
    return Fault(
        is_forwarded=False,
        change=lambda call, _answer: _answer_to(call, make(call["params"])),
    )


def forges(change: Callable[[Any], Any]) -> Fault:
    """The call is carried out, and its result is changed on the way back."""
    return Fault(
        change=lambda call, answer: _answer_to(call, change(answer.get("result")))
    )


def _answer_to(call: Call, result: Any) -> Answer:
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: who asked was killed."""


@dataclass(slots=True)
class _Plan:
    method: str
    fault: Fault
    skip: int
    times: int


class FaultProxy:
    """Forwards to one endpoint, with the faults that were planned."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.counts: Counter[str] = Counter()  # calls that came, by method
        self.faults = 0  # that happened
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def plan(self, method: str, fault: Fault, *, skip: int = 0, times: int = 1) -> None:
        """Let calls of the method fail: the first ``times`` after ``skip`` good ones."""
        with self._lock:
            self._plans.append(_Plan(method, fault, skip, times))

    def heal(self) -> None:
        """Forget every planned fault."""
        with self._lock:
            self._plans.clear()

    def _due(self, calls: list[Call]) -> tuple[Fault, set[Any]] | None:
        """Return the first fault that is due, and the ids of the calls it is about."""
        with self._lock:
            for call in calls:
                self.counts[call["method"]] += 1
            for plan in self._plans:
                meant = {
                    call["id"] for call in calls if plan.method in (ANY, call["method"])
                }
                if not meant:
                    continue
                if plan.skip > 0:
                    plan.skip -= 1
                elif plan.times > 0:
                    plan.times -= 1
                    self.faults += 1
                    return plan.fault, meant
        return None

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        address = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(
            str(address.hostname), address.port, timeout=UPSTREAM_SECONDS
        )
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", address.path or "/", body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections stay open
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    self._cut()  # who asked has died
                    return
                asked = json.loads(body)
                calls = asked if isinstance(asked, list) else [asked]
                due = proxy._due(calls)
                fault, meant = due or (Fault(), set())
                status, answer = fault.status, b""
                if fault.is_forwarded:
                    try:
                        status, answer = proxy._forward(body)
                    except (OSError, http.client.HTTPException):
                        self._cut()
                        return
                    status = fault.status if fault.status != 200 else status
                time.sleep(fault.delay)
                if not fault.is_answered:
                    self._cut()
                    return
                if fault.change is not None:
                    answer = _changed(fault.change, asked, answer, meant)
                self._reply(status, answer, is_truncated=fault.is_truncated)

            def _reply(self, status: int, body: bytes, *, is_truncated: bool) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[: len(body) // 2] if is_truncated else body)
                except OSError:
                    self.close_connection = True  # the client did not wait
                if is_truncated:
                    self._cut()

            def _cut(self) -> None:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


def _changed(
    change: Callable[[Call, Answer], Answer],
    asked: Any,
    body: bytes,
    meant: set[Any],
) -> bytes:
    """Return the body with the answers to the calls that are meant changed."""
    answers = json.loads(body) if body else None
    if isinstance(asked, list):
        by_id = {answer["id"]: answer for answer in answers or []}
        changed: Any = [
            change(call, by_id.get(call["id"], {}))
            if call["id"] in meant
            else by_id.get(call["id"])
            for call in asked
        ]
    else:
        changed = change(asked, answers or {})
    return json.dumps(changed).encode()
