"""Signing in: what a finished ceremony makes true in this browser (R14).

A long-lived cookie that means nothing but "this browser was here before" tells a new
browser from a known one. It signs nobody in, and only its hash is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import login
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from accounts import security_events
from accounts.browsers import browser_name
from accounts.models import Credential, KnownBrowser, SecurityEvent, User
from accounts.session_store import stored

THIS_DEVICE = "this_device"  # in the session: the passkey that is on this device
TOKEN_BYTES = 32
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)  # 32 bytes in base64url
BROWSER_LIFE = timedelta(days=400)  # the longest that browsers keep a cookie


def sign_in(
    request: HttpRequest,
    *,
    user: User,
    credential: Credential,
    is_cross_device: bool = False,
    is_this_device: bool = False,
) -> None:
    """Sign somebody in: a session of their own, under a new id, with new limits.

    Whatever this browser's session held before is gone, its row included. A browser
    that this person never used is told to them, except their very first.

    Args:
        is_cross_device: the passkey is known to be on another device.
        is_this_device: it is known to be on this one. Of some nothing is known.
    """
    request.session.flush()
    login(request, user)
    browser = browser_name(request.headers.get("User-Agent", ""))
    stored(request).describe(
        credential=credential, browser=browser, is_cross_device=is_cross_device
    )
    request.session[THIS_DEVICE] = credential.pk if is_this_device else None
    token = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    if not TOKEN.fullmatch(token):
        token = secrets.token_urlsafe(TOKEN_BYTES)
    _remember(user, token, browser)
    # The middleware sets it, since a view's answer is not made yet.
    request.browser_token = token  # type: ignore[attr-defined]


def keep_browser_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser its token when somebody has just signed in."""
    token = getattr(request, "browser_token", None)
    if token is None:
        return
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        token,
        max_age=BROWSER_LIFE,
        secure=settings.SITE_IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def forget_old_browsers() -> None:
    """Delete browsers whose cookie is gone by now. Safe to repeat."""
    KnownBrowser.objects.filter(last_seen_at__lte=Now() - BROWSER_LIFE).delete()


@transaction.atomic
def _remember(user: User, token: str, browser: str) -> None:
    """Note that this person uses this browser; tell them when it is another one."""
    token_hash = hashlib.sha256(token.encode()).digest()
    known = KnownBrowser.objects.filter(user=user, token_hash=token_hash)
    if known.update(last_seen_at=Now(), browser=browser):
        return
    is_first = not KnownBrowser.objects.filter(user=user).exists()
    KnownBrowser.objects.create(user=user, token_hash=token_hash, browser=browser)
    if not is_first:
        security_events.note(
            user=user, kind=SecurityEvent.Kind.NEW_BROWSER, browser=browser
        )
