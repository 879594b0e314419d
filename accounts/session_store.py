"""The session engine: a row for each session, which its person can see and end (R14).

The cookie's key is stored as SHA-256 only, and the data is signed for that key, so that
a copy of the table signs nobody in and data moved to another row opens nothing (R28).

Two limits, both enforced by the query that loads the row. The absolute one is set at
sign-in (for a stranger: when the session is made) and is never moved. The idle one
counts from ``last_seen_at``, which ``touch`` moves and saving does not.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import (
    VALID_KEY_CHARS,
    CreateError,
    SessionBase,
    UpdateError,
)
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import Credential, Session

STRANGER_LIFE = timedelta(hours=1)  # longer than any ceremony
TOUCH_EVERY = timedelta(seconds=30)  # a busy person writes no more often than this


def key_hash(session_key: str) -> bytes:
    """Return what is stored of a key; 165 random bits need no salt, no slow hash."""
    return hashlib.sha256(session_key.encode()).digest()


def idle_limit() -> timedelta:
    """Return how long a session lasts without its person."""
    return timedelta(seconds=settings.SESSION_IDLE_SECONDS)


def running() -> QuerySet[Session]:
    """Return the sessions within both limits, by the database's clock."""
    is_used = Q(last_seen_at__gt=Now() - idle_limit())
    return Session.objects.filter(Q(user=None) | is_used, expires_at__gt=Now())


def stored(request: HttpRequest) -> SessionStore:
    """Return the session of a request, which this engine keeps."""
    if not isinstance(request.session, SessionStore):
        raise TypeError("SESSION_ENGINE is another one")
    return request.session


