"""What every page shows around its content."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.session_store import stored
from onchain.models import Guardian, Heartbeat
from onchain.services import passkey_list, recovery_alarms
from onchain.services.health import felt_components

AWAY = {
    Heartbeat.Component.NODE: "The chain's node does not answer. What you see may be "
    "old, and nothing is sent until it is back.",
    Heartbeat.Component.BUNDLER: "The bundler does not answer. Payments wait until it "
    "is back; nothing is lost.",
    Heartbeat.Component.FOLLOWER: "The chain is not being read. What you see may be "
    "old.",
    Heartbeat.Component.WORKER: "Work is waiting: no worker runs. Nothing is lost.",
    Heartbeat.Component.RELAYER: "New accounts have to wait: the operator has to look "
    "after the relayer. Nothing is lost.",
    Heartbeat.Component.SECOND_NODE: "The second node does not answer. Payments are "
    "sent, and count as confirmed once it is back and agrees.",
}


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name and chain, and what is away right now."""
    return {
        "site_name": settings.WEBAUTHN_RP_NAME,
        "chain_name": settings.CHAIN_NAME,
        "is_local_chain": settings.LOCAL_CHAIN,
        "has_one_node": not settings.SECOND_NODE_URL,
        "banners": _Banners(),
        "recovery_alarms": SimpleLazyObject(partial(_recovery_alarms, request)),
        "guards_somebody": SimpleLazyObject(partial(_guards_somebody, request)),
        "lacks_this_device": SimpleLazyObject(partial(_lacks_this_device, request)),
    }


def _guards_somebody(request: HttpRequest) -> bool:
    """Whether an account has a key of the person's among its guardians."""
    if not isinstance(request.user, User):
        return False
    return Guardian.objects.of(request.user).exists()


def _recovery_alarms(request: HttpRequest) -> list[recovery_alarms.Alarm]:
    """Return what guardians have begun on the person's accounts (security.md R58)."""
    if not isinstance(request.user, User):
        return []
    return recovery_alarms.alarms_of(request.user)


def _lacks_this_device(request: HttpRequest) -> bool:
    """Ask only where a page has a place for the answer, and only who came from afar."""
    if not isinstance(request.user, User) or not request.session.get("is_cross_device"):
        return False
    return passkey_list.lacks_this_device(
        user=request.user, session=stored(request).row_id
    )


class _Banners:
    """The banners, read from rows only when a template asks for them."""

    def __iter__(self) -> Any:
        heartbeats = Heartbeat.objects.filter(
            chain__chain_id=settings.CHAIN_ID
        ).select_related("chain")
        rows = {row.component: row for row in heartbeats}
        chain = next((row.chain for row in rows.values()), None)
        if chain is not None and chain.problem:
            yield {"level": "error", "text": f"Payments are stopped. {chain.problem}"}
        if chain is not None and chain.blocks_behind:
            yield {
                "level": "warning",
                "text": f"Figures are {chain.blocks_behind:,} blocks behind. The chain "
                f"is being read: {chain.catching_up}.",
            }
        silent = felt_components(rows=rows.values())
        for component, text in AWAY.items():
            if component in rows and component in silent:
                yield {"level": "warning", "text": text}
