"""How many ceremonies one client may begin and answer in a minute (R38).

Nobody can use up what is somebody else's: strangers are counted by their address, a
signed-in person by their own, and failed answers for a passkey by the address that
sent them, never for the passkey alone. Whether a passkey exists changes nothing (R10).

Counted in Django's cache, which is Redis where the broker is Redis, else the memory of
the one web process: in fixed windows of a minute, so that a count costs one increment
and forgets itself. A cache that does not answer limits nobody: it must not become a
way to lock everybody out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts import responses
from accounts.answers import person
from accounts.client_address import client_network
from accounts.errors import CeremonyFailed, MalformedResponse, TooManyAttempts

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


def count_begin(request: HttpRequest) -> None:
    """Count one ceremony that is to begin.

    Raises:
        TooManyAttempts: this client began too many; nothing was opened.
    """
    _require(_count("begin", _client(request)) <= settings.CEREMONY_BEGINS_PER_MINUTE)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """Count one answer to a ceremony, and again if what is inside refuses it.

    Raises:
        TooManyAttempts: before anything inside ran, so no challenge is spent.
    """
    client = _client(request)
    # An answer without a begun ceremony is worth nothing: as many of these as of those.
    _require(_count("answer", client) <= settings.CEREMONY_BEGINS_PER_MINUTE)
    failing = f"{client_network(request)} {_credential_id(request)}"
    _require(_count("failure", failing, by=0) < settings.CEREMONY_FAILURES_PER_MINUTE)
    try:
        yield
    except CeremonyFailed:
        _count("failure", failing)
        raise


def _client(request: HttpRequest) -> str:
    """Return whom a request counts for: the signed-in person, else the address."""
    user = person(request)
    if user is None:
        return f"address {client_network(request)}"
    return f"person {user.pk}"


def _credential_id(request: HttpRequest) -> str:
    """Return which passkey an answer names, known or not; empty if unreadable."""
    try:
        return responses.credential_id(request.POST.get("credential", "")).hex()
    except MalformedResponse:
        return ""


def _require(is_within: bool) -> None:
    if not is_within:
        gone = _now() % WINDOW_SECONDS
        raise TooManyAttempts(seconds=WINDOW_SECONDS - gone)


def _count(what: str, who: str, *, by: int = 1) -> int:
    """Return how often this happened in the current minute, after adding ``by``."""
    window = _now() // WINDOW_SECONDS
    # Hashed with the site's key: the cache holds no addresses (R40).
    key = salted_hmac(__name__, f"{what} {who} {window}", algorithm="sha256")
    name = f"limit:{key.hexdigest()}"
    try:
        if by == 0:
            return int(cache.get(name, 0))
        return _increment(name, by)
    # Whatever a cache raises when it is away, its client's own errors included.
    except Exception as error:  # noqa: BLE001 - logged, and nobody is locked out
        logger.warning("rate limits do not count: %s", type(error).__name__)
        return 0


def _increment(name: str, by: int) -> int:
    """Add to a count that may not exist yet; of several at once each is counted."""
    try:
        return int(cache.incr(name, by))
    except ValueError:  # Django's word for a key that is not there
        if cache.add(name, by, timeout=2 * WINDOW_SECONDS):
            return by
    return int(cache.incr(name, by))


def _now() -> int:
    """Return the web process's clock in seconds; nothing but counts depends on it."""
    return int(time.time())
