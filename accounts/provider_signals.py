"""What passkey providers are told after a change here: the Signal API.

Source: https://www.w3.org/TR/webauthn-3/#sctn-signal-methods. A change is remembered
in the session, and the next passkeys page tells the browser once, where it can.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from accounts.models import Credential, User
from accounts.strict_json import decode_base64url, encode_base64url

SESSION_KEY = "provider_signals"
UNKNOWN = "unknown"


def remember_change(session: SessionBase, *, unknown_id: bytes | None = None) -> None:
    """Have the next passkeys page tell the provider how things stand.

    ``unknown_id``: a credential of which this site has nothing at all any more.
    """
    pending = session.get(SESSION_KEY, {UNKNOWN: []})
    if unknown_id is not None:
        pending[UNKNOWN].append(encode_base64url(unknown_id))
    session[SESSION_KEY] = pending


def take(session: SessionBase) -> list[str] | None:
    """Return the ids that are unknown now, once; None: there is nothing to tell."""
    pending = session.pop(SESSION_KEY, None)
    if pending is None:
        return None
    ids = {decode_base64url(text): text for text in pending[UNKNOWN]}
    # Asked again now: a provider may delete what it is told of.
    known = Credential.objects.filter(credential_id__in=list(ids))
    for credential_id in known.values_list("credential_id", flat=True):
        del ids[bytes(credential_id)]
    return list(ids.values())


def signals(
    *,
    user: User,
    unknown_ids: Iterable[str],
    accepted: Iterable[Credential],
    signed_in_with: Credential | None,
) -> dict[str, Any]:
    """Return what static/js/signals.js tells the provider.

    ``accepted`` must hold every passkey that can still do anything: a provider may
    delete or hide the ones that are not in it. The name a provider shows belongs to
    the person, so it follows the passkey in the hand alone.
    """
    own_name = signed_in_with.name if signed_in_with is not None else ""
    return {
        "rpId": settings.WEBAUTHN_RP_ID,
        "userId": encode_base64url(user.user_handle),
        "unknown": list(unknown_ids),
        "accepted": [encode_base64url(each.credential_id) for each in accepted],
        "name": user.name,
        "displayName": own_name or user.name,
    }
