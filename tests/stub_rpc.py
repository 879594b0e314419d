"""A JSON-RPC endpoint on 127.0.0.1 that says what a test tells it to say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SECRET_PATH = "/v2/secret-key"  # as providers put their keys into URLs


class StubRpc:
    """Recorded answers by method; a callable is given the parameters.

    ``body`` and ``status`` replace the whole HTTP answer, ``reshape`` changes the JSON
    of a right one, ``delay`` holds it back.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Any] = []  # one per HTTP request, parsed
        self.body: bytes | None = None
        self.status = 200
        self.location = ""  # where a redirecting status sends to
        self.delay = 0.0  # seconds
        self.reshape: Callable[[Any], Any] = lambda answer: answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where it listens, with a key in the path."""
        return f"http://127.0.0.1:{self._server.server_port}{SECRET_PATH}"

    @property
    def methods(self) -> list[str]:
        """The methods asked for, those of a batch one by one."""
        asked: list[str] = []
        for request in self.requests:
            calls = request if isinstance(request, list) else [request]
            asked += [call["method"] for call in calls]
        return asked

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply(self, request: Any) -> bytes:
        if self.body is not None:
            return self.body
        if isinstance(request, list):
            answer: Any = [self._answer(call) for call in request]
        else:
            answer = self._answer(request)
        return json.dumps(self.reshape(answer)).encode()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] not in self.answers:
            return head | {"error": {"code": -32601, "message": "no such method"}}
        answer = self.answers[call["method"]]
        if callable(answer):
            answer = answer(*call["params"])
        if isinstance(answer, RpcFailure):
            return head | {"error": answer.fields}
        return head | {"result": answer}

    def _handler(stub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                stub.requests.append(request)
                time.sleep(stub.delay)
                body = stub._reply(request)
                try:
                    self.send_response(stub.status)
                    self.send_header("Content-Length", str(len(body)))
                    if stub.location:
                        self.send_header("Location", stub.location)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the client did not wait

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


class RpcFailure:
    """An answer that is a JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        self.fields = {"code": code, "message": message, "data": data}