class SessionStore(SessionBase):
    """One session, as Django's middleware and test client use it."""

    _session_cache: dict[str, Any]  # there once it is loaded

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None  # as it was loaded or last written
        self._facts: dict[str, Any] = {}  # columns that go with the next save
        self._created = b""  # the data with which this request stored a new row

    # --- What the pages and the middleware ask ------------------------------------

    @property
    def row_id(self) -> uuid.UUID | None:
        """Name this session as the list of sessions does; None: it is not stored."""
        self._loaded()
        return None if self._row is None else self._row.pk

    def describe(
        self, *, credential: Credential, browser: str, is_cross_device: bool
    ) -> None:
        """Say with what and where somebody signs in; written with the next save."""
        self["credential"] = credential.pk
        self["is_cross_device"] = is_cross_device
        self._facts = {
            "credential": credential,
            "browser": browser,
            "is_cross_device": is_cross_device,
        }

    def touch(self) -> None:
        """Note that the person was here, at most once in ``TOUCH_EVERY``."""
        row, now = self._row, timezone.now()
        if row is None or row.last_seen_at is None or self.session_key is None:
            return
        if now - row.last_seen_at < TOUCH_EVERY:
            return
        due = Session.objects.filter(pk=row.pk, last_seen_at__lt=Now() - TOUCH_EVERY)
        due.update(last_seen_at=Now())
        row.last_seen_at = now

    @property
    def idle_seconds(self) -> int:
        """Return the idle limit, for pages."""
        return int(settings.SESSION_IDLE_SECONDS)

    @property
    def idle_minutes(self) -> int:
        """Return the idle limit in the unit that people are told."""
        return max(1, round(self.idle_seconds / 60))

    def seconds_left(self, *, is_use: bool = True) -> int:
        """Return for how long it holds; ``is_use``: once this request is noted."""
        data: dict[str, Any] = self._loaded()
        now = timezone.now()
        if self._row is None or self._row.user_id != _user_id(data):
            # A sign-in that this request has yet to save.
            return 0 if _user_id(data) is None else self.idle_seconds
        seen = self._row.last_seen_at
        if seen is None:
            return 0
        if is_use and now - seen >= TOUCH_EVERY:
            seen = now
        end = min(seen + idle_limit(), self._row.expires_at)
        return max(0, int((end - now).total_seconds()))

    # --- What SessionBase asks -----------------------------------------------------

    @property
    def key_salt(self) -> str:
        """Bind the signature of the data to the key it is stored under."""
        return f"accounts.session_store {key_hash(self.session_key or '').hex()}"

    def load(self) -> dict[str, Any]:
        """Return the data; a session that is over is none, and its key is dropped."""
        row = running().filter(key_hash=key_hash(self.session_key or "")).first()
        if row is not None:
            data: dict[str, Any] = self.decode(row.data)
            if _user_id(data) == row.user_id:
                self._row = row
                return data
        self._session_key = None
        return {}

    def exists(self, session_key: str) -> bool:
        """Say whether a row has that key."""
        return Session.objects.filter(key_hash=key_hash(session_key)).exists()

    def create(self) -> None:
        """Store a new session under a new key; 165 random bits are never taken."""
        self._row = None
        self._session_key = _new_key()
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write the data; whose session it is follows from the data.

        Raises:
            CreateError: the key is taken (``must_create``).
            UpdateError: the row is gone, so the session was ended meanwhile.
        """
        if self.session_key is None:
            return self.create()
        if must_create and not hasattr(self, "_session_cache"):
            self._session_cache = {}
        data: dict[str, Any] = self._loaded()
        plain = self.serializer().dumps(data)
        if not must_create and not self._facts and plain == self._created:
            return  # the middleware saves once more what ``create`` has just stored
        columns = {"data": self.encode(data)} | self._columns_of(data)
        self._created = plain if must_create else b""
        if must_create:
            row = Session(key_hash=key_hash(self.session_key), **columns)
            try:
                with transaction.atomic():
                    row.save(force_insert=True)
            except IntegrityError as error:
                raise CreateError from error
            self._row = row
        else:
            self._update(self.session_key, columns)
        self._facts = {}

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one if no key is given."""
        key = session_key or self.session_key
        if key is None:
            return
        Session.objects.filter(key_hash=key_hash(key)).delete()
        if key == self.session_key:
            self._row, self._facts = None, {}

    def cycle_key(self) -> None:
        """Give the session a new key; its limits and what is known of it stay."""
        data: dict[str, Any] = self._loaded()
        old = self.session_key
        if old is None or self._row is None:
            self.create()
            return
        self._session_key = new = _new_key()
        try:
            # The data is signed for its key, so both change in one statement.
            changed = {"key_hash": key_hash(new), "data": self.encode(data)}
            self._update(old, changed)
        except UpdateError:  # ended meanwhile: nothing of it goes on
            self.flush()
            self.create()
        self.modified = True

    async def acycle_key(self) -> None:
        """Give the session a new key; its limits and what is known of it stay."""
        await sync_to_async(self.cycle_key)()

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """Return the absolute limit, for the cookie: saving never moves it."""
        data: dict[str, Any] = self._loaded()
        if self._row is not None and _user_id(data) == self._row.user_id:
            return self._row.expires_at
        return _absolute_limit(_user_id(data))

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Return how many seconds are left until the absolute limit."""
        return max(0, int((self.get_expiry_date() - timezone.now()).total_seconds()))

    async def aget_expiry_date(self, **kwargs: Any) -> datetime:
        """Return the absolute limit, for the cookie: saving never moves it."""
        return await sync_to_async(self.get_expiry_date)()

    async def aget_expiry_age(self, **kwargs: Any) -> int:
        """Return how many seconds are left until the absolute limit."""
        return await sync_to_async(self.get_expiry_age)()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete what no query loads any more. Safe to repeat."""
        is_idle = Q(user__isnull=False, last_seen_at__lte=Now() - idle_limit())
        Session.objects.filter(is_idle | Q(expires_at__lte=Now())).delete()

    @classmethod
    async def aclear_expired(cls) -> None:
        """Delete what no query loads any more. Safe to repeat."""
        await sync_to_async(cls.clear_expired)()

    def _loaded(self) -> dict[str, Any]:
        self.keys()  # loads it, once
        return self._session_cache

    # --- Rows -----------------------------------------------------------------------

    def _columns_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what changes when somebody signs in to this session, or nothing."""
        user_id = _user_id(data)
        if self._row is not None and self._row.user_id == user_id:
            return dict(self._facts)
        seen = None if user_id is None else timezone.now()
        return {
            "user_id": user_id,
            "signed_in_at": seen,
            "last_seen_at": seen,
            "expires_at": _absolute_limit(user_id),
            **self._facts,
        }

    def _update(self, session_key: str, columns: dict[str, Any]) -> None:
        """Write columns of a row that still stands."""
        row = Session.objects.filter(key_hash=key_hash(session_key))
        if not row.update(**columns):
            raise UpdateError
        if self._row is not None:
            for name, value in columns.items():
                setattr(self._row, name, value)


def _new_key() -> str:
    return get_random_string(32, VALID_KEY_CHARS)


def _user_id(data: dict[str, Any]) -> int | None:
    """Return whose session it is, as django.contrib.auth wrote it."""
    return int(data[SESSION_KEY]) if SESSION_KEY in data else None


def _absolute_limit(user_id: int | None) -> datetime:
    """Return when a session that begins now ends at the latest."""
    if user_id is None:
        return timezone.now() + STRANGER_LIFE
    return timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
