"""The real views and static files on a port of this machine, for tests with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import LiveServerThread

TURN_SECONDS = 0.02  # after which it looks whether to stop; half a second otherwise


class _Server(ThreadedWSGIServer):
    def serve_forever(self, poll_interval: float = TURN_SECONDS) -> None:
        super().serve_forever(poll_interval)


class _Thread(LiveServerThread):
    server_class = _Server


@contextmanager
def serving(settings: Any) -> Iterator[str]:
    """Serve the site with the test's own database; yield its origin."""
    settings.ALLOWED_HOSTS = ["localhost"]
    server = _Thread("localhost", StaticFilesHandler, port=0)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None, server.error
    settings.WEBAUTHN_ORIGIN = f"http://localhost:{server.port}"
    settings.SITE_ORIGIN = settings.WEBAUTHN_ORIGIN
    yield settings.WEBAUTHN_ORIGIN
    server.terminate()
